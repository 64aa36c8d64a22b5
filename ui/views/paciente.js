// /Paciente/: one large list of who is waiting, one touch to be in the call. Made for weak hands
// and eyes: no menus, no numbers, no small print.
import { t } from '../texts/index.js';
import { h, icon, keep, sayText, setIcon, shown } from './dom.js';
import { brand, chip, languageButton, setChip } from './parts.js';
import { sorted } from './rooms.js';

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
  const rest = h('div', { class: 'patient-rest', attributes: { role: 'status' } },
    h('span', { class: 'badge big neutral' }, icon('hand-heart')),
    h('h1', { class: 'patient-rest-title', attributes: { tabindex: '-1' } }), h('p', { class: 'patient-rest-text' }));
  const back = () => app.home();
  const element = h('div', { class: 'page patient' },
    h('header', { class: 'top' }, brand(), h('div', { class: 'top-end' }, status, languageButton())),
    h('main', { class: 'patient-main' },
      h('div', { class: 'patient-clock' }, time, date),
      title, list, rest));

  /** @param {RoomInfo} room */
  const enter = (room) => app.enter(
    { room: { by: 'id', id: room.id }, name: t('patient-name'), role: 'bedside', camera: true }, 'patient', back,
  );
  const tick = () => {
    const now = new Date();
    sayText(time, ['patient-time', { time: `${now.getHours()}:${String(now.getMinutes()).padStart(2, '0')}` }]);
    sayText(date, ['patient-date', () => ({
      date: now.toLocaleDateString(document.documentElement.lang, { weekday: 'long', day: 'numeric', month: 'long' }),
    })]);
  };
  tick();
  const timer = setInterval(tick, CLOCK_MS);

  const stop = app.platform.lobby((lobby) => {
    // A visit that staff received already is still a visit to this patient.
    const visits = sorted(lobby.rooms.filter((room) => room.waiting || (room.kind === 'bed' && room.members > 0)));
    const reachable = lobby.state === 'live' || (lobby.state === 'lost' && visits.length > 0);
    keep(list, reachable ? visits : [], (room) => room.id, (room) => makeRow(room, enter), drawRow);
    shown(list, reachable && visits.length > 0);
    element.dataset.visits = String(reachable && visits.length > 0);
    shown(title, reachable && visits.length > 0);
    shown(rest, !reachable || visits.length === 0);
    const word = lobby.state === 'live' ? 'none' : lobby.state === 'connecting' && !lobby.problem ? 'connecting' : 'lost';
    setIcon(rest, word === 'none' ? 'hand-heart' : 'wifi-off');
    rest.classList.toggle('late', word === 'connecting');
    say(rest, '.patient-rest-title', `patient-${word}`);
    say(rest, '.patient-rest-text', `patient-${word}-text`);
    if (lobby.state === 'live') setChip(status, 'good', 'lobby-live');
    else setChip(status, word === 'lost' ? 'warning' : 'neutral', word === 'lost' ? 'lobby-lost' : 'lobby-connecting');
  });

  return {
    element,
    destroy() {
      clearInterval(timer);
      stop();
    },
  };
}

/** @param {Element} parent @param {string} selector @param {string} id */
function say(parent, selector, id) {
  const element = parent.querySelector(selector);
  if (element) sayText(element, id);
}

/** @param {RoomInfo} room @param {(room: RoomInfo) => void} enter */
function makeRow(room, enter) {
  return h('li', {},
    h('button', { class: 'patient-row', testid: 'waiting-row', attributes: { type: 'button', 'data-room': room.id }, on: { click: () => enter(room) } },
      h('span', { class: 'patient-face', attributes: { 'aria-hidden': 'true' } }, icon('hand-heart')),
      h('span', { class: 'patient-words' },
        h('span', { class: 'patient-name', attributes: { dir: 'auto' } }),
        h('span', { class: 'patient-state' })),
      h('span', { class: 'patient-enter' }, icon('video'), h('span', { t: 'patient-see' }))));
}

/** @param {HTMLElement} row @param {RoomInfo} room */
function drawRow(row, room) {
  const [press, name, state] = /** @type {HTMLElement[]} */ ([
    row.querySelector('.patient-row'), row.querySelector('.patient-name'), row.querySelector('.patient-state'),
  ]);
  press.classList.toggle('waiting', room.waiting);
  name.textContent = room.name;
  sayText(state, room.waiting ? 'patient-waits' : 'patient-talks');
}
