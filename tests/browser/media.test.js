// What the page sends, received by the same page: cameras, encoders, decoders and canvases of real
// browsers, without a relay.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, firefox, PATIENCE, until, withoutH264, withoutMedia } from './browsers.js';
import { read } from './marker.js';
import { serveUi } from './static.js';
import { writeY4m } from './y4m.js';

let folder;
let camera;
let server;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'visita-media-'));
  camera = writeY4m(join(folder, 'camera.y4m'));
  server = await serveUi();
});

after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs in the page: its camera, sent to itself as member 7, in the first codec or the one that is named. */
async function startLoop(chosen) {
  const [{ Camera }, { probe }, { Painter }, { Pictures }, { Publisher }, { write }] = await Promise.all([
    import('/platform/browser/camera.js'), import('/platform/browser/codecs.js'),
    import('/platform/browser/painter.js'), import('/platform/browser/pictures.js'),
    import('/platform/browser/publisher.js'), import('/protocol/frame.js'),
  ]);
  const codecs = await probe();
  const painter = new Painter();
  const loop = { codecs, states: [], events: [], asked: 0, painted: 0, tracks: [], sent: [], lose: null };
  const member = (tracks) => ({ id: 7, name: 'x', role: 'guest', connection: 'connected', tracks });
  const decodes = [...codecs.decodes, 'jpeg'];
  loop.pictures = new Pictures(decodes, painter, {
    needKeyFrame: (_member, track) => {
      loop.asked += 1;
      loop.publisher.keyFrame(track);
    },
    picture: (_member, state, width, height) => loop.events.push({ state, width, height }),
    unable: (left) => loop.events.push({ state: `only ${left.join()}` }),
  });
  loop.pictures.member(member([]));
  loop.canvas = document.createElement('canvas');
  document.body.append(loop.canvas);
  loop.pictures.screenOf(7).add(loop.canvas, { width: 640, height: 360 });
  const context = loop.canvas.getContext('2d');
  const draw = context.drawImage.bind(context);
  context.drawImage = (...given) => {
    loop.painted += 1;
    draw(...given);
  };
  loop.publisher = new Publisher(codecs, {
    announce: (tracks) => {
      loop.tracks = tracks;
      loop.pictures.member(member(tracks));
      const [first] = tracks.filter(({ codec }) => codec === (chosen ?? codec));
      loop.publisher.send(first ? [{ track: first.id, size: first.layers[0] }] : []);
    },
    frame: (header, payload) => {
      loop.sent.push({ ...header, bytes: payload.length });
      if (!loop.lose?.(header)) loop.pictures.media(write({ ...header, sender: 7 }, payload));
      return 'taken';
    },
    waits: () => false,
    wantsKey: () => false,
    behind: () => false,
    line() {},
    own: () => {},
  });
  loop.camera = new Camera({
    state: (state) => loop.states.push(state),
    track: (track) => loop.publisher.camera(track),
  });
  setInterval(() => loop.pictures.beat(), 250);
  globalThis.loop = loop;
  await loop.camera.on();
}

/** Runs in the page: the canvas's pixels. */
const pixels = () => {
  const { canvas } = globalThis.loop;
  if (canvas.width < 2) return null;
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return { width, height, data: btoa(text) };
};

async function marker(page) {
  const seen = await page.evaluate(pixels);
  return seen && read({ ...seen, data: Buffer.from(seen.data, 'base64') });
}

async function looped({ browser }, { prepare, codec } = {}) {
  const page = await browser.newPage();
  if (prepare) await page.evaluateOnNewDocument(prepare);
  await page.goto(`${server.origin}/blank`);
  await page.evaluate(startLoop, codec);
  return page;
}

/** The number in the picture must change this many times. */
async function advances(page, times) {
  const seen = new Set();
  await until(`${times} different pictures`, async () => {
    const mark = await marker(page);
    if (mark) seen.add(mark.number);
    return seen.size >= times;
  });
}

/** A camera through one of Chromium's codecs that move, whose track has this number, and back. */
async function thereAndBack(t, codec, track) {
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const page = await looped(chrome, { codec });
  await advances(page, 20);
  const { codecs, tracks } = await page.evaluate(() => ({ codecs: globalThis.loop.codecs, tracks: globalThis.loop.tracks }));
  assert.deepEqual(codecs, {
    encodes: [{ codec: 'h264', layers: true }, { codec: 'vp8', layers: true }], decodes: ['h264', 'vp8'],
  });
  assert.deepEqual(tracks.map((one) => one.codec), ['h264', 'vp8', 'jpeg']);
  const { sent, events, asked, states } = await page.evaluate(() => {
    const { sent: all, events: of, asked: count, states: camera } = globalThis.loop;
    return { sent: all, events: of, asked: count, states: camera };
  });
  assert.deepEqual(states, ['starting', 'on']);
  assert.deepEqual(events[0], { state: 'moving', width: 640, height: 360 });
  assert.equal(asked, 0);
  assert.ok(sent.every((header) => header.track === track));
  assert.deepEqual(sent.map(({ sequence }) => sequence), sent.map((_, at) => at));
  assert.deepEqual(sent[0].references, []);
  assert.ok(sent.filter(({ references }) => references.length === 0).length <= 2, 'key frames come when asked for');

  // Without the upper layer half of the frames are left, and nothing is missed.
  assert.ok(sent.some(({ layer }) => layer.temporal === 1), 'two temporal layers');
  await page.evaluate(() => {
    globalThis.loop.lose = (header) => header.layer.temporal > 0;
  });
  await advances(page, 10);
  assert.equal(await page.evaluate(() => globalThis.loop.asked), 0);

  // A lost frame is noticed, a key frame asked for, and the picture goes on.
  const lost = await page.evaluate(() => {
    const { loop } = globalThis;
    loop.lose = (header) => {
      if (header.references.length === 0 || header.layer.temporal > 0) return false;
      loop.lose = null;
      return true;
    };
    return loop.sent.length;
  });
  await until('a request for a key frame', () => page.evaluate(() => globalThis.loop.asked > 0));
  await until('a key frame after the loss', () => page.evaluate(
    (from) => globalThis.loop.sent.slice(from).some(({ references }) => references.length === 0), lost));
  await advances(page, 5);

  // Shown small it is sent small, shown large again it is sent large.
  for (const [width, height] of [[320, 180], [640, 360]]) {
    await page.evaluate((send) => {
      const { loop } = globalThis;
      loop.publisher.send([send]);
      loop.pictures.screenOf(7).add(loop.canvas, { width: 640, height: 360 });
    }, { track, size: { width, height } });
    await until(`pictures of ${width} columns`, () => page.evaluate((columns) => globalThis.loop.canvas.width === columns, width));
    await advances(page, 5);
  }

  // Garbage is dropped, and the picture goes on after the next key frame.
  await page.evaluate(async (number) => {
    const { write } = await import('/protocol/frame.js');
    const { loop } = globalThis;
    const base = { sender: 7, track: number, layer: { spatial: 0, temporal: 0 }, timestamp: 1, chunk: 0, chunks: 1 };
    const sequence = loop.sent[loop.sent.length - 1].sequence;
    loop.pictures.media(write({ ...base, sequence: sequence + 1, references: [1] }, new Uint8Array(500).fill(0xa5)));
    loop.pictures.media(new Uint8Array(0));
    loop.pictures.media(new Uint8Array(100).fill(0x10));
    loop.pictures.media(write({ ...base, sender: 8, sequence: 0, references: [] }, new Uint8Array(5)));
  }, track);
  assert.ok(await page.evaluate(() => globalThis.loop.pictures.garbage) >= 3);
  await advances(page, 5);
}

test('Chromium: the camera goes through H.264 and back, picture for picture', { timeout: 3 * PATIENCE },
  (t) => thereAndBack(t, 'h264', 0));

test('Chromium: the camera goes through VP8 and back, picture for picture', { timeout: 3 * PATIENCE },
  (t) => thereAndBack(t, 'vp8', 3));

test('Chromium without WebCodecs and WebRTC: the camera goes through JPEG and back', { timeout: 3 * PATIENCE }, async (t) => {
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const page = await looped(chrome, { prepare: withoutMedia });
  await advances(page, 10);
  const { codecs, tracks, sent, canvas } = await page.evaluate(() => {
    const { loop } = globalThis;
    return {
      codecs: loop.codecs, tracks: loop.tracks, sent: loop.sent,
      canvas: [loop.canvas.width, loop.canvas.height],
    };
  });
  assert.deepEqual(codecs, { encodes: [], decodes: [] });
  assert.deepEqual(tracks, [{ id: 1, source: 'camera', codec: 'jpeg', layers: [{ width: 480, height: 270 }] }]);
  assert.deepEqual(canvas, [480, 270]);
  assert.ok(sent.every(({ track, references }) => track === 1 && references.length === 0));

  await page.evaluate(() => globalThis.loop.publisher.send([{ track: 1, size: { width: 160, height: 90 } }]));
  await until('small pictures', () => page.evaluate(() => globalThis.loop.canvas.width === 240));
  await advances(page, 5);

  // What isn't a picture is dropped; the next is shown.
  await page.evaluate(async () => {
    const { write } = await import('/protocol/frame.js');
    const { loop } = globalThis;
    const sequence = loop.sent[loop.sent.length - 1].sequence + 1;
    loop.pictures.media(write({
      sender: 7, track: 1, layer: { spatial: 0, temporal: 0 }, timestamp: 1, chunk: 0, chunks: 1, sequence, references: [],
    }, new Uint8Array(900).fill(0xd8)));
  });
  await advances(page, 5);
});

/** Firefox's fake camera is one colour that changes. */
async function colours(page, count) {
  const seen = new Set();
  await until(`${count} different colours`, async () => {
    const now = await page.evaluate(pixels);
    if (now) {
      const data = Buffer.from(now.data, 'base64');
      const middle = 4 * (Math.floor(now.height / 2) * now.width + Math.floor(now.width / 2));
      seen.add(data.subarray(middle, middle + 3).join());
    }
    return seen.size >= count;
  });
}

test('Firefox with libavcodec: H.264 both ways', { timeout: 3 * PATIENCE }, async (t) => {
  const fox = await firefox();
  t.after(fox.close);
  const page = await looped(fox);
  await colours(page, 5);
  const { codecs, sent } = await page.evaluate(() => ({ codecs: globalThis.loop.codecs, sent: globalThis.loop.sent }));
  assert.deepEqual([codecs.encodes[0].codec, ...codecs.decodes], ['h264', 'h264', 'vp8']);
  assert.ok(sent.every(({ track }) => track === 0));
  await page.evaluate(() => globalThis.loop.publisher.send([{ track: 0, size: { width: 320, height: 180 } }]));
  await until('small pictures', () => page.evaluate(() => globalThis.loop.canvas.width <= 320));
  await colours(page, 3);
});

test('Firefox without libavcodec: VP8 both ways', { timeout: 3 * PATIENCE }, async (t) => {
  const fox = await firefox({ prefs: withoutH264 });
  t.after(fox.close);
  const page = await looped(fox);
  await colours(page, 5);
  const { codecs, sent } = await page.evaluate(() => ({ codecs: globalThis.loop.codecs, sent: globalThis.loop.sent }));
  assert.deepEqual([codecs.encodes.map(({ codec }) => codec), codecs.decodes], [['vp8'], ['vp8']]);
  assert.ok(sent.every(({ track }) => track === 3));
  assert.ok(sent.filter(({ references }) => references.length === 0).length <= 2, 'key frames come when asked for');
  // A lost frame of the base is noticed, and the picture goes on.
  await page.evaluate(() => {
    const { loop } = globalThis;
    loop.lose = (header) => {
      if (header.references.length === 0 || header.layer.temporal > 0) return false;
      loop.lose = null;
      return true;
    };
  });
  await until('a request for a key frame', () => page.evaluate(() => globalThis.loop.asked > 0));
  await colours(page, 3);
  await page.evaluate(() => globalThis.loop.publisher.send([{ track: 3, size: { width: 320, height: 180 } }]));
  await until('small pictures', () => page.evaluate(() => globalThis.loop.canvas.width <= 320));
  await colours(page, 3);
});

test('Firefox without WebCodecs: JPEG both ways', { timeout: 3 * PATIENCE }, async (t) => {
  const fox = await firefox({ prefs: { 'dom.media.webcodecs.enabled': false } });
  t.after(fox.close);
  const page = await looped(fox);
  await colours(page, 5);
  const { codecs, sent } = await page.evaluate(() => ({ codecs: globalThis.loop.codecs, sent: globalThis.loop.sent }));
  assert.deepEqual(codecs, { encodes: [], decodes: [] });
  assert.ok(sent.every(({ track }) => track === 1));
});

test('Chromium: a tablet that is turned goes on, without a picture lost', { timeout: 3 * PATIENCE }, async (t) => {
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const page = await looped(chrome);
  await page.evaluate(() => {
    const { loop } = globalThis;
    loop.camera.off();
    // A camera whose picture is red above, blue below, and turns.
    const source = document.createElement('canvas');
    const context = source.getContext('2d');
    loop.turn = (width, height) => {
      source.width = width;
      source.height = height;
    };
    loop.turn(640, 360);
    let number = 0;
    setInterval(() => {
      number += 1;
      context.fillStyle = 'red';
      context.fillRect(0, 0, source.width, source.height / 2);
      context.fillStyle = 'blue';
      context.fillRect(0, source.height / 2, source.width, source.height / 2);
      context.fillStyle = 'white';
      context.fillRect(0, source.height / 2 - 20, (number * 8) % source.width, 40);
    }, 33);
    loop.publisher.camera(source.captureStream(30).getVideoTracks()[0]);
  });
  const corner = () => page.evaluate(() => {
    const { canvas } = globalThis.loop;
    const [top, bottom] = [4, canvas.height - 4].map((y) => [...canvas.getContext('2d').getImageData(canvas.width - 4, y, 1, 1).data]);
    return { width: canvas.width, height: canvas.height, upright: top[0] > 150 && top[2] < 90 && bottom[2] > 150 && bottom[0] < 90 };
  });
  const shows = (width, height) => until(`a picture of ${width}×${height}`, async () => {
    const seen = await corner();
    return seen.width === width && seen.height === height && seen.upright;
  });
  for (const [width, height] of [[640, 360], [360, 640], [640, 360]]) {
    await page.evaluate((wide, high) => globalThis.loop.turn(wide, high), width, height);
    await shows(width, height);
    const painted = await page.evaluate(() => globalThis.loop.painted);
    await until('more pictures', async () => (await page.evaluate(() => globalThis.loop.painted)) > painted + 5);
    const [announced] = await page.evaluate(() => globalThis.loop.tracks[0].layers);
    assert.deepEqual(announced, { width, height }, 'the relay knows');
  }
  // A camera that turns its pictures by saying so, as tablets' do: red on the left is above.
  await page.evaluate(() => {
    const { loop } = globalThis;
    const source = new OffscreenCanvas(640, 360);
    const context = source.getContext('2d');
    const track = new MediaStreamTrackGenerator({ kind: 'video' });
    const writer = track.writable.getWriter();
    let number = 0;
    setInterval(() => {
      number += 1;
      context.fillStyle = 'red';
      context.fillRect(0, 0, 320, 360);
      context.fillStyle = 'blue';
      context.fillRect(320, 0, 320, 360);
      context.fillStyle = 'white';
      context.fillRect(300, 0, 40, (number * 8) % 360);
      void writer.write(new VideoFrame(source, { timestamp: performance.now() * 1000, rotation: 90 }));
    }, 33);
    loop.publisher.camera(track);
  });
  await shows(360, 640);
  const { events, asked } = await page.evaluate(() => globalThis.loop);
  assert.equal(asked, 0, 'nobody had to ask for a key frame');
  const sizes = events.filter(({ state }) => state === 'moving').map(({ width, height }) => `${width}x${height}`);
  assert.ok(sizes.join().includes('640x360,360x640,640x360'), sizes.join());
  assert.ok(!events.some(({ state }) => state === 'stalled' || state === 'undecodable'), JSON.stringify(events));
});
