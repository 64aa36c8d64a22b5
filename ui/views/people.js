// Who is in the call, with whole names and how each one is connected: what a small tile can't say.
import { h, icon, keep, sayText, setIcon, shown } from './dom.js';
import { stateWords } from './tiles.js';

/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('../platform/types').MemberId} MemberId */

/** @param {{ close: () => void }} options */
export function createPeople({ close }) {
  const list = h('ul', { class: 'people', attributes: { tabindex: '0' }, said: { 'aria-label': 'people-title' } });
  const element = h('aside', { class: 'panel people-panel', testid: 'people', attributes: { 'aria-labelledby': 'people-title' } },
    h('header', { class: 'panel-head' },
      h('h2', { class: 'panel-title', t: 'people-title', attributes: { id: 'people-title' } }),
      h('button', { class: 'icon-button', testid: 'people-close', attributes: { type: 'button' }, said: { 'aria-label': 'people-close' }, on: { click: close } }, icon('x'))),
    list);
  return {
    element,
    /** @param {State} state */
    draw(state) {
      const all = state.you === null ? [...state.order] : [state.you, ...state.order];
      keep(list, all, String, (id) => makeRow(id === state.you), (row, id) => drawRow(row, state, id));
    },
    opened: () => list.focus({ preventScroll: true }),
  };
}

/** @param {boolean} own */
function makeRow(own) {
  return h('li', { class: 'people-row', testid: 'person' },
    h('p', { class: 'people-name' }, h('bdi', { class: 'people-name-words' }), own && h('span', { class: 'people-you', t: 'people-you' })),
    h('p', { class: 'people-state' }, icon('wifi'), h('span', { class: 'people-state-words' })),
    h('p', { class: 'people-picture' }, icon('video'), h('span', { class: 'people-picture-words' })));
}

/** @param {HTMLElement} row @param {State} state @param {MemberId} id */
function drawRow(row, state, id) {
  const [name, line, words, picture, says] = /** @type {HTMLElement[]} */ ([
    row.querySelector('.people-name-words'), row.querySelector('.people-state'), row.querySelector('.people-state-words'),
    row.querySelector('.people-picture'), row.querySelector('.people-picture-words'),
  ]);
  const known = state.members[id]?.name ?? '';
  if (name.textContent !== known) name.textContent = known;
  const own = id === state.you;
  const lost = own ? state.connection === 'reconnecting' : state.members[id]?.connection === 'reconnecting';
  row.classList.toggle('lost', lost);
  setIcon(line, lost ? 'wifi-off' : 'wifi');
  sayText(words, lost ? 'call-reconnecting' : 'call-connected');
  const on = state.camera === 'on' || state.camera === 'starting';
  const shows = own ? /** @type {const} */ ({ text: on ? 'tile-moving' : 'tile-camera-off', icon: on ? 'video' : 'video-off' }) : stateWords(state, id);
  // A lost connection says all; the picture that was there says nothing more.
  shown(picture, !lost);
  setIcon(picture, shows.icon);
  sayText(says, shows.text);
}
