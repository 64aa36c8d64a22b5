// Where tiles stand, how pictures fill them, and where the own picture lies: for one to sixty-four
// people, on stages of phones, tablets, desktops and what a zoom leaves of them, with pictures of
// every shape.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  arrange, CORNERS, FACE, faceOf, fit, GAP, LEAST_HEIGHT, LEAST_WIDTH, layout, NARROWEST, nearestCorner, sizeOf, steered, WIDEST,
} from '../../ui/call/layout.js';

/** Phones both ways, tablets both ways, desktops with and without a panel, and what 200 % leaves. */
const stages = [
  [366, 640], [336, 560], [296, 420], [796, 270], [640, 240], [476, 270], [772, 988], [772, 620], [1132, 600], [760, 600],
  [1392, 710], [1036, 710], [1872, 900], [696, 330], [366, 262],
];
const counts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 24, 37, 48, 64];
/** Cameras give these, width / height; the last two are none of a camera. */
const shapes = [16 / 9, 4 / 3, 3 / 2, 1, 3 / 4, 9 / 16, 21 / 9, 9 / 21];

/** @typedef {import('../../ui/call/layout.js').Rect} Rect */
/** @param {Rect} a @param {Rect} b */
const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** @param {readonly Rect[]} tiles @param {number} width @param {number} height @param {string} where */
function wellPlaced(tiles, width, height, where) {
  for (const [i, tile] of tiles.entries()) {
    assert.ok(tile.x >= 0 && tile.y >= 0 && tile.x + tile.width <= width && tile.y + tile.height <= height, `on the stage: ${where}`);
    for (const value of Object.values(tile)) assert.ok(Number.isInteger(value), `whole pixels: ${where}`);
    for (const other of tiles.slice(i + 1)) assert.ok(!overlap(tile, other), `apart: ${where}`);
  }
}

/** Each number of people on each stage. @param {(count: number, width: number, height: number, where: string) => void} check */
function everywhere(check) {
  for (const [width, height] of stages) {
    for (const count of counts) check(count, width, height, `${count} on ${width}×${height}`);
  }
}

test('any number of tiles stands on any stage, apart by the gap, in whole pixels, in reading order', () => {
  everywhere((count, width, height, where) => {
    const { tiles } = layout(count, width, height);
    assert.equal(tiles.length, count, where);
    wellPlaced(tiles, width, height, where);
    for (const [i, tile] of tiles.entries()) {
      if (i) assert.ok(tile.y > tiles[i - 1].y || (tile.y === tiles[i - 1].y && tile.x > tiles[i - 1].x), where);
      for (const other of tiles.slice(i + 1)) {
        const wider = { x: tile.x - GAP + 1, y: tile.y - GAP + 1, width: tile.width + 2 * GAP - 2, height: tile.height + 2 * GAP - 2 };
        assert.ok(!overlap(wider, other), `the gap: ${where}`);
      }
    }
  });
});

test('the stage is used: two thirds of it by up to twelve, half of it by sixty-four', () => {
  everywhere((count, width, height, where) => {
    const used = layout(count, width, height).tiles.reduce((sum, tile) => sum + tile.width * tile.height, 0) / (width * height);
    assert.ok(used >= (count <= 12 ? 0.65 : 0.5), `${where}: ${used.toFixed(2)}`);
  });
});

test('a tile is neither narrower nor wider than faces allow', () => {
  everywhere((count, width, height, where) => {
    for (const tile of layout(count, width, height).tiles) {
      // A pixel of rounding weighs more the smaller the tile is.
      const slack = 2 / Math.min(tile.width, tile.height);
      const shape = tile.width / tile.height;
      assert.ok(shape > NARROWEST * (1 - slack) && shape < WIDEST * (1 + slack), `${where}: ${shape}`);
    }
  });
});

test('a picture loses no more than is allowed, and a portrait one nothing at its top', () => {
  everywhere((count, width, height, where) => {
    for (const tile of layout(count, width, height).tiles) {
      const shape = tile.width / tile.height;
      for (const picture of shapes) {
        const box = fit(picture, shape);
        assert.ok(box.width > 0 && box.width <= 1 && box.height > 0 && box.height <= 1, where);
        assert.ok(box.width === 1 || box.height === 1, `as large as can be: ${where}`);
        const covered = shape * box.width / box.height;
        const [wide, tall] = picture > covered ? [covered / picture, 1] : [1, picture / covered];
        assert.ok(wide >= LEAST_WIDTH - 1e-9 && tall >= LEAST_HEIGHT - 1e-9, `${where}, ${picture}: ${wide} × ${tall}`);
        const lostAtTop = (1 - tall) * box.top;
        assert.equal(picture > 1 || lostAtTop === 0, true, `${where}, ${picture}: ${lostAtTop} at the top`);
        if (picture <= 1) continue;
        // Where a face is in a landscape picture, all of it is shown.
        assert.ok(lostAtTop <= FACE.top && (1 - tall) * (1 - box.top) <= 1 - FACE.bottom && wide >= FACE.width, `${where}, ${picture}`);
      }
    }
  });
  assert.deepEqual(fit(NaN, 1.5), { width: 1, height: 1, top: fit(16 / 9, 1.5).top }, 'a picture that is not there yet');
});

test('the own picture covers no face, whatever its shape and corner: small in a corner, or a tile among the others', () => {
  for (const [width, height] of stages) {
    for (const count of [0, ...counts]) {
      for (const corner of CORNERS) {
        for (const aspect of [...shapes, undefined]) {
          for (const least of [0, 96]) {
            const where = `${count} on ${width}×${height}, ${corner}, ${aspect}, ${least}`;
            const { tiles, self, place, covered, corner: taken } = arrange(count, width, height, { corner, aspect, least });
            assert.equal(tiles.length, count, where);
            assert.ok(self, where);
            wellPlaced([self], width, height, where);
            if (place === 'tile') {
              wellPlaced([...tiles, self], width, height, where);
              continue;
            }
            // A pixel of rounding.
            assert.ok(Math.min(self.width, self.height) >= Math.max(60, least) - 2, `large enough: ${where}`);
            for (const tile of tiles) assert.ok(!overlap(self, faceOf(tile)), where);
            assert.equal(covered >= 0, tiles.some((tile) => overlap(self, tile)), where);
            if (covered >= 0) assert.ok(overlap(self, tiles[covered]), where);
            assert.equal(taken.split('-')[1], corner.split('-')[1], `the side that was chosen: ${where}`);
          }
        }
      }
    }
  }
});

test('nothing but how many there are and the size of the stage moves a tile', () => {
  everywhere((count, width, height, where) => {
    const { tiles, place } = arrange(count, width, height);
    for (const corner of CORNERS) {
      for (const aspect of [...shapes, NaN, undefined]) {
        const other = arrange(count, width, height, { corner, aspect: aspect || undefined });
        assert.deepEqual(other.tiles, tiles, `${where}, ${corner}, ${aspect}`);
        assert.equal(other.place, place, `${where}, ${corner}, ${aspect}`);
      }
    }
  });
});

test('a hidden own picture leaves its place to the others', () => {
  everywhere((count, width, height, where) => {
    const { tiles, self, place, covered } = arrange(count, width, height, { hidden: true });
    assert.deepEqual(tiles, layout(count, width, height).tiles, where);
    assert.deepEqual([self, place, covered], [null, 'hidden', -1], where);
  });
});

test('a name has its place under the face, or is not on the tile', () => {
  /** What the style sheet gives a name, in pixels at text of 16 px: its distance from the edge and its height. */
  const heights = { large: 50, small: 30, tiny: 0 };
  everywhere((count, width, height, where) => {
    for (const text of [1, 1.5, 2]) {
      for (const tile of layout(count, width, height).tiles) {
        const face = faceOf(tile);
        const under = tile.y + tile.height - (face.y + face.height);
        assert.ok(heights[sizeOf(tile, text)] * text <= under + 1e-9, `${where} at ${text}`);
      }
    }
  });
});

test('common calls look as they are meant to', () => {
  assert.equal(layout(1, 1392, 710).columns, 1);
  assert.equal(layout(2, 1392, 710).columns, 2);
  assert.equal(layout(4, 1036, 710).columns, 2);
  assert.equal(layout(12, 1392, 710).columns, 4);
  assert.equal(layout(2, 366, 640).columns, 1);
  assert.equal(layout(4, 366, 640).columns, 2);
  assert.equal(layout(2, 772, 988).columns, 1);
  assert.equal(layout(4, 772, 988).columns, 2);
  for (const count of [1, 2, 3, 4]) assert.equal(arrange(count, 1392, 710).place, 'corner');
  assert.equal(arrange(12, 366, 640).place, 'tile');
});

test('nothing is laid out on no stage, and nobody is nowhere', () => {
  assert.deepEqual(layout(0, 1392, 710).tiles, []);
  assert.deepEqual(layout(3, 0, 710).tiles, []);
  for (const [width, height] of [[1, 1], [4000, 50], [50, 4000]]) {
    for (const count of [0, 1, 12, 64]) assert.equal(arrange(count, width, height).tiles.length <= count, true);
  }
});

test('the own picture lies in the corner that was chosen, and keys lead from one to the next', () => {
  const { self, corner } = arrange(1, 1392, 710, { corner: 'top-left' });
  assert.deepEqual([self?.x, self?.y, corner], [GAP, GAP, 'top-left']);
  assert.equal(nearestCorner(1392, 710, 1390, 2), 'top-right');
  assert.equal(nearestCorner(1392, 710, 100, 600), 'bottom-left');
  assert.equal(steered('bottom-right', 'up'), 'top-right');
  assert.equal(steered('top-right', 'left'), 'top-left');
  assert.equal(steered('top-left', 'left'), 'top-left');
  assert.equal(steered('top-left', 'down'), 'bottom-left');
  assert.equal(steered('bottom-left', 'right'), 'bottom-right');
});

test('the own picture stands out over no edge of the tiles, and under them where enough stays empty', () => {
  for (const corner of CORNERS) {
    // A phone held upright: one tile doesn't need all of its height.
    const phone = arrange(1, 366, 640, { corner });
    assert.ok(phone.self && phone.tiles[0].y === 0, corner);
    if (corner.startsWith('bottom')) assert.deepEqual([phone.covered, phone.self.y >= phone.tiles[0].height], [-1, true], corner);
    // A wide and low stage: the tile ends before the stage does.
    const low = arrange(1, 1392, 370, { corner });
    const [tile] = low.tiles;
    assert.ok(low.self && tile.width < 1392 && low.self.x >= tile.x && low.self.x + low.self.width <= tile.x + tile.width, corner);
  }
});
