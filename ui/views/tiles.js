// The people of a call: a tile each. A tile's canvas lives as long as its member is in the room;
// nothing that happens in the call makes it anew.
import { hasCamera, tileOf } from '../call/state.js';
import { h, icon, initials, keep, sayText, setIcon, shown } from './dom.js';

/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('../platform/types').CallHandle} CallHandle */
/** @typedef {import('../platform/types').MemberId} MemberId */
/** @typedef {import('../call/layout.js').Rect} Rect */
/** @typedef {{ canvas: HTMLCanvasElement, shows: ReturnType<CallHandle['show']> | null, width: number, height: number }} Tile */

/**
 * A picture covers its tile unless less than this share of it would be left: of its height, because
 * heads are cut first, or of its width, where the middle is enough. Else it is shown whole.
 */
const LEAST_HEIGHT = 0.55;
const LEAST_WIDTH = 0.3;

/** @param {CallHandle} handle */
export function createTiles(handle) {
  const element = h('ul', { class: 'tiles', said: { 'aria-label': 'tiles-label' } });
  /** @type {Map<MemberId, Tile>} */
  const tiles = new Map();

  /** @param {State} state @param {readonly Rect[]} places in the order of the members @param {number} covered the tile under the own picture */
  const draw = (state, places, covered) => {
    keep(element, state.order, String, (id) => {
      const made = makeTile(state, id);
      tiles.set(id, { canvas: made.canvas, shows: null, width: 0, height: 0 });
      return made.element;
    }, (node, id) => drawTile(node, state, id));
    for (const [id, tile] of tiles) {
      const place = places[state.order.indexOf(id)];
      if (!state.members[id]) {
        tile.shows?.stop();
        tiles.delete(id);
      } else if (place) {
        putTile(id, tile, place, state);
        tile.canvas.parentElement?.classList.toggle('covered', state.order[covered] === id);
      }
    }
  };

  /** @param {MemberId} id @param {Tile} tile @param {Rect} place @param {State} state */
  const putTile = (id, tile, place, state) => {
    const node = tile.canvas.parentElement;
    if (!node) return;
    const moved = tile.width !== place.width || tile.height !== place.height;
    node.style.transform = `translate(${place.x}px, ${place.y}px)`;
    node.style.width = `${place.width}px`;
    node.style.height = `${place.height}px`;
    node.classList.toggle('small', place.width < 220 || place.height < 150);
    tile.width = place.width;
    tile.height = place.height;
    const picture = state.pictures[id];
    tile.canvas.classList.toggle('whole', Boolean(picture) && !covers(picture.width / picture.height, place.width / place.height));
    const member = state.members[id];
    if (member && hasCamera(member)) {
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
    destroy() {
      for (const tile of tiles.values()) tile.shows?.stop();
      tiles.clear();
    },
  };
}

/**
 * Whether enough of a picture is left when it covers its tile.
 * @param {number} picture width / height @param {number} tile width / height
 */
function covers(picture, tile) {
  if (!(picture > 0) || !(tile > 0)) return true;
  return picture < tile ? picture / tile >= LEAST_HEIGHT : tile / picture >= LEAST_WIDTH;
}

/** @param {number} width @param {number} height @returns {import('../generated').Size} */
export function devicePixels(width, height) {
  const ratio = window.devicePixelRatio || 1;
  return { width: Math.max(1, Math.round(width * ratio)), height: Math.max(1, Math.round(height * ratio)) };
}

/** @param {State} state @param {MemberId} id */
function makeTile(state, id) {
  const name = state.members[id]?.name ?? '';
  const canvas = h('canvas', {
    class: 'tile-canvas', testid: 'tile-canvas', attributes: { role: 'img', width: 16, height: 9 }, said: { 'aria-label': ['tile-picture', { name }] },
  });
  const element = h('li', { class: 'tile', testid: 'tile', attributes: { 'data-member': id } },
    canvas,
    h('div', { class: 'tile-words' },
      h('span', { class: 'tile-initials', text: initials(name), attributes: { 'aria-hidden': 'true' } }),
      h('span', { class: 'tile-state' }, icon('video'), h('span', { class: 'tile-state-words' }))),
    h('span', { class: 'tile-name', text: name, attributes: { dir: 'auto' } }));
  return { element, canvas };
}

/** @type {Record<ReturnType<typeof tileOf>, import('./dom.js').IconName>} */
const stateIcons = {
  reconnecting: 'wifi-off',
  camera_off: 'video-off',
  undecodable: 'triangle-alert',
  stalled: 'hourglass',
  loading: 'hourglass',
  moving: 'video',
};

/** @param {HTMLElement} node @param {State} state @param {MemberId} id */
function drawTile(node, state, id) {
  const now = tileOf(state, id);
  const name = state.members[id]?.name ?? '';
  const [words, says, label] = /** @type {HTMLElement[]} */ ([
    node.querySelector('.tile-words'), node.querySelector('.tile-state-words'), node.querySelector('.tile-name'),
  ]);
  if (node.dataset.state !== now) {
    node.dataset.state = now;
    setIcon(words, stateIcons[now]);
    sayText(says, `tile-${now.replace('_', '-')}`);
    shown(words, now !== 'moving');
  }
  if (label.textContent !== name) label.textContent = name;
}
