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
  const notice = h('p', { class: 'inline-notice warning', attributes: { role: 'status' } },
    icon('wifi-off'), h('span', { t: 'rooms-lost' }));
  const list = h('ul', { class: 'card rows', testid: 'rooms', said: { 'aria-label': 'rooms-title' } });
  const empty = h('div', { class: 'card' });
  const element = h('div', { class: 'room-list' }, notice, list, empty);
  /** @type {LobbyState} */
  let lobby = { state: 'connecting', rooms: [], now_ms: 0 };
  let at = Date.now();
  let emptyKey = '';

  const draw = () => {
    // The relay's clock, not this device's: a tablet's may be wrong by hours.
    const now = lobby.now_ms + (Date.now() - at);
    keep(list, sorted(lobby.rooms), (room) => room.id, (room) => makeRow(room, enter), (row, room) => drawRow(row, room, now));
    shown(list, lobby.rooms.length > 0);
    shown(notice, lobby.state === 'lost' && lobby.rooms.length > 0);
    shown(empty, lobby.rooms.length === 0);
    const key = lobby.rooms.length ? '' : lobby.problem ?? lobby.state;
    if (key !== emptyKey) empty.replaceChildren(...(key ? [drawEmpty(key, inApp)] : []));
    emptyKey = key;
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
    chip('neutral', 'room-empty', '', 'room-state'),
    h('button', { class: 'button', testid: 'room-enter', attributes: { type: 'button' }, on: { click: () => enter(room.id) } },
      h('span', { class: 'button-words' })));
}

/** @param {HTMLElement} row @param {RoomInfo} room @param {number} now */
function drawRow(row, room, now) {
  const minutes = Math.max(0, Math.floor((now - room.since_ms) / 60_000));
  const [text, state, enter] = /** @type {HTMLElement[]} */ ([
    row.querySelector('.row-text'), row.querySelector('.chip'), row.querySelector('.button'),
  ]);
  setIcon(row, room.kind === 'bed' ? 'bed-double' : 'users-round');
  if (room.waiting) {
    sayText(text, ['room-waiting-text', { count: room.members, minutes }]);
    setChip(state, 'warning', 'room-waiting');
  } else if (room.members > 0) {
    sayText(text, ['room-open-text', { count: room.members, minutes }]);
    setChip(state, 'accent', 'room-in-call');
  } else {
    sayText(text, 'room-empty');
  }
  shown(state, room.members > 0);
  enter.className = `button ${room.waiting ? 'primary' : 'plain'}`;
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
