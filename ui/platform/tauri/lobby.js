// The live list of rooms, over a WebSocket that Rust opens: only Rust can check the host's pin.

import { connect, invoke } from './ipc.js';

/** @typedef {import('../types').LobbyState} LobbyState */
/** @typedef {import('./ipc.js').Socket} Socket */
/** @typedef {import('./ipc.js').SocketMessage} SocketMessage */
/** @typedef {{ url: string, lobby: string, fingerprint: string, ward: string }} Relay */
/** @typedef {import('./live.js').Live<Relay | null>} LiveRelay */

/** Milliseconds between pings. The lobby only speaks when something changes. */
const PING = 4000;
/** Milliseconds of silence after which the host is taken for lost: two pings unanswered. */
const SILENCE = 9000;
/** The close code of a host that ends its service (RFC 6455: going away). */
const GOING_AWAY = 1001;
/** Milliseconds before the first new attempt; doubles up to the last. */
const RETRY = [500, 1000, 2000, 4000];

export class Lobby {
  /** @param {LiveRelay} relay  which relay is in use */
  constructor(relay) {
    /** @type {Set<(lobby: LobbyState) => void>} */
    this._listeners = new Set();
    /** @type {Relay | null} */
    this._relay = null;
    /** @type {LobbyState} */
    this._state = { state: 'none', rooms: [], now_ms: Date.now() };
    this._paused = false;
    this._attempts = 0;
    /** @type {Connection | null} */
    this._connection = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._retry = undefined;
    this._live = relay;
    /** @type {(() => void) | null} */
    this._unwatch = null;
  }

  /**
   * @param {(lobby: LobbyState) => void} on
   * @returns {() => void} ends it
   */
  watch(on) {
    this._listeners.add(on);
    on(this._state);
    if (!this._unwatch) this._unwatch = this._live.watch((relay) => this._use(relay));
    this._update();
    return () => {
      this._listeners.delete(on);
      this._update();
    };
  }

  /** Ends the subscription: a call begins. */
  pause() {
    this._paused = true;
    this._update();
  }

  /** The call is over. */
  resume() {
    this._paused = false;
    this._update();
  }

  /** @param {Relay | null} relay */
  _use(relay) {
    if (relay?.url === this._relay?.url && relay?.fingerprint === this._relay?.fingerprint) return;
    this._close();
    this._relay = relay;
    this._tell({ state: relay ? 'connecting' : 'none', rooms: [], now_ms: Date.now() });
    this._update();
  }

  /** Opens or closes the subscription, as is wanted now. */
  _update() {
    const wanted = this._relay !== null && !this._paused && this._listeners.size > 0;
    if (!wanted) this._close();
    else if (!this._connection && this._retry === undefined) this._open();
  }

  _open() {
    const relay = /** @type {Relay} */ (this._relay);
    const connection = new Connection(relay.lobby, {
      rooms: (rooms, now_ms) => {
        this._attempts = 0;
        this._tell({ state: 'live', rooms, now_ms });
      },
      lost: (ended) => this._lost(connection, ended),
    });
    this._connection = connection;
  }

  /** @param {Connection} connection @param {boolean} ended  the host said so */
  async _lost(connection, ended) {
    if (this._connection !== connection) return;
    this._connection = null;
    const pause = RETRY[Math.min(this._attempts, RETRY.length - 1)];
    this._attempts += 1;
    this._retry = setTimeout(() => {
      this._retry = undefined;
      this._update();
    }, pause);
    const { rooms, now_ms, state, ended: before } = this._state;
    const over = ended || (state === 'lost' && before === true);
    const problem = await invoke('relay_problem').catch(() => 'unreachable');
    if (this._connection === null && this._retry !== undefined) {
      this._tell({ state: 'lost', rooms, now_ms, ...(problem ? { problem } : {}), ...(over ? { ended: true } : {}) });
    }
  }

  _close() {
    clearTimeout(this._retry);
    this._retry = undefined;
    this._attempts = 0;
    this._connection?.close();
    this._connection = null;
  }

  /** @param {LobbyState} state */
  _tell(state) {
    this._state = state;
    for (const on of [...this._listeners]) on(state);
  }
}

/** One subscription, until it is lost or closed. */
class Connection {
  /**
   * @param {string} url
   * @param {{ rooms: (rooms: import('../../generated').RoomInfo[], now_ms: number) => void, lost: (ended: boolean) => void }} events
   */
  constructor(url, events) {
    this._events = events;
    this._over = false;
    this._heard = Date.now();
    /** @type {Socket | null} */
    this._socket = null;
    this._pinging = setInterval(() => this._ping(), PING);
    connect(url, (message) => this._message(message)).then((socket) => this._opened(socket), () => this._end());
  }

  close() {
    if (this._over) return;
    this._over = true;
    clearInterval(this._pinging);
    this._socket?.close().catch(() => {});
  }

  /** @param {Socket} socket */
  _opened(socket) {
    this._socket = socket;
    if (this._over) socket.close().catch(() => {});
  }

  /** @param {SocketMessage} message */
  _message(message) {
    if (this._over) return;
    this._heard = Date.now();
    // An error's text, or the end.
    if (typeof message === 'string' || message === null) return this._end();
    if (message.type === 'Close') return this._end(message.data?.code === GOING_AWAY);
    if (message.type !== 'Text') return;
    try {
      const said = JSON.parse(message.data);
      if (said.type === 'rooms') this._events.rooms(said.rooms, said.now_ms);
    } catch (error) {
      console.error('lobby', error);
    }
  }

  _ping() {
    if (Date.now() - this._heard > SILENCE) return this._end();
    this._socket?.ping().catch(() => this._end());
  }

  /** @param {boolean} [ended]  the host said so */
  _end(ended = false) {
    if (this._over) return;
    this.close();
    this._events.lost(ended);
  }
}
