// The parts of the browser's platform that need no browser.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Assembler } from '../../ui/protocol/chunk.js';
import { parse } from '../../ui/protocol/frame.js';
import { relayOf, socketUrl } from '../../ui/platform/browser/address.js';
import { hasParameterSets, isAnnexB } from '../../ui/platform/browser/annex-b.js';
import { BackOff } from '../../ui/platform/browser/back-off.js';
import { stateOf } from '../../ui/platform/browser/input.js';
import { turned } from '../../ui/platform/browser/frames.js';
import { sizeInHeader } from '../../ui/platform/browser/jpeg.js';
import { CHUNK, MAX_WAITING, Outbox, PATIENCE } from '../../ui/platform/browser/outbox.js';
import { fit, Pace, Rate, stepFor } from '../../ui/platform/browser/pace.js';
import { Publisher } from '../../ui/platform/browser/publisher.js';
import { References } from '../../ui/platform/browser/references.js';
import { paintedSize } from '../../ui/platform/browser/painter.js';

const header = (sequence, key = false, track = 0) => ({
  sender: 0, track, layer: { spatial: 0, temporal: 0 }, sequence, timestamp: 0, chunk: 0, chunks: 1,
  references: key ? [] : [1],
});

test('the relay is the page, unless the address or the page names another', () => {
  const href = 'https://10.0.0.5:3000/Familiar/';
  const origin = (page) => relayOf(page).origin;
  assert.equal(origin({ href }), 'https://10.0.0.5:3000');
  assert.equal(origin({ href, meta: 'https://ward.example:3000/' }), 'https://ward.example:3000');
  assert.equal(origin({ href: `${href}?relay=https://10.0.0.9:3000/x`, meta: 'https://ward.example' }), 'https://10.0.0.9:3000');
  assert.equal(origin({ href: `${href}?relay=javascript:alert(1)` }), 'https://10.0.0.5:3000');
  assert.equal(origin({ href: `${href}?relay=nonsense` }), 'https://10.0.0.5:3000');
  assert.equal(socketUrl(new URL('https://a:1'), 'ws'), 'wss://a:1/api/v1/ws');
  assert.equal(socketUrl(new URL('http://a:1'), 'lobby'), 'ws://a:1/api/v1/lobby');
});

test('attempts come at 0.25 to 4 seconds', () => {
  const backOff = new BackOff();
  assert.deepEqual(Array.from({ length: 6 }, () => backOff.next()), [250, 500, 1000, 2000, 4000, 4000]);
  backOff.reset();
  assert.equal(backOff.next(), 250);
});

test('every failure of the camera has its state', () => {
  const of = (name) => stateOf(new DOMException('', name));
  assert.equal(of('NotAllowedError'), 'denied');
  assert.equal(of('NotFoundError'), 'missing');
  assert.equal(of('OverconstrainedError'), 'missing');
  assert.equal(of('NotReadableError'), 'busy');
  assert.equal(of('SecurityError'), 'insecure');
  assert.equal(of('TypeError'), 'failed');
  assert.equal(stateOf('what?'), 'failed');
});

test('a frame that is to be turned is told from one that stands, and from a browser that knows no turning', () => {
  assert.deepEqual([{ rotation: 90 }, { rotation: 180 }, { rotation: 0 }, {}].map(turned), [true, true, false, false]);
});

test('sizes keep their proportion, are even, and never grow', () => {
  assert.deepEqual(fit(1280, 720, 640), { width: 640, height: 360 });
  assert.deepEqual(fit(480, 640, 640), { width: 480, height: 640 });
  assert.deepEqual(fit(1080, 1920, 480), { width: 270, height: 480 });
  assert.deepEqual(fit(321, 241, 640), { width: 320, height: 240 });
  assert.deepEqual(fit(1, 1, 640), { width: 2, height: 2 });
});

test('a pace lets through what it says, of any camera', () => {
  for (const camera of [12, 15, 24, 25, 30, 60]) {
    const pace = new Pace(12);
    let count = 0;
    for (let at = 0; at < 10 * camera; at += 1) if (pace.due((at * 1000) / camera)) count += 1;
    assert.ok(count >= 110 && count <= 121, `${count} of a camera of ${camera}`);
  }
});

test('the bitrate falls at once, rises slowly, and stays within its limits', () => {
  const rate = new Rate(600_000);
  assert.equal(rate.congested(0), true);
  assert.equal(rate.bitrate, 402_000);
  assert.equal(rate.congested(100), false, 'the step before must show first');
  for (let now = 1000; now < 20_000; now += 1000) rate.congested(now);
  assert.equal(rate.bitrate, 120_000);
  assert.equal(rate.well(20_000 + 1999), true);
  for (let now = 30_000; now < 90_000; now += 2000) rate.well(now);
  assert.equal(rate.bitrate, 600_000);
});

test('a frame goes whole into an idle socket, in chunks into a busy one', () => {
  const outbox = new Outbox(256 * 1024);
  outbox.push(0, header(0, true), new Uint8Array(40_000));
  assert.equal(outbox.next(0)?.length, 25 + 40_000);
  assert.equal(outbox.next(0), null);

  outbox.push(0, header(1), new Uint8Array(40_000));
  const assembler = new Assembler();
  let whole = null;
  for (let message = outbox.next(1); message; message = outbox.next(1)) {
    assert.ok(message.length <= CHUNK + 40);
    const parsed = parse(message);
    whole = assembler.push(parsed.header, message.subarray(parsed.offset));
  }
  assert.equal(whole?.payload.length, 40_000);
  assert.equal(outbox.next(CHUNK), null, 'nothing into a full socket');
});

test('no message is larger than the relay takes', () => {
  const outbox = new Outbox(2000);
  outbox.push(0, header(0, true), new Uint8Array(9000));
  for (let message = outbox.next(0); message; message = outbox.next(0)) assert.ok(message.length <= 2000);
});

test('a frame that the wire cannot carry is dropped, and the track starts anew', () => {
  const outbox = new Outbox(65_536);
  outbox.push(0, header(0, true), new Uint8Array(1));
  assert.ok(outbox.next(0));
  assert.equal(outbox.push(1, header(1), new Uint8Array(2 ** 20 + 1)), 'congested');
  assert.equal(outbox.push(2, header(2), new Uint8Array(1)), 'congested');
  assert.equal(outbox.push(3, header(3, true), new Uint8Array(1)), 'taken');
  assert.equal(new Outbox(100).push(0, header(0, true), new Uint8Array(2 ** 20)), 'congested');
});

test('on a slow line frames are dropped up to the next key frame', () => {
  const outbox = new Outbox(65_536);
  const small = new Uint8Array(100);
  outbox.push(0, header(0, true), small);
  assert.equal(outbox.push(PATIENCE, header(1), small), 'taken');
  assert.equal(outbox.wantsKey(0), false);
  assert.equal(outbox.push(PATIENCE + 1, header(2), small), 'congested');
  assert.equal(outbox.length, 0, 'what waited is dropped');
  assert.equal(outbox.wantsKey(0), true);
  assert.equal(outbox.push(PATIENCE + 2, header(3), small), 'congested');
  assert.equal(outbox.push(PATIENCE + 3, header(4, true), small), 'taken');
  assert.equal(outbox.push(PATIENCE + 4, header(5), small), 'taken');
  const sent = [];
  for (let message = outbox.next(0); message; message = outbox.next(0)) sent.push(parse(message).header.sequence);
  assert.deepEqual(sent, [4, 5]);
  assert.equal(outbox.dropped, 4);
});

test('on a slow line the upper layer goes first, and nothing else is lost with it', () => {
  const outbox = new Outbox(65_536);
  outbox.push(0, header(0, true), new Uint8Array(10));
  const upper = { ...header(1), layer: { spatial: 0, temporal: 1 } };
  assert.equal(outbox.push(PATIENCE + 1, upper, new Uint8Array(10)), 'congested');
  assert.equal(outbox.wantsKey(0), false);
  assert.equal(outbox.length, 1);
});

test('a frame that was begun goes to its end', () => {
  const outbox = new Outbox(65_536);
  outbox.push(0, header(0, true), new Uint8Array(50_000));
  assert.ok(outbox.next(1));
  for (let sequence = 1; sequence <= MAX_WAITING; sequence += 1) outbox.push(1, header(sequence), new Uint8Array(10));
  assert.equal(outbox.length, 1);
  const assembler = new Assembler();
  let begun = 1;
  for (let message = outbox.next(1); message; message = outbox.next(1)) {
    assert.equal(parse(message).header.sequence, 0);
    begun += 1;
  }
  assert.equal(begun, 4);
  assert.equal(assembler.dropped, 0);
});

test('of JPEG pictures the newest wins', () => {
  const outbox = new Outbox(65_536);
  outbox.push(0, header(0, true, 1), new Uint8Array(10));
  assert.equal(outbox.holds(1), true);
  assert.equal(outbox.push(10, header(1, true, 1), new Uint8Array(10)), 'congested');
  assert.equal(outbox.length, 1);
  const message = outbox.next(0);
  assert.ok(message);
  assert.equal(parse(message).header.sequence, 1);
});

test('Annex B is told from other forms', () => {
  const key = Uint8Array.of(0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65, 9, 9);
  assert.equal(isAnnexB(key), true);
  assert.equal(hasParameterSets(key), true);
  const delta = Uint8Array.of(0, 0, 0, 1, 0x41, 9, 9, 9, 9);
  assert.equal(isAnnexB(delta), true);
  assert.equal(hasParameterSets(delta), false);
  assert.equal(isAnnexB(Uint8Array.of(0, 0, 0, 20, 0x65, 1)), false);
  assert.equal(isAnnexB(new Uint8Array(0)), false);
});

test("a JPEG's size is read before it is decoded", () => {
  const jpeg = (width, height) => Uint8Array.of(
    0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2,
    0xff, 0xc0, 0, 17, 8, height >> 8, height & 255, width >> 8, width & 255, 3, 0, 0, 0, 0);
  assert.deepEqual(sizeInHeader(jpeg(480, 270)), { width: 480, height: 270 });
  assert.equal(sizeInHeader(jpeg(0, 270)), null);
  assert.equal(sizeInHeader(Uint8Array.of(0xff, 0xd8, 0xff)), null);
  assert.equal(sizeInHeader(new Uint8Array(100)), null);
  assert.equal(sizeInHeader(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0)), null);
  for (let length = 0; length < 22; length += 1) sizeInHeader(jpeg(1, 1).subarray(0, length));
});

test('a picture is painted at the size of its place, if that is much smaller', () => {
  assert.deepEqual(paintedSize(640, 360, { width: 640, height: 360 }), { width: 640, height: 360 });
  assert.deepEqual(paintedSize(640, 360, { width: 1280, height: 720 }), { width: 640, height: 360 });
  assert.deepEqual(paintedSize(640, 360, { width: 160, height: 90 }), { width: 160, height: 90 });
  assert.deepEqual(paintedSize(640, 360, { width: 90, height: 90 }), { width: 160, height: 90 }, 'it covers its place');
  assert.deepEqual(paintedSize(640, 360, { width: 600, height: 300 }), { width: 640, height: 360 });
  assert.deepEqual(paintedSize(640, 360, { width: 0, height: 0 }), { width: 2, height: 2 });
  assert.deepEqual(paintedSize(640, 360, { width: NaN, height: NaN }), { width: 640, height: 360 });
});

test('a frame refers to the base layer below it, or to the one before where layers are not told', () => {
  const numbers = new References();
  const taken = [[true, 0], [false, 1], [false, 0], [false, 1], [false, 0], [true, 0], [false, 1]]
    .map(([key, temporal]) => numbers.take(key, temporal));
  assert.deepEqual(taken.map(({ sequence }) => sequence), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(taken.map(({ references }) => references), [[], [1], [2], [1], [2], [], [1]]);
  assert.deepEqual(taken.map(({ temporal }) => temporal), [0, 1, 0, 1, 0, 0, 1]);
  const plain = new References();
  const untold = [true, false, false, true, false].map((key) => plain.take(key, null));
  assert.deepEqual(untold.map(({ references }) => references), [[], [1], [1], [], [1]]);
  assert.ok(untold.every(({ temporal }) => temporal === 0));
  assert.deepEqual(new References().take(false, 1).references, [], 'nothing to refer to');
});

test('a picture is sent no larger than anybody shows it', () => {
  const largest = { width: 640, height: 360 };
  assert.equal(stepFor(largest, undefined), 1);
  assert.equal(stepFor(largest, { width: 0, height: 0 }), 1);
  assert.equal(stepFor(largest, { width: 1920, height: 1080 }), 1);
  assert.equal(stepFor(largest, { width: 640, height: 360 }), 1);
  assert.equal(stepFor(largest, { width: 500, height: 280 }), 0.75);
  assert.equal(stepFor(largest, { width: 320, height: 180 }), 0.5);
  assert.equal(stepFor(largest, { width: 100, height: 60 }), 0.5);
  assert.equal(stepFor(largest, { width: 300, height: 600 }), 1, 'it covers its place');
});

test('what waits of pictures that aren’t sent any more is withdrawn, the rest of one that was begun too', () => {
  const outbox = new Outbox(65_536);
  outbox.push(0, header(0, true), new Uint8Array(40_000));
  assert.ok(outbox.next(1));
  outbox.push(0, header(1), new Uint8Array(100));
  outbox.sound(0, header(0, true, 2), new Uint8Array(80));
  outbox.withdraw();
  assert.equal(outbox.length, 1);
  assert.equal(parse(outbox.next(0)).header.track, 2);
  assert.equal(outbox.next(0), null);
});

/** A camera that gives one frame, in a browser that encodes only JPEG. */
async function camera(ways) {
  const frames = [{ displayWidth: 640, displayHeight: 480, close() {} }];
  globalThis.MediaStreamTrackProcessor = class {
    readable = { getReader: () => ({ cancel: async () => {}, read: () => (frames.length ? Promise.resolve({ value: frames.pop(), done: false }) : new Promise(() => {})) }) };
  };
  const publisher = new Publisher({ encodes: [] }, { own() {}, waits: () => false, wantsKey: () => false, frame: () => 'taken', ...ways });
  publisher.camera({});
  await new Promise((resolve) => setTimeout(resolve));
  return publisher;
}

test('a picture that the line doesn’t carry is withdrawn and told, tried again, and told when it does well', async () => {
  const told = [];
  let behind = true;
  const publisher = await camera({ announce: (tracks) => told.push(tracks.length), line: (carries) => told.push(carries), behind: () => behind });
  const take = () => told.splice(0);
  const wanted = [{ track: 1, size: { width: 640, height: 480 } }];
  const beats = (from, to) => {
    for (let now = from; now <= to; now += 250) publisher.beat(now);
  };
  assert.deepEqual(take(), [1]);
  beats(0, 20_000);
  assert.deepEqual(take(), [], 'nobody wants it: nothing is late');
  publisher.send(wanted);
  beats(20_000, 23_750);
  assert.deepEqual(take(), []);
  beats(24_000, 33_750);
  assert.deepEqual(take(), ['sound', 0]);
  publisher.send(wanted);
  behind = false;
  beats(34_000, 34_000);
  assert.deepEqual(take(), ['sound', 1], 'tried, and not told');
  publisher.send(wanted);
  beats(34_250, 39_000);
  assert.deepEqual(take(), []);
  beats(39_250, 60_000);
  assert.deepEqual(take(), ['pictures', 1]);
});

test('a camera that is off is no picture that the line doesn’t carry', async () => {
  const told = [];
  const publisher = await camera({ announce: (tracks) => told.push(tracks.length), line: (carries) => told.push(carries), behind: () => true });
  publisher.send([{ track: 1, size: { width: 640, height: 480 } }]);
  for (let now = 0; now <= 5000; now += 250) publisher.beat(now);
  assert.deepEqual(told.splice(0), [1, 'sound', 0]);
  publisher.camera(null);
  assert.deepEqual(told, ['pictures', 0]);
});
