// Sealed frames over real browsers' WebRTC: what is sealed is carried, and nothing is decoded without its
// key. Two connections of one page, in a network namespace of its own; without a relay.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Lan, whyNot } from './app-lan.js';
import { PATIENCE } from './browsers.js';

const PAGE = fileURLToPath(new URL('sealing-page.js', import.meta.url));
const skip = whyNot();

/** @type {Lan} */
let lan;
before(() => {
  if (!skip) lan = new Lan(['page']);
});
after(() => lan?.remove());

/** Runs `sealing-page.js` in the namespace, and answers what it saw. */
async function seen(options) {
  const child = lan.machine('page').spawn(process.execPath, [PAGE, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, 'the page saw what it waited for');
  return JSON.parse(text);
}

for (const { name, way, ...options } of [
  { name: 'Chromium, H.264', way: 'script', browser: 'chromium', codec: 'h264' },
  { name: 'Chromium, VP8', way: 'script', browser: 'chromium', codec: 'vp8' },
  { name: 'Chromium as it was before, H.264', way: 'streams', browser: 'chromium', codec: 'h264', older: true },
  { name: 'Chromium as it was before, VP8', way: 'streams', browser: 'chromium', codec: 'vp8', older: true },
  { name: 'Firefox, VP8', way: 'script', browser: 'firefox', codec: 'vp8' },
]) {
  test(`sealed over WebRTC: ${name}`, { skip: skip || false, timeout: 6 * PATIENCE }, async () => {
    const result = await seen(options);
    const { nobodyHasAKey, noKey, opened, another, anotherLater } = result.steps;
    assert.equal(result.way, way);
    for (const kind of ['audio', 'video']) {
      assert.equal(nobodyHasAKey[kind].packets, 0, `${kind}: nothing is sent before there is a key`);
      assert.ok(noKey[kind].packets > 0, `${kind}: sealed frames arrive`);
      assert.equal(noKey[kind].opened.frames, 0);
      assert.ok(opened[kind].opened.frames > 0, `${kind}: frames went through the worker`);
      // Lost frames and those on their way apart, every other one is opened.
      assert.deepEqual(Object.keys(opened[kind].opened.refused), ['no_key']);
    }
    assert.equal(noKey.video.decoded, 0, 'no picture without its key');
    assert.ok(opened.video.decoded <= opened.video.opened.frames, 'no picture but those that were opened');
    // What was opened before the change may still be decoded after it; what comes later isn't.
    assert.equal(anotherLater.video.opened.frames, another.video.opened.frames);
    assert.deepEqual([opened.width, opened.height], [320, 240], 'the size is the sealed one, not the one before it');
    const { carried, order, refused, keyless } = result.own;
    assert.ok(carried.every((same) => same) && carried.length === 8, 'frames of carriers of the page\'s own come out as they were');
    assert.deepEqual(order, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual([refused, keyless], ['sequence', 'no_key']);
    assert.equal(result.keyTwice, 'known', 'no key is sealed with twice');
    assert.deepEqual(result.problems, []);
  });
}
