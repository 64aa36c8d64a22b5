// /Paciente/: one large list of who is waiting, one touch to be in the call. Made for weak hands
// and eyes: no menus, no numbers, no small print.
import { clock, longDate, t } from '../texts/index.js';
import { h, icon, initials, keep, sayText, setIcon, shown } from './dom.js';
import { brand, chip, languageButton, setChip } from './parts.js';
import { lostKey, sorted } from './rooms.js';
import { listSignals } from './signals.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('../platform/types').LobbyState} LobbyState */
/** @typedef {import('../generated').RoomInfo} RoomInfo */

/** How often the time of day is made true again, in ms. */
const CLOCK_MS = 5_000;

/**
 * @param {App} app
 * @returns {import('./app.js').Screen}
 */
export function pacienteScreen(app) {
  const status = chip('neutral', 'lobby-connecting', 'dot', 'lobby-state');
  const time = h('p', { class: 'patient-time' });
  const date = h('p', { class: 'patient-date' });
  const title = h('h1', { class: 'patient-title', t: 'patient-title', attributes: { tabindex: '-1' } });
  const list = h('ul', { class: 'patient-list', attributes: { 'aria-live': 'polite' } });
  const rest = h('div', { class: 'patient-rest', testid: 'patient-rest', attributes: { role: 'status' } },
    h('span', { class: 'patient-rest-icon' }, icon('hand-heart')),
    h('div', { class: 'patient-rest-words' },
      h('h1', { class: 'patient-rest-title', attributes: { tabindex: '-1' } }), h('p', { class: 'patient-rest-text' })));
  const back = () => app.patient();
  const element = h('div', { class: 'page patient' },
    h('header', { class: 'top' }, brand(), h('div', { class: 'top-end' }, status, languageButton())),
    h('main', { class: 'patient-main' },
      h('div', { class: 'patient-clock' }, time, date),
      title, list, rest));

  /** @param {RoomInfo} room */
  const enter = (room) => app.enter(
    { room: { by: 'id', id: room.id }, name: t('patient-name'), role: 'bedside', camera: true, microphone: true }, 'patient', back,
  );
  const tick = () => {
    const now = Date.now();
    sayText(time, ['patient-time', () => ({ time: clock(now) })]);
    sayText(date, ['patient-date', () => ({ date: longDate(now) })]);
  };
  tick();
  const timer = setInterval(tick, CLOCK_MS);

  const signal = listSignals(app.platform.devices);
  const stop = app.platform.lobby((lobby) => {
    signal(lobby);
    // A visit that staff received already is still a visit to this patient.
    const visits = sorted(lobby.rooms.filter((room) => room.waiting || (room.kind === 'bed' && room.members > 0)));
    const reachable = lobby.state === 'live' || (lobby.state === 'lost' && visits.length > 0);
    const some = reachable && visits.length > 0;
    keep(list, reachable ? visits : [], (room) => room.id, (room) => makeRow(room, enter), drawRow);
    element.dataset.visits = some ? (visits.length === 1 ? 'one' : 'some') : 'none';
    shown(list, some);
    shown(title, some);
    shown(rest, !some);
    const word = wordOf(lobby);
    setIcon(rest, word === 'none' || word === 'ended' ? 'hand-heart' : word === 'connecting' ? 'wifi' : 'wifi-off');
    rest.classList.toggle('late', word === 'connecting');
    rest.classList.toggle('warning', word === 'lost' || word === 'offline');
    put(rest, '.patient-rest-title', `patient-${word}`);
    put(rest, '.patient-rest-text', `patient-${word}-text`);
    if (word === 'none') setChip(status, 'good', 'lobby-live');
    else if (word === 'connecting') setChip(status, 'neutral', 'lobby-connecting');
    else setChip(status, 'warning', 'lobby-lost');
  });

  return {
    title: 'entrance-patient',
    element,
    destroy() {
      clearInterval(timer);
      stop();
    },
  };
}

/** What there is to say where nobody waits. @param {LobbyState} lobby @returns {'none' | 'connecting' | 'ended' | 'offline' | 'lost'} */
function wordOf(lobby) {
  if (lobby.state === 'live') return 'none';
  if (lobby.state === 'connecting' && !lobby.problem) return 'connecting';
  return lostKey(lobby);
}

/** @param {Element} parent @param {string} selector @param {string} id */
function put(parent, selector, id) {
  const element = parent.querySelector(selector);
  if (element) sayText(element, id);
}

/** @param {RoomInfo} room @param {(room: RoomInfo) => void} enter */
function makeRow(room, enter) {
  return h('li', {},
    h('button', { class: 'patient-row', testid: 'waiting-row', attributes: { type: 'button', 'data-room': room.id }, on: { click: () => enter(room) } },
      h('span', { class: 'patient-face', attributes: { 'aria-hidden': 'true' } }),
      h('span', { class: 'patient-words' },
        h('span', { class: 'patient-name', attributes: { dir: 'auto' } }),
        h('span', { class: 'patient-state' })),
      h('span', { class: 'patient-enter' }, icon('video'), h('span', { t: 'patient-see' }))));
}

/** @param {HTMLElement} row @param {RoomInfo} room */
function drawRow(row, room) {
  const [press, face, name, state] = /** @type {HTMLElement[]} */ ([
    row.querySelector('.patient-row'), row.querySelector('.patient-face'), row.querySelector('.patient-name'), row.querySelector('.patient-state'),
  ]);
  press.classList.toggle('waiting', room.waiting);
  face.textContent = Array.from(initials(room.name))[0] ?? '';
  name.textContent = room.name;
  sayText(state, room.waiting ? 'patient-waits' : 'patient-talks');
}
