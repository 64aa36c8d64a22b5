// Where tiles stand: on the stage, apart from each other, as large as they can be, no face covered.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { arrange, CORNERS, GAP, layout, nearestCorner } from '../../ui/call/layout.js';

/** Stages of a phone, a tablet both ways, a laptop with and without chat, and absurd ones. */
const stages = [[366, 640], [640, 240], [772, 988], [1132, 600], [1392, 710], [1036, 710], [1, 1], [4000, 50]];

/** @typedef {import('../../ui/call/layout.js').Rect} Rect */
/** @param {Rect} a @param {Rect} b */
const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** @param {Rect[]} tiles @param {number} width @param {number} height */
function wellPlaced(tiles, width, height) {
  for (const [i, tile] of tiles.entries()) {
    assert.ok(tile.x >= 0 && tile.y >= 0 && tile.x + tile.width <= width && tile.y + tile.height <= height, 'on the stage');
    for (const value of Object.values(tile)) assert.ok(Number.isInteger(value), 'whole pixels');
    for (const other of tiles.slice(i + 1)) assert.ok(!overlap(tile, other), 'apart');
  }
}

test('any number of tiles stands on any stage, apart, in whole pixels', () => {
  for (const [width, height] of stages) {
    for (let count = 1; count <= 30; count += 1) {
      const { tiles } = layout(count, width, height);
      assert.equal(tiles.length, count);
      if (width > 100 && height > 400) wellPlaced(tiles, width, height);
    }
  }
});

test('tiles of one to twelve people are not narrower or wider than faces allow', () => {
  for (const [width, height] of stages.slice(0, 6)) {
    for (let count = 1; count <= 12; count += 1) {
      for (const tile of layout(count, width, height).tiles) {
        const shape = tile.width / tile.height;
        assert.ok(shape > 0.58 && shape < 2.03, `${count} on ${width}×${height}: ${shape}`);
      }
    }
  }
});

test('the stage is used: no other number of columns would show more', () => {
  assert.equal(layout(1, 1392, 710).columns, 1);
  assert.equal(layout(2, 1392, 710).columns, 2);
  assert.equal(layout(4, 1036, 710).columns, 2);
  assert.equal(layout(12, 1392, 710).columns, 4);
  assert.equal(layout(2, 366, 640).columns, 1);
  assert.equal(layout(4, 366, 640).columns, 2);
  assert.equal(layout(2, 772, 988).columns, 1);
  assert.equal(layout(4, 772, 988).columns, 2);
});

test('the reading order is kept', () => {
  const { tiles } = layout(7, 1392, 710);
  for (let i = 1; i < tiles.length; i += 1) {
    assert.ok(tiles[i].y > tiles[i - 1].y || tiles[i].x > tiles[i - 1].x);
  }
});

test('nothing is laid out on no stage, and nobody is nowhere', () => {
  assert.deepEqual(layout(0, 1392, 710).tiles, []);
  assert.deepEqual(layout(3, 0, 710).tiles, []);
});

test('the own picture covers no face: small in a corner, or a tile among the others', () => {
  for (const [width, height] of stages.slice(0, 6)) {
    for (let count = 0; count <= 12; count += 1) {
      for (const corner of CORNERS) {
        for (const aspect of [4 / 3, 16 / 9, 9 / 16, NaN]) {
          const { tiles, self, place, covered } = arrange(count, width, height, corner, Number.isNaN(aspect) ? undefined : aspect);
          assert.equal(tiles.length, count);
          wellPlaced([self], width, height);
          if (place === 'tile') wellPlaced([...tiles, self], width, height);
          else {
            assert.ok(self.width >= 70 && self.height >= 50, 'large enough to see oneself');
            for (const tile of tiles) {
              const middle = { x: tile.x + tile.width * 0.35, y: tile.y + tile.height * 0.1, width: tile.width * 0.3, height: tile.height * 0.6 };
              assert.ok(!overlap(self, middle), `${count} on ${width}×${height} ${corner}`);
            }
            if (covered >= 0) assert.ok(overlap(self, tiles[covered]));
          }
        }
      }
    }
  }
});

test('the own picture lies in the corner that was chosen', () => {
  const { self } = arrange(1, 1392, 710, 'top-left');
  assert.deepEqual([self.x, self.y], [GAP, GAP]);
  assert.equal(nearestCorner(1392, 710, 1390, 2), 'top-right');
  assert.equal(nearestCorner(1392, 710, 100, 600), 'bottom-left');
});
