// What a page tells of what it shows: together, at last as it is, and no oftener than a relay takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Said } from '../../ui/platform/browser/said.js';

const LIMITS = { rate: 3, burst: 8, most: 300 };
const SETTLE = 50;

/**
 * Tells as the call does: one timer, set anew by each change.
 * @param {readonly number[]} changes when something changes, in ms
 * @returns {{ at: number, change: number }[]} when which change was the last one told of
 */
function told(changes) {
  const said = new Said(LIMITS);
  /** @type {{ at: number, change: number }[]} */
  const sent = [];
  let due = Infinity;
  let last = -1;
  const until = (/** @type {number} */ now) => {
    if (due > now) return;
    sent.push({ at: due, change: last });
    said.told(due, true);
    due = Infinity;
  };
  changes.forEach((now, change) => {
    until(now);
    last = change;
    due = now + said.changed(now, SETTLE);
  });
  until(Infinity);
  return sent;
}

/** Numbers from 0 to 1, the same each time. @param {number} seed */
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('a change is told once it has settled', () => {
  assert.deepEqual(told([1000]), [{ at: 1050, change: 0 }]);
  assert.deepEqual(told([1000, 1020, 1040]), [{ at: 1090, change: 2 }]);
});

test('what goes on changing is told all the same', () => {
  const sent = told(Array.from({ length: 100 }, (_, i) => 1000 + 10 * i));
  assert.equal(sent[0].at, 1300);
  assert.equal(sent.at(-1)?.change, 99);
});

test('what turned out to be as it was costs nothing', () => {
  const said = new Said(LIMITS);
  for (let now = 0; now < 10_000; now += 100) {
    assert.equal(said.changed(now, SETTLE), SETTLE);
    said.told(now + SETTLE, false);
  }
});

test('never more than the relay takes, and the last change always', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const next = random(seed);
    const pause = 5 + 400 * next();
    let now = 0;
    const changes = Array.from({ length: 400 }, () => {
      now += next() < 0.02 ? 5000 * next() : pause * next();
      return now;
    });
    const sent = told(changes);
    assert.equal(sent.at(-1)?.change, changes.length - 1, `seed ${seed}: the last`);
    // The relay's bucket (relay/src/limits.rs): twenty, filled by five a second; two a second are others'.
    let left = 20;
    let before = 0;
    for (const { at, change } of sent) {
      left = Math.min(20, left + ((at - before) / 1000) * (5 - 2)) - 1;
      before = at;
      assert.ok(left >= 0, `seed ${seed}: at ${at} the relay would stop reading`);
      assert.ok(at - changes[change] <= Math.max(SETTLE, 1000 / LIMITS.rate) + 1e-6, `seed ${seed}: the newest isn't told late`);
    }
  }
});
