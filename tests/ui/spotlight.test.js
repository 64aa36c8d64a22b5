// One large and a strip: on stages of phones, tablets and desktops, very wide and very tall ones, for
// two to sixty-four people.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { arrange, CORNERS, faceOf, GAP, layout, NARROWEST, sizeOf, WIDEST } from '../../ui/call/layout.js';
import { isSpotlit, spotlight } from '../../ui/call/spotlight.js';

/** @typedef {import('../../ui/call/layout.js').Rect} Rect */

/** What is left of windows from 320 × 480 to 2560 × 1440 with a head and controls, split and turned, with and without a panel. */
const stages = [
  [296, 300], [296, 420], [366, 640], [366, 262], [640, 240], [796, 270], [696, 330], [476, 270], [772, 988], [772, 500], [372, 988],
  [1132, 600], [1392, 710], [1036, 710], [676, 710], [1872, 900], [2512, 1260], [2512, 300], [400, 1260],
];
const counts = [2, 3, 4, 5, 6, 7, 9, 12, 13, 24, 37, 64];
/** @param {Rect} a @param {Rect} b */
const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
/** @param {Rect} rect */
const area = ({ width, height }) => width * height;

/** @param {(count: number, width: number, height: number, where: string) => void} check */
function everywhere(check) {
  for (const [width, height] of stages) for (const count of counts) check(count, width, height, `${count} on ${width}×${height}`);
}

test('all stand on the stage, apart by the gap, in whole pixels, and none is out of shape', () => {
  everywhere((count, width, height, where) => {
    const { tiles } = spotlight(count, width, height);
    assert.equal(tiles.length, count, where);
    for (const [i, tile] of tiles.entries()) {
      assert.ok(tile.x >= 0 && tile.y >= 0 && tile.x + tile.width <= width && tile.y + tile.height <= height, `on the stage: ${where}`);
      for (const value of Object.values(tile)) assert.ok(Number.isInteger(value), `whole pixels: ${where}`);
      for (const other of tiles.slice(i + 1)) {
        const wider = { x: tile.x - GAP + 1, y: tile.y - GAP + 1, width: tile.width + 2 * GAP - 2, height: tile.height + 2 * GAP - 2 };
        assert.ok(!overlap(wider, other), `the gap: ${where}`);
      }
      const [shape, slack] = [tile.width / tile.height, 2 / Math.min(tile.width, tile.height)];
      assert.ok(shape > NARROWEST * (1 - slack) && shape < WIDEST * (1 + slack), `${where}: ${shape}`);
    }
  });
});

test('the first one is the largest by far, and larger than it would be among all alike', () => {
  everywhere((count, width, height, where) => {
    const [large, ...strip] = spotlight(count, width, height).tiles;
    assert.ok(strip.every((tile) => area(large) >= area(tile)), where);
    // A very tall or wide stage has place for all of few: what the large one can't use is the others'.
    if (count > 2 && Math.max(width / height, height / width) < 3) {
      assert.ok(strip.every((tile) => area(large) >= 1.9 * area(tile)), where);
      assert.ok(layout(count, width, height).tiles.every((tile) => area(large) >= 1.25 * area(tile)), where);
    }
    assert.ok(area(large) >= 0.44 * area(layout(1, width, height).tiles[0]), where);
  });
});

test('the strip lies at the right or at the bottom, in reading order behind the large one', () => {
  everywhere((count, width, height, where) => {
    const [large, ...strip] = spotlight(count, width, height).tiles;
    const beside = strip.every((tile) => tile.x >= large.x + large.width + GAP);
    const under = strip.every((tile) => tile.y >= large.y + large.height + GAP);
    assert.ok(beside !== under, where);
    for (const [i, tile] of strip.entries()) {
      if (i) assert.ok(tile.y > strip[i - 1].y || (tile.y === strip[i - 1].y && tile.x > strip[i - 1].x), where);
    }
  });
  // Phones held upright, and a window that is split beside another one.
  for (const [width, height] of [[366, 640], [372, 988]]) {
    const [large, ...strip] = spotlight(4, width, height).tiles;
    assert.ok(strip.every((tile) => tile.y > large.y + large.height));
  }
});

test('the own picture covers no face, and is a tile of the strip where there is no place for it', () => {
  everywhere((count, width, height, where) => {
    for (const corner of CORNERS) {
      for (const least of [0, 96]) {
        const { tiles, self, place, covered } = arrange(count, width, height, { corner, least, cut: spotlight });
        assert.ok(self, where);
        assert.ok(self.x >= 0 && self.y >= 0 && self.x + self.width <= width && self.y + self.height <= height, where);
        if (place === 'tile') assert.ok(tiles.every((tile) => !overlap(tile, self)), where);
        else {
          for (const tile of tiles) assert.ok(!overlap(self, faceOf(tile)), `${where}, ${corner}`);
          assert.ok(Math.min(self.width, self.height) >= Math.max(60, least) - 2, where);
          assert.equal(covered >= 0, tiles.some((tile) => overlap(self, tile)), where);
        }
      }
    }
    assert.deepEqual(arrange(count, width, height, { hidden: true, cut: spotlight }).tiles, spotlight(count, width, height).tiles, where);
  });
});

test('nothing but how many there are and the size of the stage moves a place', () => {
  everywhere((count, width, height, where) => {
    const { tiles, place } = arrange(count, width, height, { cut: spotlight });
    for (const corner of CORNERS) {
      for (const aspect of [16 / 9, 1, 9 / 16]) {
        const other = arrange(count, width, height, { corner, aspect, cut: spotlight });
        assert.deepEqual([other.tiles, other.place], [tiles, place], where);
      }
    }
  });
});

test('alone with one other there is no strip, and on no stage nothing', () => {
  assert.deepEqual(spotlight(1, 1392, 710).tiles, layout(1, 1392, 710).tiles);
  assert.deepEqual(spotlight(3, 0, 710).tiles, []);
  for (const [width, height] of [[1, 1], [4000, 50], [50, 4000]]) {
    for (const count of [2, 12, 64]) assert.ok(spotlight(count, width, height).tiles.length <= count);
  }
});

test('what was chosen counts; who was pinned counts more; and else all are alike while each can say who it is', () => {
  assert.equal(isSpotlit('speaker', false, 2, 1392, 710), true);
  assert.equal(isSpotlit('grid', false, 64, 366, 640), false);
  assert.equal(isSpotlit('grid', true, 3, 1392, 710), true);
  for (const wanted of /** @type {const} */ (['auto', 'grid', 'speaker'])) {
    assert.equal(isSpotlit(wanted, true, 1, 1392, 710), false, 'alone with one other all is large');
    assert.equal(isSpotlit(wanted, false, 0, 1392, 710), false);
  }
  everywhere((count, width, height, where) => {
    for (const text of [1, 2]) {
      const says = layout(count, width, height).tiles.every((tile) => sizeOf(tile, text) !== 'tiny');
      assert.equal(isSpotlit('auto', false, count, width, height, { text }), !says, where);
    }
  });
  // The sizes that people have: a phone shows twelve alike, not thirty; a desktop thirty.
  assert.deepEqual([12, 30].map((count) => isSpotlit('auto', false, count, 366, 640)), [false, true]);
  assert.deepEqual([12, 30].map((count) => isSpotlit('auto', false, count, 1392, 710)), [false, false]);
  // A patient lies further away: a family of four on a tablet, not on a phone.
  assert.equal(isSpotlit('auto', false, 4, 772, 900, { far: true }), false);
  assert.equal(isSpotlit('auto', false, 4, 366, 560, { far: true }), true);
});
