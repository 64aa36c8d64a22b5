// The relay's list of rooms, live, for as long as somebody looks at it.

import { ControlError, parseLobby } from '../../protocol/control.js';
import { BackOff } from './back-off.js';
import { Rooms } from './rooms.js';

/** @typedef {import('../types').LobbyState} LobbyState */
/** @typedef {import('../../generated').LobbyMessage} LobbyMessage */

/** Milliseconds from opening the socket to the first list. */
const HANDSHAKE = 5000;
/** The same for a WebSocket where none opened yet, before the list is asked for by plain requests. */
const OPENING = 3000;
/** The close code of a host that ends its service (RFC 6455: going away). */
const GOING_AWAY = 1001;
/** Milliseconds between looks whether a silent relay is still there: the list only speaks on a change. */
const CHECK = 10_000;

/**
 * Calls `on` with the list and each change of it, until the returned function is called.
 * @param {{ ws: string, https: string, health: string }} urls  the lobby's socket, the list for those who
 *   get none, and what answers while the relay is there
 * @param {import('./ways.js').Ways} ways
 * @param {(lobby: LobbyState) => void} on
 * @returns {() => void}
 */
export function lobby(urls, ways, on) {
  /** @type {LobbyState} */
  let state = { state: 'connecting', rooms: [], now_ms: 0 };
  /** @type {WebSocket | Rooms | null} */
  let socket = null;
  let told = false;
  /** @type {import('./ways.js').Way} */
  let way = 'ws';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let heard = 0;
  const backOff = new BackOff();

  /** @param {LobbyState} next */
  const enter = (next) => {
    state = next;
    on(state);
  };
  const forget = () => {
    clearTimeout(timer);
    const old = socket;
    socket = null;
    if (!old) return;
    old.onmessage = old.onclose = null;
    old.close();
  };
  /** @param {boolean} [ended]  the host said so */
  const lost = (ended = false) => {
    const other = !told && ways.failed(way);
    forget();
    if (state.state !== 'lost') enter({ ...state, state: 'lost', ...(ended ? { ended } : {}) });
    timer = setTimeout(connect, other ? 0 : backOff.next());
  };
  const connect = () => {
    forget();
    way = ways.next;
    const mine = way === 'ws' ? new WebSocket(urls.ws) : new Rooms(urls.https);
    socket = mine;
    told = false;
    timer = setTimeout(() => lost(), way === 'ws' && ways.doubtful ? OPENING : HANDSHAKE);
    mine.onmessage = (/** @type {{ data: string }} */ { data }) => {
      /** @type {LobbyMessage} */
      let message;
      try {
        message = parseLobby(data);
      } catch (error) {
        if (error instanceof ControlError) return;
        throw error;
      }
      if (message.type !== 'rooms') return;
      clearTimeout(timer);
      heard = performance.now();
      told = true;
      ways.worked(way);
      backOff.reset();
      enter({ state: 'live', rooms: message.rooms, now_ms: message.now_ms });
    };
    mine.onclose = (/** @type {{ code: number }} */ { code }) => lost(code === GOING_AWAY);
  };
  const check = async () => {
    if (state.state !== 'live' || document.hidden || performance.now() - heard < CHECK) return;
    const mine = socket;
    const answered = await answers(urls.health);
    if (!answered && socket === mine && mine) lost();
  };
  const hurry = () => {
    if (document.hidden) return;
    if (state.state === 'live') check();
    else connect();
  };
  const hide = () => forget();
  const show = (/** @type {PageTransitionEvent} */ event) => {
    if (event.persisted) connect();
  };

  const checking = setInterval(check, CHECK);
  document.addEventListener('visibilitychange', hurry);
  addEventListener('online', hurry);
  addEventListener('pagehide', hide);
  addEventListener('pageshow', show);
  on(state);
  connect();
  return () => {
    clearInterval(checking);
    document.removeEventListener('visibilitychange', hurry);
    removeEventListener('online', hurry);
    removeEventListener('pagehide', hide);
    removeEventListener('pageshow', show);
    forget();
  };
}

/** @param {string} health */
async function answers(health) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), HANDSHAKE);
  try {
    return (await fetch(health, { cache: 'no-store', credentials: 'omit', signal: patience.signal })).ok;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
