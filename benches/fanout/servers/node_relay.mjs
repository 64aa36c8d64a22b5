/**
 * Seed 1's protocol on seed 2's platform: Node and Socket.IO. A picture comes in as `send_video`
 * and goes to everybody else as `receive_video`, as Base64 text or as binary, whichever the
 * client sends. A comparison for benches/fanout, never part of the product.
 *
 *   node_relay.mjs PORT
 */
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { maxHttpBufferSize: 1 << 20, serveClient: false });
io.on('connection', (socket) => {
    socket.broadcast.emit('user_connected', { id: socket.id });
    socket.on('send_video', (data) => {
        socket.broadcast.emit('receive_video', { id: socket.id, frame: data.frame });
    });
    socket.on('disconnect', () => {
        socket.broadcast.emit('user_disconnected', { id: socket.id });
    });
});
http.listen(Number(process.argv[2]), '127.0.0.1');
