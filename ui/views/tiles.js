// The people of a call: a tile each. A tile's canvas lives as long as its member is in the room;
// nothing that happens in the call makes it anew.
import { FACE, fit, GAP, hiddenWidth, sizeOf } from '../call/layout.js';
import { hasMicrophone, SILENCE, speakerOf } from '../call/sound.js';
import { hasCamera, tileOf } from '../call/state.js';
import { h, icon, keep, sayText, setIcon, shown } from './dom.js';
import { bars } from './meter.js';
import { person } from './person.js';

/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('../platform/types').CallHandle} CallHandle */
/** @typedef {import('../platform/types').MemberId} MemberId */
/** @typedef {import('../call/layout.js').Rect} Rect */
/** @typedef {{ canvas: HTMLCanvasElement, shows: ReturnType<CallHandle['show']> | null, width: number, height: number, loud: ReturnType<typeof bars> }} Tile */

/** The width of what a tile says without a picture, in CSS pixels, in text of 16 px: in short, and with why. */
const WORDS_PX = [190, 300];
/** And the height that it needs over the own picture. */
const WORDS_HIGH_PX = 200;
/** What the word that somebody speaks takes up, with its distance to the tile's edge, in text of 16 px. */
const [SPEAKS_PX, SPEAKS_HIGH_PX] = [130, 32];

/**
 * @param {CallHandle} handle @param {boolean} sound whether there is sound to tell of
 * @param {((id: MemberId) => void) | null} touched somebody's tile was, where that does something
 */
export function createTiles(handle, sound, touched) {
  const element = h('ul', { class: 'tiles', said: { 'aria-label': 'tiles-label' } });
  /** @type {Map<MemberId, Tile>} */
  const tiles = new Map();

  /**
   * @param {State} state @param {readonly MemberId[]} seats who sits where
   * @param {readonly Rect[]} places @param {boolean} spotlit whether the first one is large
   * @param {number} covered the tile under the own picture
   * @param {Rect | null} self the own picture's place @param {number} text size of the text, as a multiple of 16 px
   */
  const draw = (state, seats, places, spotlit, covered, self, text) => {
    element.classList.toggle('touchable', touched !== null && seats.length > 1);
    keep(element, seats, String, (id) => {
      const { element, canvas, loud } = makeTile(state, id, sound);
      // The same by keyboard: the list of people.
      if (touched) element.addEventListener('click', () => touched(id));
      tiles.set(id, { canvas, loud, shows: null, width: 0, height: 0 });
      return element;
    }, (node, id) => {
      drawTile(node, state, id);
      if (sound) drawSound(node, state, id);
      node.dataset.place = !spotlit ? 'alike' : id === seats[0] ? 'large' : 'strip';
      node.classList.toggle('pinned', id === state.focus.pinned);
    });
    for (const [id, tile] of tiles) {
      const place = places[seats.indexOf(id)];
      if (!seats.includes(id)) {
        tile.shows?.stop();
        tiles.delete(id);
      } else if (place) {
        putTile(id, tile, place, state, text);
        const under = seats[covered] === id && self !== null;
        const words = WORDS_PX[explained.includes(tileOf(state, id)) ? 1 : 0] * text;
        const left = under ? place.width - hiddenWidth(place, self) - 3 * GAP : place.width;
        const centred = !under || left - GAP - place.width / 2 >= words / 2;
        const low = under && place.height - self.height < WORDS_HIGH_PX * text;
        tile.canvas.parentElement?.classList.toggle('covered', under);
        tile.canvas.parentElement?.classList.toggle('beside', !centred && low && left >= words);
        tile.canvas.parentElement?.classList.toggle('crowded', !centred && !(low && left >= words));
      }
    }
  };

  /** @param {MemberId} id @param {Tile} tile @param {Rect} place @param {State} state @param {number} text */
  const putTile = (id, tile, place, state, text) => {
    const node = tile.canvas.parentElement;
    if (!node) return;
    const moved = tile.width !== place.width || tile.height !== place.height;
    node.style.transform = `translate(${place.x}px, ${place.y}px)`;
    node.style.width = `${place.width}px`;
    node.style.height = `${place.height}px`;
    node.dataset.size = sizeOf(place, text);
    // Over a face there is a word where there is room for it.
    node.classList.toggle('worded', node.dataset.size === 'large' || (place.height * FACE.top >= SPEAKS_HIGH_PX * text && place.width >= SPEAKS_PX * text));
    tile.width = place.width;
    tile.height = place.height;
    const picture = state.pictures[id];
    fill(tile.canvas, picture ? picture.width / picture.height : NaN, place.width / place.height);
    const member = state.members[id];
    if (member && hasCamera(member) && !state.audioOnly) {
      const size = devicePixels(place.width, place.height);
      if (!tile.shows) tile.shows = handle.show(id, tile.canvas, size);
      else if (moved) tile.shows.resize(size);
    } else if (tile.shows) {
      tile.shows.stop();
      tile.shows = null;
    }
  };

  return {
    element,
    draw,
    /** How loud each one is. @param {State} state */
    levels(state) {
      for (const [id, tile] of tiles) tile.loud.set(state.sound.levels[id] ?? SILENCE);
    },
    destroy() {
      for (const tile of tiles.values()) tile.shows?.stop();
      tiles.clear();
    },
  };
}

/**
 * Lets a picture fill its tile.
 * @param {HTMLCanvasElement} canvas @param {number} picture width / height @param {number} tile width / height
 */
export function fill(canvas, picture, tile) {
  const box = fit(picture, tile);
  const share = (/** @type {number} */ value) => `${Math.round(value * 1000) / 10}%`;
  canvas.style.width = share(box.width);
  canvas.style.height = share(box.height);
  canvas.style.left = share((1 - box.width) / 2);
  canvas.style.top = share((1 - box.height) / 2);
  canvas.style.objectPosition = `50% ${share(box.top)}`;
}

/** @param {number} width @param {number} height @returns {import('../generated').Size} */
export function devicePixels(width, height) {
  const ratio = window.devicePixelRatio || 1;
  return { width: Math.max(1, Math.round(width * ratio)), height: Math.max(1, Math.round(height * ratio)) };
}

/** @param {State} state @param {MemberId} id @param {boolean} sound */
function makeTile(state, id, sound) {
  const name = state.members[id]?.name ?? '';
  const loud = bars();
  const canvas = h('canvas', {
    class: 'tile-canvas', testid: 'tile-canvas', attributes: { role: 'img', width: 16, height: 9 }, said: { 'aria-label': ['tile-picture', { name }] },
  });
  const element = h('li', { class: 'tile', testid: 'tile', attributes: { 'data-member': id } },
    canvas,
    h('div', { class: 'tile-words' },
      person(),
      h('span', { class: 'tile-state' }, icon('video'), h('span', { class: 'tile-state-words' })),
      h('span', { class: 'tile-why' })),
    h('div', { class: 'tile-foot' },
      h('span', { class: 'tile-name', text: name, attributes: { dir: 'auto' } }),
      h('span', { class: 'tile-pin' }, icon('pin'), h('span', { class: 'for-readers', t: 'tile-pinned' })),
      sound && h('span', { class: 'tile-sound' }, icon('mic-off'), loud.element, h('span', { class: 'for-readers', t: 'tile-muted' }))),
    sound && h('span', { class: 'tile-speaks', testid: 'tile-speaks' }, icon('audio-lines'), h('span', { class: 'tile-speaks-words', t: 'tile-speaks' })));
  return { element, canvas, loud };
}

/** @type {Record<ReturnType<typeof tileOf>, import('./dom.js').IconName>} */
const stateIcons = {
  reconnecting: 'wifi-off',
  paused: 'volume-2',
  camera_off: 'video-off',
  audio_only: 'volume-2',
  undecodable: 'triangle-alert',
  stalled: 'hourglass',
  loading: 'hourglass',
  late: 'hourglass',
  moving: 'video',
};

/** A member's state as a word with an icon. @param {State} state @param {MemberId} id */
export function stateWords(state, id) {
  const now = tileOf(state, id);
  return { text: `tile-${now.replace('_', '-')}`, icon: stateIcons[now] };
}
/**
 * Whether one is heard, and whether one speaks: as an icon, a word and a ring that moves nothing.
 * @param {HTMLElement} node @param {State} state @param {MemberId} id
 */
function drawSound(node, state, id) {
  const member = state.members[id];
  const muted = !member || !hasMicrophone(member);
  const speaks = speakerOf(state) === id;
  node.dataset.sound = muted ? 'muted' : speaks ? 'speaks' : 'open';
  const [mark, loud, word, badge] = /** @type {Element[]} */ ([
    node.querySelector('.tile-sound > .icon'), node.querySelector('.bars'), node.querySelector('.tile-sound .for-readers'), node.querySelector('.tile-speaks'),
  ]);
  mark.toggleAttribute('hidden', !muted);
  shown(loud, !muted);
  shown(word, muted);
  shown(badge, speaks);
}

/** States that say in a second line what is going on. */
const explained = ['paused', 'late', 'stalled', 'undecodable', 'reconnecting'];

/** @param {HTMLElement} node @param {State} state @param {MemberId} id */
function drawTile(node, state, id) {
  const now = tileOf(state, id);
  const name = state.members[id]?.name ?? '';
  const [words, mark, says, why, label] = /** @type {HTMLElement[]} */ ([
    node.querySelector('.tile-words'), node.querySelector('.tile-state'), node.querySelector('.tile-state-words'),
    node.querySelector('.tile-why'), node.querySelector('.tile-name'),
  ]);
  if (node.dataset.state !== now) {
    node.dataset.state = now;
    const word = stateWords(state, id);
    setIcon(mark, word.icon);
    sayText(says, word.text);
    if (explained.includes(now)) sayText(why, `${word.text}-why`);
    shown(why, explained.includes(now));
    shown(words, now !== 'moving');
  }
  if (label.textContent !== name) label.textContent = name;
}
