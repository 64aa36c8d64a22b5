// One session with the relay over one connection at a time: a WebSocket or, where those are refused,
// plain requests, and the lane's channel once there is one. Reconnects and resumes by itself; gives up
// after the grace time.

import { ControlError, parseRelay } from '../../protocol/control.js';
import { Pulse } from '../../protocol/pulse.js';
import { Session, SessionError } from '../../protocol/session.js';
import { BackOff } from './back-off.js';
import { HttpsSocket } from './https.js';
import { Outbox } from './outbox.js';
import { ChannelSocket } from './rtc/channel.js';

/** @typedef {import('../../generated').ClientMessage} ClientMessage */
/** @typedef {import('../../generated').ClientPacket} ClientPacket */
/** @typedef {import('../../generated').RelayMessage} RelayMessage */
/** @typedef {import('../../generated').RelayPacket} RelayPacket */
/** @typedef {import('../../generated').Welcome} Welcome */
/** @typedef {import('../../generated').Code} Code */
/** @typedef {import('../../protocol/frame.js').Header} Header */

/** The protocol versions spoken here. */
const VERSIONS = [1];
/** Milliseconds from opening a socket to the relay's welcome. */
const HANDSHAKE = 5000;
/** Milliseconds for a WebSocket to open where none did yet, before plain requests are tried. */
const OPENING = 3000;
/** Milliseconds of trying before the first welcome: somebody is watching the button. */
const FIRST_CONTACT = 10_000;
/** Milliseconds of trying to resume, at least. */
const RESUME = 30_000;
/** Milliseconds after which messages that came are acknowledged without one to send. */
const ACK_DELAY = 200;
/** Milliseconds between pings while frames go out, at most. */
const PROBE = 1000;
/**
 * Milliseconds that a ping may stay unanswered, beyond the fastest so far, until the line counts
 * as full: systems buffer megabytes below the socket's own buffer, and this shows them.
 */
const FULL = 600;
/** Milliseconds without a beat after which this page was asleep: four beats. */
const ASLEEP = 2000;
/** Milliseconds between looks at a socket's buffer while something waits: there is no event. */
const DRAIN = 4;
/** What a relay takes that hasn't said it yet, in bytes. */
const DEFAULT_MAX_PACKET = 64 * 1024;
/** The close code of a connection given up in a session that goes on. */
const BROKEN = 4000;
/** Refusals that another attempt a little later can overcome. */
const PASSING = new Set(['timeout', 'internal', 'rate_limited', 'busy']);

/**
 * @typedef {object} Events
 * @property {(state: 'connected' | 'reconnecting' | 'ended', code?: Code | 'unreachable') => void} state
 *   how the session is; nothing follows 'ended'
 * @property {(frames: boolean) => void} carries  whether frames can go over this connection, before it is
 *   told to be connected; until it is said they can
 * @property {(message: RelayMessage) => void} message  each message of the relay's, once
 * @property {(message: Uint8Array) => void} media  a media message's bytes
 */

export class Carrier {
  /**
   * Opens at once.
   * @param {{ ws: string, https: string }} urls  the relay's addresses of both ways
   * @param {import('./ways.js').Ways} ways
   * @param {Events} events
   */
  constructor(urls, ways, events) {
    this._urls = urls;
    this._ways = ways;
    /** @type {import('./ways.js').Way | 'channel'} */
    this._way = 'ws';
    this._events = events;
    /** @type {Session<ClientMessage>} */
    this._session = new Session();
    /** @type {Welcome | null} */
    this._welcome = null;
    /** @type {WebSocket | HttpsSocket | ChannelSocket | null} */
    this._socket = null;
    /** What the session moves to, until it answers. @type {ChannelSocket | null} */
    this._next = null;
    this._open = false;
    /** Whether frames can go over the connection. */
    this._frames = true;
    this._pulse = new Pulse(Infinity);
    this._ended = false;
    /** Whether the relay said that it ends. */
    this._closing = false;
    this._backOff = new BackOff();
    this._since = performance.now();
    this._heard = this._since;
    this._beaten = this._since;
    /** Whether the relay's silence was put down to this page's sleep. */
    this._doubted = false;
    this._pinged = this._since;
    this._pings = 0;
    /** Pings that weren't answered yet, oldest first; few, since silence ends the connection. @type {{ id: number, at: number }[]} */
    this._probes = [];
    /** The fastest answer to a ping, milliseconds. */
    this._fastest = Infinity;
    /** The last answer to a ping, milliseconds. @type {number | null} */
    this.roundTrip = null;
    /** Bytes that came and went. */
    this.got = 0;
    this.sent = 0;
    this._framed = -Infinity;
    this._ackedAt = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._retry = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._ackTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._drain = undefined;
    this.outbox = new Outbox(DEFAULT_MAX_PACKET);
    this._connect();
  }

  /** What proves the session, once there is one. @returns {{ session: string, secret: string, webrtc?: boolean } | null} */
  get identity() {
    return this._welcome;
  }

  /** Whether the session is on a connection that is heard. */
  get connected() {
    return this._open && !this._pulse.quiet;
  }

  /** What the session is on, or is tried with. */
  get way() {
    return this._way;
  }

  /**
   * Sends a message, now or after the resume. Answers its number; `null` if too many wait.
   * @param {ClientMessage} body
   * @returns {number | null}
   */
  send(body) {
    try {
      const n = this._session.send(body);
      if (this._open) this._message(n, body);
      return n;
    } catch (error) {
      if (error instanceof SessionError) return null;
      throw error;
    }
  }

  /**
   * Sends an encoded frame, as soon as the line takes it.
   * @param {Header} header
   * @param {Uint8Array} payload
   * @returns {'taken' | 'congested'}  'congested': the line doesn't keep up, send less
   */
  frame(header, payload) {
    if (!this._open || !this._frames) return 'congested';
    this._framed = performance.now();
    const taken = this.outbox.push(this._framed, header, payload);
    this._pump();
    return taken;
  }

  /**
   * Sends an encoded frame of sound, before all pictures.
   * @param {Header} header
   * @param {Uint8Array} payload
   * @returns {'taken' | 'congested'}
   */
  sound(header, payload) {
    if (!this._open || !this._frames) return 'taken';
    const now = performance.now();
    this._framed = now;
    const taken = this.outbox.sound(now, header, payload);
    this._pump();
    return taken;
  }

  /** To be called every now and then: heartbeat, and whether the relay is still there. */
  beat() {
    const now = performance.now();
    const late = now - this._beaten;
    this._beaten = now;
    if (!this._open) return;
    const { every, quietAfter, brokenAfter } = this._pulse;
    const slept = late > ASLEEP;
    if (slept && !this._doubted) {
      // What came while this page slept waits in the browser: ask, and look again, once.
      this._doubted = true;
      this._heard = Math.max(this._heard, now - brokenAfter + quietAfter);
    } else {
      this._turn(now);
    }
    if (!this._open) return;
    const pause = now - this._framed < PROBE ? Math.min(PROBE, every) : every;
    if (now - this._pinged >= pause || slept) {
      this._pinged = now;
      this._pings = (this._pings + 1) >>> 0;
      this._probes.push({ id: this._pings, at: now });
      this._packet({ type: 'ping', id: this._pings });
    }
  }

  /** @param {number} now */
  _turn(now) {
    // Pings wait behind what still waits to go out: then only the second limit says anything.
    if (this._behind && !this._pulse.quiet && now - this._heard < this._pulse.brokenAfter) return undefined;
    switch (this._pulse.turn(now, this._heard)) {
      case 'quiet': return this._events.state('reconnecting');
      case 'back': return this._events.state('connected');
      case 'broken': return this._broken();
      default: return undefined;
    }
  }

  /** Whether anything waits to go out. */
  get _behind() {
    return this.outbox.length > 0 || (this._socket?.bufferedAmount ?? 0) > 0;
  }

  /** Something came. */
  _life() {
    this._heard = performance.now();
    this._doubted = false;
    if (this._open && this._pulse.quiet) this._turn(this._heard);
  }

  /** Whether what was sent last is still far from the relay. */
  get full() {
    if (this._probes.length === 0) return false;
    const fastest = this._fastest === Infinity ? 0 : this._fastest;
    return performance.now() - this._probes[0].at > fastest + FULL;
  }

  /** The network may be back: no more waiting before the next attempt. */
  hurry() {
    this.beat();
    // What it was on may be gone with the network before.
    if (this._open && this._pulse.quiet) this._broken();
    if (this._ended || this._socket || this._next) return;
    clearTimeout(this._retry);
    this._connect();
  }

  /** Ends the session: the relay is told, nothing more is said to the page. */
  close() {
    if (this._ended) return;
    this._ended = true;
    this._forget(1000);
  }

  /**
   * Goes on over this, once the relay answers there; until then, and if it doesn't, over what there is.
   * @param {ChannelSocket} socket
   */
  move(socket) {
    if (!this._open || this._ended || this._next) return socket.close(BROKEN);
    this._next = socket;
    const give = () => {
      clearTimeout(handshake);
      if (this._next !== socket) return;
      this._next = null;
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(BROKEN);
      // The relay had taken it already.
      if (!this._socket) this._broken();
    };
    const handshake = setTimeout(give, HANDSHAKE);
    socket.onclose = give;
    socket.onmessage = ({ data }) => {
      const packet = typeof data === 'string' ? this._read(data) : null;
      if (packet?.type !== 'welcome') return give();
      clearTimeout(handshake);
      this._next = null;
      // Without a word: the relay ends what was replaced.
      this._drop();
      this._listen(socket);
      this._socket = socket;
      this._way = 'channel';
      this._life();
      return this._take(packet);
    };
    return socket.send(JSON.stringify(this._hello()));
  }

  /** Lets a connection go that was replaced. */
  _drop() {
    const socket = this._socket;
    this._socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(BROKEN);
  }

  /** @returns {ClientPacket} */
  _hello() {
    const resume = this._welcome && {
      session: this._welcome.session,
      secret: this._welcome.secret,
      received: this._session.received,
    };
    return resume ? { type: 'hello', versions: VERSIONS, resume } : { type: 'hello', versions: VERSIONS };
  }

  _connect() {
    const way = this._ways.next;
    this._way = way;
    const socket = way === 'ws' ? new WebSocket(this._urls.ws) : new HttpsSocket(this._urls.https);
    if (socket instanceof WebSocket) socket.binaryType = 'arraybuffer';
    else socket.onlife = () => this._life();
    this._socket = socket;
    const late = () => {
      if (this._socket === socket) this._broken();
    };
    let handshake = setTimeout(late, way === 'ws' && this._ways.doubtful ? OPENING : HANDSHAKE);
    socket.onopen = () => {
      clearTimeout(handshake);
      handshake = setTimeout(late, HANDSHAKE);
      this._packet(this._hello());
    };
    this._listen(socket, () => clearTimeout(handshake));
  }

  /**
   * @param {WebSocket | HttpsSocket | ChannelSocket} socket
   * @param {() => void} [answered]  it is welcome, or closed
   */
  _listen(socket, answered = () => {}) {
    socket.onmessage = (/** @type {{ data: unknown }} */ { data }) => {
      this._life();
      this.got += typeof data === 'string' ? data.length : /** @type {ArrayBuffer} */ (data).byteLength;
      if (typeof data !== 'string') {
        if (this._open && data instanceof ArrayBuffer) this._events.media(new Uint8Array(data));
        return;
      }
      const packet = this._read(data);
      if (!packet) return;
      if (packet.type === 'welcome') answered();
      this._take(packet);
    };
    socket.onclose = () => {
      answered();
      if (this._socket === socket) this._broken();
    };
  }

  /**
   * What the relay says; `null` when there is nothing to do about it.
   * @param {string} source
   * @returns {RelayPacket | null}
   */
  _read(source) {
    try {
      return parseRelay(source);
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      // A message that can't be read was received all the same.
      if (error.numbered) {
        const [n, ack] = error.numbered;
        return { type: 'message', n, ack, body: { type: 'unknown' } };
      }
      if (error.code === 'malformed') this._broken();
      return null;
    }
  }

  /** @param {RelayPacket} packet */
  _take(packet) {
    try {
      switch (packet.type) {
        case 'welcome': return this._welcomed(packet);
        case 'refused': return this._refused(packet.code);
        case 'ack': return this._session.acked(packet.ack);
        case 'pong': return this._answered(packet.id);
        case 'message':
          if (this._session.accept(packet.n, packet.ack) === 'new') {
            this._closing ||= packet.body.type === 'closing';
            this._events.message(packet.body);
          }
          this._ackTimer ??= setTimeout(() => this._acknowledge(), ACK_DELAY);
          return undefined;
        default: return undefined;
      }
    } catch (error) {
      // The numbers don't fit: the session can't be trusted to be whole.
      if (error instanceof SessionError) return this._end(error.problem === 'forgotten' ? 'session_gone' : 'out_of_turn');
      throw error;
    }
  }

  /** @param {Welcome} welcome */
  _welcomed(welcome) {
    const again = this._session.resume(welcome.received);
    this._welcome = welcome;
    this._open = true;
    if (this._way !== 'channel') this._ways.worked(this._way);
    this._pulse = new Pulse(welcome.heartbeat_ms);
    this._backOff.reset();
    this._pinged = this._heard;
    const outbox = new Outbox(welcome.max_packet);
    outbox.dropped = this.outbox.dropped;
    this.outbox = outbox;
    for (const { n, body } of again) this._message(n, body);
    // After what was said before: numbers go in order.
    const frames = this._way === 'ws';
    if (frames !== this._frames) {
      this._frames = frames;
      this._events.carries(frames);
    }
    this._events.state('connected');
  }

  /** @param {number} id */
  _answered(id) {
    const at = this._probes.findIndex((probe) => probe.id === id);
    if (at === -1) return;
    this.roundTrip = performance.now() - this._probes[at].at;
    this._fastest = Math.min(this._fastest, this.roundTrip);
    this._probes.splice(0, at + 1);
    this._pump();
  }

  /** @param {Code} code */
  _refused(code) {
    if (code === 'replaced' && this._next) this._drop();
    else if (this._welcome && PASSING.has(code)) this._broken();
    else this._end(code);
  }

  /** The connection is gone; the session may go on. */
  _broken() {
    if (this._ended) return;
    // It said goodbye: there is nothing to come back to.
    if (this._closing) return this._end('shutting_down');
    const now = performance.now();
    let other = false;
    if (this._open) {
      this._since = now;
      if (!this._pulse.quiet) this._events.state('reconnecting');
    } else {
      other = this._way !== 'channel' && this._ways.failed(this._way);
    }
    this._forget(BROKEN);
    const patience = this._welcome ? Math.max(RESUME, this._welcome.grace_ms) : FIRST_CONTACT;
    const pause = other ? 0 : this._backOff.next();
    if (now + pause - this._since > patience) return this._end('unreachable');
    this._retry = setTimeout(() => this._connect(), pause);
  }

  /** @param {Code | 'unreachable'} code */
  _end(code) {
    if (this._ended) return;
    this._ended = true;
    this._forget(1000);
    this._events.state('ended', code);
  }

  /**
   * Lets the socket go. Only a normal close says that the member leaves.
   * @param {number} code
   */
  _forget(code) {
    clearTimeout(this._retry);
    clearTimeout(this._ackTimer);
    clearTimeout(this._drain);
    this._ackTimer = undefined;
    this._drain = undefined;
    this._open = false;
    this._probes = [];
    this._fastest = Infinity;
    this.roundTrip = null;
    this.outbox.clear();
    const next = this._next;
    this._next = null;
    next?.close(BROKEN);
    const socket = this._socket;
    this._socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (!(socket instanceof ChannelSocket)) return void socket.close(code);
    const { session, secret } = this._welcome ?? {};
    socket.close(code, JSON.stringify({ session, secret }));
  }

  _acknowledge() {
    clearTimeout(this._ackTimer);
    this._ackTimer = undefined;
    if (this._open && this._ackedAt < this._session.received) {
      this._ackedAt = this._session.received;
      this._packet({ type: 'ack', ack: this._ackedAt });
    }
  }

  /**
   * @param {number} n
   * @param {ClientMessage} body
   */
  _message(n, body) {
    this._ackedAt = this._session.received;
    this._packet({ type: 'message', n, ack: this._ackedAt, body });
  }

  /** @param {ClientPacket} packet */
  _packet(packet) {
    if (this._socket?.readyState !== WebSocket.OPEN) return;
    const text = JSON.stringify(packet);
    this.sent += text.length;
    this._socket.send(text);
  }

  _pump() {
    this._drain = undefined;
    const socket = this._socket;
    if (!(socket instanceof WebSocket) || !this._open) return;
    const { full } = this;
    for (;;) {
      const message = this.outbox.next(socket.bufferedAmount, full);
      if (!message) break;
      this.sent += message.byteLength;
      socket.send(message);
    }
    if (this.outbox.length > 0 && !full) this._drain ??= setTimeout(() => this._pump(), DRAIN);
  }
}
