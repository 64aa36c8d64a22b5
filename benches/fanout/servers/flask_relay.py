"""Seed 1's server as its README describes it: a picture comes in as `send_video`, and goes to
everybody else as `receive_video`. A comparison for benches/fanout, never part of the product.

    flask_relay.py threading|gevent PORT
"""

import logging
import sys

mode, port = sys.argv[1], int(sys.argv[2])
if mode == "gevent":
    from gevent import monkey

    monkey.patch_all()

from flask import Flask, request  # noqa: E402
from flask_socketio import SocketIO, emit  # noqa: E402

# A line for each request would be the log's cost, not the relay's.
logging.getLogger("werkzeug").setLevel(logging.ERROR)

app = Flask(__name__)
socketio = SocketIO(app, async_mode=mode, cors_allowed_origins="*", max_http_buffer_size=1 << 20)


@socketio.on("connect")
def connected():
    emit("user_connected", {"id": request.sid}, broadcast=True, include_self=False)


@socketio.on("disconnect")
def disconnected(*_):
    emit("user_disconnected", {"id": request.sid}, broadcast=True, include_self=False)


@socketio.on("send_video")
def send_video(data):
    emit(
        "receive_video",
        {"id": request.sid, "frame": data["frame"]},
        broadcast=True,
        include_self=False,
    )


socketio.run(
    app, host="127.0.0.1", port=port, allow_unsafe_werkzeug=True, debug=False, log_output=False
)
