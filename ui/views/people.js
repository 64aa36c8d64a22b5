// Who is in the call, with whole names and how each one is connected: what a small tile can't say.
import { hasMicrophone, isOpen, speakerOf } from '../call/sound.js';
import { sayAttribute } from '../texts/index.js';
import { h, icon, keep, sayText, setIcon, shown } from './dom.js';
import { stateWords } from './tiles.js';

/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('../platform/types').MemberId} MemberId */

/**
 * @param {{
 *   close: () => void, sound: boolean, volume: ((id: MemberId, volume: number) => void) | null, pin: (id: MemberId) => void,
 * }} options `sound`: whether there is sound to tell of; `volume`: how loud somebody is to be here;
 *   `pin`: somebody is to be large, or isn't any more
 */
export function createPeople({ close, sound, volume, pin }) {
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
      keep(list, all, String, (id) => makeRow(id, id === state.you, sound, volume, pin), (row, id) => {
        drawRow(row, state, id);
        drawPin(row, state, id);
        if (sound) drawSound(row, state, id);
      });
    },
    opened: () => list.focus({ preventScroll: true }),
  };
}

/** Steps from silent to whole. */
const STEPS = 10;

/** @param {MemberId} id @param {boolean} own @param {boolean} sound @param {((id: MemberId, volume: number) => void) | null} volume @param {(id: MemberId) => void} pin */
function makeRow(id, own, sound, volume, pin) {
  const loud = volume && !own ? h('input', {
    class: 'volume-input', testid: 'volume', attributes: { type: 'range', min: 0, max: STEPS, step: 1, value: STEPS },
    on: { input: (event) => volume(id, Number(event.target.value) / STEPS) },
  }) : null;
  return h('li', { class: 'people-row', testid: 'person' },
    h('p', { class: 'people-name' }, h('bdi', { class: 'people-name-words' }), own && h('span', { class: 'people-you', t: 'people-you' })),
    h('p', { class: 'people-state' }, icon('wifi'), h('span', { class: 'people-state-words' })),
    h('p', { class: 'people-picture' }, icon('video'), h('span', { class: 'people-picture-words' })),
    sound && h('p', { class: 'people-sound' }, icon('mic'), h('span', { class: 'people-sound-words' })),
    loud && h('div', { class: 'volume' }, icon('volume-2'), loud),
    !own && h('button', { class: 'button quiet people-pin', testid: 'pin', attributes: { type: 'button' }, on: { click: () => pin(id) } },
      icon('pin'), h('span', { class: 'button-words', t: 'people-pin' })));
}

/** Beside one other there is nobody to be larger than. @param {HTMLElement} row @param {State} state @param {MemberId} id */
function drawPin(row, state, id) {
  const button = row.querySelector('.people-pin');
  if (!button) return;
  shown(button, state.order.length > 1);
  button.setAttribute('aria-pressed', String(state.focus.pinned === id));
  sayAttribute(button, 'aria-label', 'people-pin-label', { name: state.members[id]?.name ?? '' });
}

/** @param {HTMLElement} row @param {State} state @param {MemberId} id */
function drawSound(row, state, id) {
  const member = state.members[id];
  if (!member) return;
  const own = id === state.you;
  const [line, words] = /** @type {HTMLElement[]} */ ([row.querySelector('.people-sound'), row.querySelector('.people-sound-words')]);
  const open = own ? isOpen(state.sound.microphone) : hasMicrophone(member);
  const speaks = speakerOf(state) === id;
  shown(line, !row.classList.contains('lost'));
  setIcon(line, speaks ? 'audio-lines' : open ? 'mic' : 'mic-off');
  sayText(words, speaks ? 'tile-speaks' : open ? 'people-open' : 'people-muted');
  const loud = /** @type {HTMLInputElement | null} */ (row.querySelector('.volume-input'));
  if (!loud) return;
  const now = Math.round((state.sound.volumes[id] ?? 1) * STEPS);
  if (Number(loud.value) !== now) loud.value = String(now);
  setIcon(/** @type {Element} */ (loud.parentElement), now ? 'volume-2' : 'volume-x');
  sayAttribute(loud, 'aria-label', 'volume-label', { name: member.name });
  if (now) sayAttribute(loud, 'aria-valuetext', 'percent', { percent: now * 100 / STEPS });
  else sayAttribute(loud, 'aria-valuetext', 'volume-none');
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
  const shows = own ? ownWords(on, state) : stateWords(state, id);
  // A lost connection says all; the picture that was there says nothing more.
  shown(picture, !lost);
  setIcon(picture, shows.icon);
  sayText(says, shows.text);
}

/** The own picture as the others have it. @param {boolean} on @param {State} state @returns {ReturnType<typeof stateWords>} */
function ownWords(on, { line }) {
  if (!on) return { text: 'tile-camera-off', icon: 'video-off' };
  return line.up === 'sound' ? { text: 'self-paused', icon: 'video-off' } : { text: 'tile-moving', icon: 'video' };
}
