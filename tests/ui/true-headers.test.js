// The true headers that the page makes for what a browser's own encoder sends by RTP.
import assert from 'node:assert/strict';
import test from 'node:test';

import { TrueHeaders } from '../../ui/platform/browser/true-headers.js';

/** Frames of 30 a second that come 20 ms late, from the RTP timestamp `from` on. */
function pictures(headers, frames, from = 0) {
  return frames.map(([type, metadata = {}], at) => headers.next(
    { type, timestamp: (from + at * 3000) % 2 ** 32, metadata }, 5_000_000 + at * 33_333 + 20_000));
}

test('frames are numbered, and a delta frame refers to the one before', () => {
  const made = pictures(new TrueHeaders(3, false), [['key'], ['delta'], ['delta'], ['key']]);
  assert.deepEqual(made.map(({ sequence, references }) => [sequence, references]), [[0, []], [1, [1]], [2, [1]], [3, []]]);
  assert.ok(made.every(({ track, sender, chunks }) => track === 3 && sender === 0 && chunks === 1));
});

test('a track that begins with a delta frame lacks the key frame before it', () => {
  const made = pictures(new TrueHeaders(3, false), [['delta'], ['delta'], ['key']]);
  assert.deepEqual(made.map(({ sequence, references }) => [sequence, references]), [[1, [1]], [2, [1]], [3, []]]);
});

test('what the browser says of layers and references is taken over', () => {
  const made = pictures(new TrueHeaders(3, false), [
    ['key', { frameId: 100, dependencies: [], temporalIndex: 0, spatialIndex: 0 }],
    ['delta', { frameId: 102, dependencies: [100], temporalIndex: 1, spatialIndex: 0 }],
    ['delta', { frameId: 104, dependencies: [100], temporalIndex: 0, spatialIndex: 0 }],
    ['delta', { frameId: 106, dependencies: [102, 104], temporalIndex: 1, spatialIndex: 0 }],
    ['delta', { frameId: 108, dependencies: [99], temporalIndex: 0, spatialIndex: 0 }],
    ['delta', { frameId: 110, temporalIndex: 9, spatialIndex: 1 }],
  ]);
  assert.deepEqual(made.map(({ references }) => references), [[], [1], [2], [1, 2], [1], [1]]);
  assert.deepEqual(made.map(({ layer }) => layer.temporal), [0, 1, 0, 1, 0, 3]);
});

test("a frame's time is RTP's, put on the page's clock, also where RTP's begins anew", () => {
  for (const from of [0, 2 ** 32 - 30 * 3000, 2 ** 31 - 30 * 3000]) {
    const made = pictures(new TrueHeaders(3, false), Array.from({ length: 200 }, (_, at) => [at ? 'delta' : 'key']), from);
    made.forEach(({ timestamp }, at) => assert.ok(Math.abs(timestamp - (5_020_000 + at * 33_333)) < 1000, `${at}: ${timestamp}`));
  }
});

test('a late frame moves no time, and a clock that runs otherwise is followed', () => {
  const headers = new TrueHeaders(8, true);
  let last = 0;
  for (let at = 0; at < 5000; at += 1) {
    // 1 % too fast, and every tenth frame 100 ms late.
    const now = 1_000_000 + at * 20_000;
    const { timestamp, references } = headers.next({ timestamp: Math.floor(at * 960 * 1.01), metadata: {} }, now + (at % 10 ? 0 : 100_000));
    assert.deepEqual(references, []);
    assert.ok(timestamp >= last);
    if (at > 500) assert.ok(Math.abs(timestamp - now - 10_000) < 20_000, `${at}: ${timestamp - now}`);
    last = timestamp;
  }
});

test('after a pause of its clock the time is right again at once', () => {
  const headers = new TrueHeaders(8, true);
  headers.next({ timestamp: 4_000_000_000, metadata: {} }, 1_000_000);
  assert.equal(headers.next({ timestamp: 17, metadata: {} }, 61_000_000).timestamp, 61_000_000);
});
