// Where the tiles of a call stand: pure geometry, in CSS pixels.

/** @typedef {{ x: number, y: number, width: number, height: number }} Rect */

/** Between tiles, and the least distance to touch two of them apart (LOOK.md: 8 px; 12 looks calm). */
export const GAP = 12;

/** A tile may be cropped this far from its camera's shape: narrower or wider would cut faces. */
const NARROWEST = 0.6;
const WIDEST = 2;

/** The shape that a landscape stage prefers, and the one of a phone held upright. */
const LANDSCAPE = 16 / 9;
const PORTRAIT = 1;

/**
 * How much a cropped picture counts against its tile. At 0.5 two people beside an open chat stand
 * one above the other with empty sides; at 0.35 three stand in narrow strips.
 */
const CROP_WEIGHT = 0.45;

/**
 * Rectangles for `count` tiles on a stage. Every tile lies on the stage, none overlaps another,
 * and the order is the reading order. The number of columns is the one that shows most of the
 * pictures; the last row may be wider than the others.
 * @param {number} count
 * @param {number} width of the stage
 * @param {number} height of the stage
 * @param {number} [gap]
 * @returns {{ columns: number, tiles: Rect[] }}
 */
export function layout(count, width, height, gap = GAP) {
  if (count < 1 || width < 1 || height < 1) return { columns: 0, tiles: [] };
  let best = grid(count, 1, width, height, gap);
  for (let columns = 2; columns <= count; columns += 1) {
    const candidate = grid(count, columns, width, height, gap);
    if (candidate.score > best.score * 1.001) best = candidate;
  }
  return { columns: best.columns, tiles: place(count, best, width, height, gap) };
}

/**
 * One way of cutting the stage up, and how good it is.
 * @param {number} count @param {number} columns @param {number} width @param {number} height
 * @param {number} gap
 */
function grid(count, columns, width, height, gap) {
  const rows = Math.ceil(count / columns);
  const cellWidth = (width - gap * (columns - 1)) / columns;
  const cellHeight = (height - gap * (rows - 1)) / rows;
  if (cellWidth <= 0 || cellHeight <= 0) return { columns, rows, width: 0, height: 0, score: 0 };
  const tile = clamp(cellWidth, cellHeight);
  const wanted = width >= height ? LANDSCAPE : PORTRAIT;
  const shape = tile.width / tile.height;
  // What is left of a picture of the wanted shape when it covers the tile, weighed less than the
  // tile's size: a larger face is worth some of the wall behind it.
  const kept = Math.min(shape / wanted, wanted / shape);
  return { columns, rows, ...tile, score: tile.width * tile.height * kept ** CROP_WEIGHT };
}

/** @param {number} width @param {number} height */
function clamp(width, height) {
  const shape = width / height;
  if (shape > WIDEST) return { width: height * WIDEST, height };
  if (shape < NARROWEST) return { width, height: width / NARROWEST };
  return { width, height };
}

/**
 * @param {number} count
 * @param {{ columns: number, rows: number, width: number, height: number }} best
 * @param {number} width @param {number} height @param {number} gap
 */
function place(count, best, width, height, gap) {
  /** @type {Rect[]} */
  const tiles = [];
  const top = (height - (best.height * best.rows + gap * (best.rows - 1))) / 2;
  for (let row = 0; row < best.rows; row += 1) {
    const inRow = Math.min(best.columns, count - row * best.columns);
    const share = (width - gap * (inRow - 1)) / inRow;
    // A lone tile under many small ones must not outweigh them.
    const widest = best.width * (best.columns > 2 ? 1.5 : 2.1);
    const tileWidth = Math.max(best.width, Math.min(share, best.height * WIDEST, widest));
    const left = (width - (tileWidth * inRow + gap * (inRow - 1))) / 2;
    for (let column = 0; column < inRow; column += 1) {
      tiles.push(rounded(
        left + column * (tileWidth + gap), top + row * (best.height + gap), tileWidth, best.height,
      ));
    }
  }
  return tiles;
}

/**
 * Whole pixels, so that no tile's edge is blurred.
 * @param {number} x @param {number} y @param {number} width @param {number} height
 * @returns {Rect}
 */
function rounded(x, y, width, height) {
  const left = Math.round(x);
  const top = Math.round(y);
  // The far edge is rounded down: two tiles keep their gap, the last stays on the stage.
  return { x: left, y: top, width: Math.floor(x + width) - left, height: Math.floor(y + height) - top };
}

/** @typedef {'bottom-right' | 'bottom-left' | 'top-right' | 'top-left'} Corner */

/** The corners in the order in which a keyboard goes through them. @type {readonly Corner[]} */
export const CORNERS = ['bottom-right', 'bottom-left', 'top-left', 'top-right'];

/** The part of a tile where its face is, in shares of the tile: nothing may lie over it. */
const FACE = { left: 0.34, right: 0.66, top: 0.08, bottom: 0.74 };
/** The own picture's longer side in a corner, in CSS pixels: enough to see whether one is in it. */
const SELF_LONGEST = 200;
const SELF_SHORTEST = 96;

/**
 * The whole stage: the others' tiles, and the own picture. It lies in a corner, as large as it can
 * be without covering a face; where the tiles are too small for that it is a tile among them.
 * @param {number} count of the others
 * @param {number} width of the stage @param {number} height of the stage
 * @param {Corner} corner where the own picture is wanted
 * @param {number} [aspect] of the own picture, width / height
 * @returns {{ tiles: Rect[], self: Rect, place: 'corner' | 'tile', covered: number }} `covered` is
 *   the tile under the own picture, or −1
 */
export function arrange(count, width, height, corner, aspect = 4 / 3) {
  const { tiles } = layout(count, width, height);
  const shape = Math.min(Math.max(aspect, 3 / 4), 16 / 9);
  const largest = Math.min(Math.max(Math.min(width, height) * 0.26, SELF_SHORTEST), SELF_LONGEST);
  for (let longest = largest; longest >= SELF_SHORTEST; longest -= 4) {
    const self = selfRect(width, height, corner, shape, longest);
    if (!tiles.some((tile) => overlaps(self, face(tile)))) {
      return { tiles, self, place: 'corner', covered: tiles.findIndex((tile) => overlaps(self, tile)) };
    }
  }
  const all = layout(count + 1, width, height).tiles;
  return { tiles: all.slice(0, count), self: all[count], place: 'tile', covered: -1 };
}

/**
 * @param {number} width of the stage @param {number} height of the stage
 * @param {Corner} corner @param {number} shape width / height @param {number} longest side
 * @returns {Rect}
 */
function selfRect(width, height, corner, shape, longest) {
  const w = Math.min(shape >= 1 ? longest : longest * shape, width);
  const h = Math.min(shape >= 1 ? longest / shape : longest, height);
  const x = corner.endsWith('right') ? width - w - GAP : GAP;
  const y = corner.startsWith('bottom') ? height - h - GAP : GAP;
  return rounded(Math.max(0, x), Math.max(0, y), w, h);
}

/** @param {Rect} tile @returns {Rect} */
function face(tile) {
  return {
    x: tile.x + tile.width * FACE.left,
    y: tile.y + tile.height * FACE.top,
    width: tile.width * (FACE.right - FACE.left),
    height: tile.height * (FACE.bottom - FACE.top),
  };
}

/** @param {Rect} a @param {Rect} b */
function overlaps(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/**
 * The corner that is nearest to a point of the stage.
 * @param {number} width @param {number} height @param {number} x @param {number} y
 * @returns {Corner}
 */
export function nearestCorner(width, height, x, y) {
  const vertical = y < height / 2 ? 'top' : 'bottom';
  const horizontal = x < width / 2 ? 'left' : 'right';
  return /** @type {Corner} */ (`${vertical}-${horizontal}`);
}
