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
  // What a picture of the wanted shape loses when it covers the tile. The root, because a larger
  // face is worth some of the wall behind it.
  const kept = Math.min(shape / wanted, wanted / shape);
  return { columns, rows, ...tile, score: tile.width * tile.height * Math.sqrt(kept) };
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
    const tileWidth = Math.max(best.width, Math.min(share, best.height * WIDEST));
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

/**
 * The own picture, small, in a corner of the stage.
 * @param {number} width of the stage @param {number} height of the stage
 * @param {Corner} corner
 * @param {number} [aspect] of the picture, width / height
 * @param {number} [inset] from the stage's edges
 * @returns {Rect}
 */
export function selfRect(width, height, corner, aspect = 4 / 3, inset = GAP) {
  const shape = Math.min(Math.max(aspect, 3 / 4), 16 / 9);
  // A ninth of the stage at most by each side's share, and never so small that one can't see
  // whether one is in the picture.
  const longest = Math.min(Math.max(Math.min(width, height) * 0.26, 112), 200);
  const w = shape >= 1 ? longest : longest * shape;
  const h = shape >= 1 ? longest / shape : longest;
  const x = corner.endsWith('right') ? width - w - inset : inset;
  const y = corner.startsWith('bottom') ? height - h - inset : inset;
  return rounded(Math.max(0, x), Math.max(0, y), Math.min(w, width), Math.min(h, height));
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
