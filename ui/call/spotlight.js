// One large tile with a strip of small ones beside or under it, and when that is better than tiles
// that are all alike. Pure geometry, in CSS pixels, as `layout.js` is: the places follow from how
// many there are and how large the stage is; who sits in the large one is `focus.js`'s.
import { GAP, layout, NARROWEST, shown, sizeOf, WIDEST } from './layout.js';

/** @typedef {import('./layout.js').Rect} Rect */
/** What the person wants; `auto`: all alike as long as each tile can say who it is. @typedef {'auto' | 'grid' | 'speaker'} Wanted */

/** @type {readonly Wanted[]} */
export const WANTED = ['auto', 'grid', 'speaker'];

/** A strip takes up between this and that share of the stage's length, tried in steps. */
const [LEAST_SHARE, MOST_SHARE, STEP] = [0.14, 0.42, 0.02];
/** The side of a strip's tile that is enough to know somebody by, as a share of the stage's shorter side, and in pixels. */
const ENOUGH_SHARE = 0.2;
const [ENOUGH_LEAST, ENOUGH_MOST] = [72, 132];

/**
 * Whether one is shown large and the others in a strip.
 * @param {Wanted} wanted @param {boolean} pinned whether somebody is to be large, whatever is wanted else
 * @param {number} count @param {number} width of the stage @param {number} height of the stage
 * @param {{ text?: number, far?: boolean }} [seen] `text`: its size, as a multiple of 16 px; `far`: by somebody who lies further away
 */
export function isSpotlit(wanted, pinned, count, width, height, { text = 1, far = false } = {}) {
  if (count < 2) return false;
  if (pinned || wanted !== 'auto') return pinned || wanted === 'speaker';
  const sizes = layout(count, width, height).tiles.map((tile) => sizeOf(tile, text));
  return sizes.some((size) => size === 'tiny' || (far && size !== 'large'));
}

/**
 * Rectangles for `count` tiles, the large one first, then the strip's in reading order. All lie on the
 * stage and apart. The strip lies where the large one stays larger: at the right, or at the bottom.
 * @param {number} count @param {number} width of the stage @param {number} height of the stage
 * @returns {{ tiles: Rect[] }}
 */
export function spotlight(count, width, height) {
  if (count < 2 || width < 1 || height < 1) return layout(count, width, height);
  const [right, bottom] = [cut(count - 1, width, height, true), cut(count - 1, width, height, false)];
  return { tiles: right.score > bottom.score * 1.001 ? right.tiles : bottom.tiles };
}

/**
 * The stage with a strip that is as narrow as its tiles allow.
 * @param {number} count of the strip @param {number} width @param {number} height @param {boolean} beside whether it lies at the right
 * @returns {{ tiles: Rect[], score: number }}
 */
function cut(count, width, height, beside) {
  const [length, across] = beside ? [width, height] : [height, width];
  const enough = Math.min(Math.max(Math.min(width, height) * ENOUGH_SHARE, ENOUGH_LEAST), ENOUGH_MOST);
  let best = { tiles: /** @type {Rect[]} */ ([]), score: -1, side: 0 };
  for (let share = LEAST_SHARE; share <= MOST_SHARE + 1e-9; share += STEP) {
    const rest = length - Math.round(length * share) - GAP;
    const large = largest(beside ? rest : across, beside ? across : rest);
    // What the large one can't use is the strip's.
    const free = length - (beside ? large.width : large.height) - GAP;
    const strip = layout(count, beside ? free : across, beside ? across : free).tiles;
    if (rest < 1 || free < 1 || strip.length < count) continue;
    const side = Math.min(...strip.map((tile) => Math.min(tile.width, tile.height)));
    const at = length - free;
    const tiles = [
      beside ? { ...large, x: 0, y: Math.round((across - large.height) / 2) } : { ...large, x: Math.round((across - large.width) / 2), y: 0 },
      ...strip.map((tile) => (beside ? { ...tile, x: tile.x + at } : { ...tile, y: tile.y + at })),
    ];
    // The first that is enough; where none is, the one whose tiles are largest.
    if (side > best.side) best = { tiles: hugged(tiles, width, height, beside), score: shown(large.width, large.height, width >= height), side };
    if (side >= enough) break;
  }
  return best;
}

/**
 * The strip close to the large tile, and both in the middle of the stage.
 * @param {Rect[]} tiles @param {number} width @param {number} height @param {boolean} beside
 */
function hugged([large, ...strip], width, height, beside) {
  if (beside) {
    const [left, right] = [Math.min(...strip.map(({ x }) => x)), Math.max(...strip.map((tile) => tile.x + tile.width))];
    const nearer = left - large.width - GAP;
    const by = Math.round((width - (right - nearer)) / 2);
    return [{ ...large, x: large.x + by }, ...strip.map((tile) => ({ ...tile, x: tile.x - nearer + by }))];
  }
  const [top, bottom] = [Math.min(...strip.map(({ y }) => y)), Math.max(...strip.map((tile) => tile.y + tile.height))];
  const nearer = top - large.height - GAP;
  const by = Math.round((height - (bottom - nearer)) / 2);
  return [{ ...large, y: large.y + by }, ...strip.map((tile) => ({ ...tile, y: tile.y - nearer + by }))];
}

/** As large as a tile may be there, in whole pixels. @param {number} width @param {number} height */
function largest(width, height) {
  const shape = width / height;
  if (shape > WIDEST) return { width: Math.floor(height * WIDEST), height };
  if (shape < NARROWEST) return { width, height: Math.floor(width / NARROWEST) };
  return { width, height };
}
