// Which packets came, by themselves or as copies, and what is lost behind the page.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Seen } from '../../ui/protocol/seen.js';
import { Lost } from '../../ui/platform/browser/sound/lost.js';

test('a copy counts once and only where something is missing', () => {
  const seen = new Seen();
  assert.equal(seen.copy(6), false, 'nobody misses what was before the first');
  assert.equal(seen.packet(7), false);
  assert.deepEqual([seen.copy(6), seen.copy(7)], [false, false]);
  // 8 and 9 are missing when 10 comes.
  assert.deepEqual([seen.copy(8), seen.copy(9), seen.copy(9)], [true, true, false]);
  assert.equal(seen.packet(10), false);
  // They come after all.
  assert.deepEqual([seen.packet(8), seen.packet(8)], [true, false]);
  assert.equal(seen.packet(12), false);
  assert.deepEqual([seen.copy(10), seen.copy(11), seen.highest], [false, true, 12]);
});

test('what is far back or behind a long gap is not missed', () => {
  const seen = new Seen();
  seen.packet(100);
  assert.equal(seen.copy(500), false);
  seen.packet(501);
  assert.deepEqual([seen.copy(499), seen.copy(500)], [false, false]);
  seen.packet(503);
  assert.deepEqual([seen.copy(0), seen.copy(502)], [false, true]);
  seen.packet(2 ** 32 - 1);
  assert.equal(seen.copy(2 ** 32 - 2), false);
});

test('what the line loses is what the relay says, without what the own queue threw away', () => {
  const lost = new Lost();
  let dropped = 0;
  let now = 0;
  const frames = (count, drops) => Array.from({ length: count }, (_, n) => {
    if (drops && n % drops === 0) dropped += 1;
    return lost.frame((now += 20), dropped);
  });
  assert.deepEqual(frames(500, 0), Array(500).fill(0));
  lost.told(12);
  assert.deepEqual(frames(500, 0), Array(500).fill(12));
  // Half of it doesn't leave the page.
  lost.told(50);
  assert.deepEqual(frames(1000, 2).slice(-500), Array(500).fill(0));
  assert.deepEqual(frames(500, 0), Array(500).fill(0), 'and a while after');
  lost.told(5);
  assert.equal(frames(1000, 0).at(-1), 5);
});
