import assert from 'node:assert/strict';
import test from 'node:test';

import { encodings, layersOf } from '../../ui/platform/browser/rtc/layers.js';

const camera = { width: 640, height: 360 };
const size = (/** @type {number} */ width, /** @type {number} */ height) => ({ width, height });

test('a camera goes in two layers, and a small one in one', () => {
  assert.deepEqual(layersOf(camera, 2), [size(320, 180), camera]);
  assert.deepEqual(layersOf(size(1280, 720), 2), [size(640, 360), size(1280, 720)]);
  assert.deepEqual(layersOf(size(320, 240), 2), [size(320, 240)]);
  assert.deepEqual(layersOf(camera, 1), [camera], 'a browser that sends one');
});

test('shown large both are sent, the small one as it is announced', () => {
  const [small, large] = encodings(camera, camera, 2);
  assert.deepEqual(small, { active: true, scaleResolutionDownBy: 2, maxBitrate: 150_000 });
  assert.deepEqual(large, { active: true, scaleResolutionDownBy: 1, maxBitrate: 600_000 });
  assert.equal(encodings(camera, size(1920, 1080), 2)[1].scaleResolutionDownBy, 1, 'never more than there is');
});

test('shown between the two, the large one is as large as it is shown', () => {
  const [small, large] = encodings(size(1280, 720), size(853, 480), 2);
  assert.equal(small.active && large.active, true);
  assert.ok(Math.abs(large.scaleResolutionDownBy - 1.5) < 0.01);
  assert.equal(small.scaleResolutionDownBy, 2);
});

test('shown small the small one alone is sent, and no larger than it is shown', () => {
  assert.deepEqual(encodings(camera, size(320, 180), 2).map(({ active }) => active), [true, false]);
  const [tiny] = encodings(camera, size(160, 90), 2);
  assert.equal(tiny.scaleResolutionDownBy, 4);
});

test('in one layer the picture is as large as it is shown', () => {
  assert.deepEqual(encodings(camera, size(320, 180), 1), [{ active: true, scaleResolutionDownBy: 2, maxBitrate: 150_000 }]);
  const [whole, none] = encodings(size(320, 240), size(320, 240), 2);
  assert.deepEqual([whole.active, whole.scaleResolutionDownBy, none.active], [true, 1, false]);
});
