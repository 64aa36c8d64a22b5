// What is announced and sent of the camera when its picture goes by RTP, in one codec at a time.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Publisher } from '../../ui/platform/browser/publisher.js';

const [H264, VP8, JPEG] = [4, 5, 1];
const size = { width: 320, height: 180 };

/** A publisher whose camera gave a picture, over a lane of these codecs. */
function over(codecs) {
  const seen = { announced: [], sent: [] };
  const publisher = new Publisher({ encodes: [] }, {
    announce: (tracks) => seen.announced.push(tracks.map(({ id }) => id)),
    own: () => {}, frame: () => 'taken', waits: () => false, wantsKey: () => false, behind: () => false, line: () => {},
  });
  publisher.way({ codecs, busy: true, camera: () => {}, layers: (of) => [of], wanted: (at, codec) => seen.sent.push([at, codec]) });
  publisher._frame({}, 640, 360);
  return { publisher, seen };
}

test('a browser that chooses announces each codec, and sends the one that the relay wants', () => {
  const { publisher, seen } = over(['h264', 'vp8']);
  assert.deepEqual(seen.announced, [[H264, VP8, JPEG]]);
  publisher.send([{ track: H264, size }]);
  publisher.send([{ track: VP8, size }]);
  publisher.send([]);
  assert.deepEqual(seen.sent, [[size, 'h264'], [size, 'vp8'], [null, null]]);
  assert.equal(seen.announced.length, 1);
});

test('where some need the one codec and some the other, only the better one is left beside JPEG', () => {
  const { publisher, seen } = over(['h264', 'vp8']);
  publisher.send([{ track: VP8, size }, { track: H264, size }]);
  assert.deepEqual(seen.sent, [[size, 'h264']]);
  assert.deepEqual(seen.announced.at(-1), [H264, JPEG]);
  publisher.send([{ track: H264, size }, { track: JPEG, size }]);
  assert.deepEqual(seen.sent.at(-1), [size, 'h264']);
});

test('a browser that doesn\'t choose announces what it sends', () => {
  assert.deepEqual(over(['vp8']).seen.announced, [[VP8, JPEG]]);
});
