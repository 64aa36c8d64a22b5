// Where the tiles of a call stand, how a picture fills its tile, and where the own picture lies:
// pure geometry, in CSS pixels. It follows from how many there are and how large the stage is, and
// from nothing else: no picture's shape and nobody's camera moves a tile.

/** @typedef {{ x: number, y: number, width: number, height: number }} Rect */

/** Between tiles, and the least distance to touch two of them apart (LOOK.md: 8 px; 12 looks calm). */
export const GAP = 12;

/** The shape that a landscape stage prefers, and the one of a phone held upright. */
const LANDSCAPE = 16 / 9;
const PORTRAIT = 1;

/** So much of a picture's width, or of its height, is shown at the least. */
export const LEAST_WIDTH = 0.42;
export const LEAST_HEIGHT = 0.6;

/**
 * A tile is no narrower and no wider than this, width / height: what is beyond stays empty. Any
 * usual camera's picture covers the narrowest.
 */
export const NARROWEST = LANDSCAPE * LEAST_WIDTH;
export const WIDEST = 2.2;
/** The widest that counts when the stage is cut up: a tile gets wider only where nothing else could have the place. */
const WIDE = 2;

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
  return { columns, rows, ...tile, score: shown(tile.width, tile.height, width >= height) };
}

/**
 * How much a tile shows of a usual picture: what is left of one of the wanted shape when it covers the
 * tile, weighed less than the tile's size: a larger face is worth some of the wall behind it.
 * @param {number} width @param {number} height @param {boolean} landscape whether the stage is
 */
export function shown(width, height, landscape) {
  const wanted = landscape ? LANDSCAPE : PORTRAIT;
  const shape = width / height;
  return width * height * Math.min(shape / wanted, wanted / shape) ** CROP_WEIGHT;
}

/** @param {number} width @param {number} height */
function clamp(width, height) {
  const shape = width / height;
  if (shape > WIDE) return { width: height * WIDE, height };
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
    const widest = best.width * (best.columns > 2 ? 1.6 : 2.1);
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

/** Of what a landscape picture loses of its height, this share goes at its top, where heads are. */
const FROM_TOP = 0.32;

/**
 * How a picture fills its tile: the box that it covers, in shares of the tile, and which share of
 * what it loses of its height goes at its top. It covers the whole tile as long as that crops no
 * more than is allowed, else as much of it; a portrait picture, a face close by, never loses its top.
 * @param {number} picture width / height
 * @param {number} tile width / height
 * @returns {{ width: number, height: number, top: number }}
 */
export function fit(picture, tile) {
  if (!(picture > 0) || !(tile > 0)) return { width: 1, height: 1, top: FROM_TOP };
  const narrowest = picture * LEAST_WIDTH;
  const widest = picture / LEAST_HEIGHT;
  return {
    width: Math.min(1, widest / tile),
    height: Math.min(1, tile / narrowest),
    top: picture > 1 ? FROM_TOP : 0,
  };
}

/** Pixels over a tile's lower edge that its name takes up, in text of 16 px, and of a small tile. */
const NAME = 50;
const NAME_SMALL = 30;

/**
 * How much a tile can say: a small one says less, a tiny one only shows. A name may take the part
 * of a tile that is under its face.
 * @param {Rect} tile @param {number} [text] size of the text, as a multiple of 16 px
 * @returns {'large' | 'small' | 'tiny'}
 */
export function sizeOf(tile, text = 1) {
  const under = tile.height * (1 - FACE.bottom);
  if (under >= NAME * text && tile.width >= 220 * text) return 'large';
  return under >= NAME_SMALL * text && tile.width >= 104 * text ? 'small' : 'tiny';
}

/** @typedef {'bottom-right' | 'bottom-left' | 'top-right' | 'top-left'} Corner */

/** The corners in the order in which touching the own picture goes through them. @type {readonly Corner[]} */
export const CORNERS = ['bottom-right', 'bottom-left', 'top-left', 'top-right'];

/**
 * The part of a tile where a face is: nothing may lie over it. Its height in shares of the tile's,
 * its width in shares of the tile's width, or of its height where the tile is narrow and a face
 * fills more of it.
 */
export const FACE = { top: 0.14, bottom: 0.72, width: 0.32, ofHeight: 0.44 };
/** The own picture lies in a square of at most this side, in CSS pixels: enough to see whether one is in it. */
const SELF_LARGEST = 200;
/** And this share of the stage's shorter side. */
const SELF_SHARE = 0.36;
/** Smaller than this, one doesn't see oneself, and it is a tile among the others. */
const SELF_LEAST = 84;

/**
 * The whole stage: the others' tiles, and the own picture. It lies in a corner, as large as it can
 * be without covering a face; where the tiles are too small for that it is a tile among them. An
 * upper corner in which it would cover one is the lower corner of the same side instead.
 * @param {number} count of the others
 * @param {number} width of the stage @param {number} height of the stage
 * @param {{ corner?: Corner, aspect?: number, hidden?: boolean, least?: number, cut?: typeof layout | typeof import('./spotlight.js').spotlight }} [own]
 *   the corner that is wanted, the own picture's width / height, the least side of what can be touched,
 *   and how the stage is cut up
 * @returns {{ tiles: Rect[], self: Rect | null, place: 'corner' | 'tile' | 'hidden', covered: number, corner: Corner }}
 *   `covered` is the tile under the own picture, or −1
 */
export function arrange(count, width, height, { corner = 'bottom-right', aspect = 4 / 3, hidden = false, least = 0, cut = layout } = {}) {
  const centred = cut(count, width, height).tiles;
  if (hidden) return { tiles: centred, self: null, place: 'hidden', covered: -1, corner };
  const shape = Math.min(Math.max(aspect, 3 / 4), 4 / 3);
  // Square: whether there is room doesn't depend on the picture.
  const smallest = Math.max(SELF_LEAST, least * 4 / 3);
  const stage = { x: 0, y: 0, width, height };
  const taken = around(centred, stage);
  // Where enough of the height stays empty, all of it is under the tiles, and most of the own picture in it.
  const alike = cut === layout;
  const free = height - taken.height - 2 * GAP;
  const beneath = alike && free >= smallest * 0.6;
  const tiles = beneath ? centred.map((tile) => ({ ...tile, y: tile.y - taken.y })) : centred;
  const room = (/** @type {Rect} */ box, /** @type {'top' | 'bottom'} */ edge) => {
    const wanted = Math.min(Math.max(Math.min(width, height) * SELF_SHARE, smallest), SELF_LARGEST);
    const largest = beneath && edge === 'bottom' ? Math.min(wanted, Math.max(free, smallest)) : wanted;
    for (let side = largest; side >= smallest; side -= 4) {
      // On both sides alike, whatever rounding makes of one of them.
      const squares = [inCorner(box, `${edge}-left`, side, side), inCorner(box, `${edge}-right`, side, side)];
      if (!tiles.some((tile) => squares.some((square) => overlaps(square, faceOf(tile))))) return side;
    }
    return 0;
  };
  // Else within what the tiles take up, so that it stands out over no edge of theirs, or anywhere; with
  // a strip, within the large tile.
  const box = (beneath ? [stage] : [alike ? taken : centred[0] ?? stage, stage]).find((one) => room(one, 'bottom') > 0);
  if (!box) {
    const all = cut(count + 1, width, height).tiles;
    return { tiles: all.slice(0, count), self: all[count] ?? null, place: 'tile', covered: -1, corner };
  }
  const above = corner.startsWith('top') ? room(box, 'top') : 0;
  const side = above || room(box, 'bottom');
  const where = above ? corner : /** @type {Corner} */ (corner.replace('top', 'bottom'));
  const self = inCorner(box, where, shape >= 1 ? side : side * shape, shape >= 1 ? side / shape : side);
  return { tiles, self, place: 'corner', covered: tiles.findIndex((tile) => overlaps(self, tile)), corner: where };
}

/** What all the tiles together take up; the stage where there is none. @param {readonly Rect[]} tiles @param {Rect} stage @returns {Rect} */
function around(tiles, stage) {
  if (!tiles.length) return stage;
  const [x, y] = [Math.min(...tiles.map((tile) => tile.x)), Math.min(...tiles.map((tile) => tile.y))];
  const [right, bottom] = [Math.max(...tiles.map((tile) => tile.x + tile.width)), Math.max(...tiles.map((tile) => tile.y + tile.height))];
  return { x, y, width: right - x, height: bottom - y };
}

/** @param {Rect} box @param {Corner} corner @param {number} wanted @param {number} tall @returns {Rect} */
function inCorner(box, corner, wanted, tall) {
  const w = Math.min(wanted, box.width);
  const h = Math.min(tall, box.height);
  const x = corner.endsWith('right') ? box.width - w - GAP : GAP;
  const y = corner.startsWith('bottom') ? box.height - h - GAP : GAP;
  return rounded(box.x + Math.max(0, x), box.y + Math.max(0, y), w, h);
}

/** How wide the part of a tile is that lies under the own picture. @param {Rect} tile @param {Rect} self */
export function hiddenWidth(tile, self) {
  return Math.max(0, Math.min(tile.x + tile.width, self.x + self.width) - Math.max(tile.x, self.x));
}

/** The part of a tile over which nothing may lie. @param {Rect} tile @returns {Rect} */
export function faceOf(tile) {
  const width = Math.min(tile.width, Math.max(tile.width * FACE.width, tile.height * FACE.ofHeight));
  return {
    x: tile.x + (tile.width - width) / 2,
    y: tile.y + tile.height * FACE.top,
    width,
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

/**
 * The corner in a direction from another one; the same where there is none.
 * @param {Corner} corner @param {'up' | 'down' | 'left' | 'right'} direction
 * @returns {Corner}
 */
export function steered(corner, direction) {
  if (direction === 'up' || direction === 'down') {
    return /** @type {Corner} */ (`${direction === 'up' ? 'top' : 'bottom'}-${corner.split('-')[1]}`);
  }
  return /** @type {Corner} */ (`${corner.split('-')[0]}-${direction}`);
}
