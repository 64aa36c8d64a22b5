// The list of conversations, drawn in place from the lobby's word.
import { sayAttribute } from '../texts/index.js';
import { h, icon, keep, sayText, setIcon, shown } from './dom.js';
import { chip, nothing, setChip } from './parts.js';

/** @typedef {import('../platform/types').LobbyState} LobbyState */
/** @typedef {import('../generated').RoomInfo} RoomInfo */

/** How often "opened 3 min ago" is made true again, in ms. */
const REFRESH_MS = 15_000;

/**
 * @param {{ enter: (id: string) => void, inApp: boolean }} options
 */
export function roomList({ enter, inApp }) {
  const noticeWords = h('span', { class: 'notice-line' });
  const notice = h('p', { class: 'inline-notice warning', testid: 'rooms-notice', attributes: { role: 'status' } }, icon('wifi-off'), noticeWords);
  const news = h('p', { class: 'for-readers', attributes: { role: 'status' } });
  const list = h('ul', { class: 'card rows', testid: 'rooms', said: { 'aria-label': 'rooms-title' } });
  const empty = h('div', { class: 'card' });
  const element = h('div', { class: 'room-list' }, notice, list, empty, news);
  /** @type {LobbyState} */
  let lobby = { state: 'connecting', rooms: [], now_ms: 0 };
  let at = Date.now();
  let emptyKey = '';
  /** Who waited when the list was last drawn. @type {Set<string> | null} */
  let waiting = null;

  const draw = () => {
    // The relay's clock, not this device's: a tablet's may be wrong by hours.
    const now = lobby.now_ms + (Date.now() - at);
    const rooms = sorted(lobby.rooms);
    keep(list, rooms, (room) => room.id, (room) => makeRow(room, enter), (row, room) => drawRow(row, room, now, lobby.state === 'lost' ? 'gone' : room === rooms[0] ? 'first' : 'other'));
    shown(list, rooms.length > 0);
    const grave = lobby.problem === 'unreachable' ? undefined : lobby.problem;
    const key = grave ?? (lobby.state === 'lost' ? lostKey(lobby) : lobby.problem ?? lobby.state);
    shown(notice, lobby.state === 'lost' && rooms.length > 0);
    sayText(noticeWords, `rooms-${lostKey(lobby)}`);
    shown(empty, rooms.length === 0);
    const nothingKey = rooms.length ? '' : key;
    if (nothingKey !== emptyKey) empty.replaceChildren(...(nothingKey ? [drawEmpty(nothingKey, inApp)] : []));
    emptyKey = nothingKey;
    const waits = rooms.filter((room) => room.waiting);
    const came = waiting && waits.find((room) => !waiting?.has(room.id));
    if (came) sayText(news, ['room-arrived', { room: came.name }]);
    waiting = lobby.state === 'live' ? new Set(waits.map((room) => room.id)) : waiting;
  };
  draw();
  const timer = setInterval(draw, REFRESH_MS);

  return {
    element,
    /** @param {LobbyState} next */
    draw(next) {
      lobby = next;
      at = Date.now();
      draw();
    },
    destroy: () => clearInterval(timer),
  };
}

/**
 * Why the list isn't true any more: the host said that it ends, this device has no network at all,
 * or nothing more is known than silence.
 * @param {LobbyState} lobby @returns {'ended' | 'offline' | 'lost'}
 */
export function lostKey(lobby) {
  if (lobby.ended) return 'ended';
  return navigator.onLine === false ? 'offline' : 'lost';
}

/** Who waits stands first, then where people are. @param {readonly RoomInfo[]} rooms */
export function sorted(rooms) {
  /** @param {RoomInfo} room */
  const rank = (room) => (room.waiting ? 0 : room.members > 0 ? 1 : 2);
  return [...rooms].sort((a, b) => rank(a) - rank(b) || (rank(a) === 0 ? a.since_ms - b.since_ms : 0)
    || a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/** @param {RoomInfo} room @param {(id: string) => void} enter */
function makeRow(room, enter) {
  return h('li', { class: 'row', testid: 'room-row', attributes: { 'data-room': room.id } },
    h('span', { class: 'row-icon' }, icon(room.kind === 'bed' ? 'bed-double' : 'users-round')),
    h('div', { class: 'row-words' },
      h('span', { class: 'row-title', text: room.name, attributes: { dir: 'auto' } }),
      h('span', { class: 'row-text' })),
    chip('neutral', 'room-empty', 'video', 'room-state'),
    h('button', { class: 'button', testid: 'room-enter', attributes: { type: 'button' }, on: { click: () => enter(room.id) } },
      h('span', { class: 'button-words' })));
}

/**
 * @param {HTMLElement} row @param {RoomInfo} room @param {number} now
 * @param {'first' | 'other' | 'gone'} place `gone`: nobody can enter now
 */
function drawRow(row, room, now, place) {
  const minutes = Math.max(0, Math.floor((now - room.since_ms) / 60_000));
  const [text, state, enter] = /** @type {HTMLElement[]} */ ([
    row.querySelector('.row-text'), row.querySelector('.chip'), row.querySelector('.button'),
  ]);
  setIcon(row, room.kind === 'bed' ? 'bed-double' : 'users-round');
  if (room.waiting) {
    sayText(text, ['room-waiting-text', { count: room.members, minutes }]);
    setChip(state, 'warning', 'room-waiting', 'hourglass');
  } else if (room.members > 0) {
    sayText(text, ['room-open-text', { count: room.members, minutes }]);
    setChip(state, 'accent', 'room-in-call', 'video');
  } else {
    sayText(text, 'room-empty');
  }
  shown(state, room.members > 0);
  // One button stands out: the one of whoever waits longest.
  enter.className = `button ${room.waiting && place === 'first' ? 'primary' : 'plain'}`;
  /** @type {HTMLButtonElement} */ (enter).disabled = place === 'gone';
  const words = enter.querySelector('.button-words');
  if (words) sayText(words, room.members > 0 ? 'enter' : 'open');
  sayAttribute(enter, 'aria-label', room.members > 0 ? 'enter-room' : 'open-room', { room: room.name });
}

/** @param {string} key @param {boolean} inApp */
function drawEmpty(key, inApp) {
  switch (key) {
    case 'connecting': return nothing({ icon: 'wifi', title: 'rooms-connecting', text: 'rooms-connecting-text', late: true });
    case 'live': return nothing({ icon: 'users-round', title: 'rooms-none', text: 'rooms-none-text' });
    case 'none': return nothing({ icon: 'radio-tower', title: 'rooms-no-host', text: 'rooms-no-host-text' });
    case 'ended': return nothing({ icon: 'radio-tower', tone: 'warning', title: 'lobby-ended', text: 'rooms-ended-text', testid: 'error-screen' });
    case 'offline': return nothing({ icon: 'wifi-off', tone: 'warning', title: 'offline-title', text: 'offline-text', testid: 'error-screen' });
    case 'pin_mismatch':
    case 'version': {
      const which = key.replace('_', '-');
      return nothing({ icon: 'shield-alert', tone: 'danger', title: `problem-${which}-title`, text: inApp ? 'rooms-stopped-text' : `problem-${which}-text`, testid: 'error-screen' });
    }
    default: return nothing({
      icon: 'wifi-off', tone: 'warning', title: 'rooms-unreachable', testid: 'error-screen',
      text: inApp ? 'rooms-unreachable-text-app' : 'rooms-unreachable-text',
    });
  }
}
