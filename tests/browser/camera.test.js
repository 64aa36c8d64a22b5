// Every way in which there can be no camera, as the page is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chromium, PATIENCE, until } from './browsers.js';
import { serveUi } from './static.js';

const LONG = { timeout: 2 * PATIENCE };

/** Opens the camera in a blank page; answers its states, and what was said before. */
async function ask(browser, url, prepare) {
  const page = await browser.newPage();
  if (prepare) await page.evaluateOnNewDocument(prepare);
  await page.goto(url);
  await page.evaluate(async () => {
    const [{ capability }, { Devices }] = await Promise.all([
      import('/platform/browser/camera.js'), import('/platform/browser/devices.js'),
    ]);
    globalThis.before = (await capability()).camera;
    globalThis.states = [];
    globalThis.tracks = [];
    globalThis.lists = [];
    globalThis.devices = new Devices();
    globalThis.devices.watch((list) => globalThis.lists.push(list));
    globalThis.camera = globalThis.devices.camera({
      state: (state) => globalThis.states.push(state),
      track: (track) => globalThis.tracks.push(track),
    });
    await globalThis.camera.on();
  });
  return {
    page,
    seen: () => page.evaluate(() => ({ before: globalThis.before, states: globalThis.states })),
  };
}

test('a camera that works is opened, given back, and opened again', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const chrome = await chromium();
  t.after(chrome.close);
  const { page, seen } = await ask(chrome.browser, `${server.origin}/blank`);
  assert.deepEqual(await seen(), { before: 'off', states: ['starting', 'on'] });
  const live = () => page.evaluate(() => globalThis.tracks.map((track) => track && track.readyState));
  assert.deepEqual(await live(), ['live']);
  await page.evaluate(() => globalThis.camera.off());
  assert.deepEqual(await live(), ['ended', null]);
  await page.evaluate(() => globalThis.camera.on());
  assert.deepEqual((await seen()).states, ['starting', 'on', 'off', 'starting', 'on']);

  // A camera that is pulled out is lost, and taken again when one is there.
  await page.evaluate(() => globalThis.tracks[2].onended());
  assert.equal((await seen()).states.at(-1), 'lost');
  await page.evaluate(() => navigator.mediaDevices.dispatchEvent(new Event('devicechange')));
  await until('the camera again', async () => (await seen()).states.at(-1) === 'on');
});

test('a refused camera is said to be refused', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const chrome = await chromium({ allowCamera: false });
  t.after(chrome.close);
  const { seen } = await ask(chrome.browser, `${server.origin}/blank`);
  assert.deepEqual((await seen()).states, ['starting', 'denied']);
});

test('a machine without a camera is told from one that refuses', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const chrome = await chromium({ device: false });
  t.after(chrome.close);
  const { seen } = await ask(chrome.browser, `${server.origin}/blank`);
  assert.deepEqual(await seen(), { before: 'missing', states: ['starting', 'missing'] });
});

/** Two cameras, the first as busy as `globalThis.busy` says, and those plugged in that `globalThis.plugged` names. */
const cables = () => {
  const { getUserMedia, enumerateDevices } = MediaDevices.prototype;
  globalThis.busy = 0;
  globalThis.plugged = null;
  const there = (device) => device.kind !== 'videoinput' || !globalThis.plugged || globalThis.plugged.includes(device.deviceId);
  MediaDevices.prototype.enumerateDevices = async function some() {
    return (await enumerateDevices.call(this)).filter(there);
  };
  MediaDevices.prototype.getUserMedia = async function some(given) {
    if (globalThis.busy > 0) {
      globalThis.busy -= 1;
      throw new DOMException('in use', 'NotReadableError');
    }
    const wanted = given.video?.deviceId?.exact;
    if (globalThis.plugged && (globalThis.plugged.length === 0 || (wanted && !globalThis.plugged.includes(wanted)))) throw new DOMException('gone', 'NotFoundError');
    return getUserMedia.call(this, given);
  };
};
const TWO = { args: ['--use-fake-device-for-media-stream=device-count=2'], device: false };
const changed = (page, plugged) => page.evaluate((ids) => {
  globalThis.plugged = ids;
  navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
}, plugged);

test('a camera that another program holds is said to be busy, and taken once it is free', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const chrome = await chromium();
  t.after(chrome.close);
  const { page, seen } = await ask(chrome.browser, `${server.origin}/blank`, cables);
  await page.evaluate(async () => {
    globalThis.camera.off();
    globalThis.states.length = 0;
    globalThis.busy = 2;
    await globalThis.camera.on();
  });
  // It says so once, and tries again without anybody's doing.
  await until('the camera by itself', async () => (await seen()).states.at(-1) === 'on');
  assert.deepEqual((await seen()).states, ['starting', 'busy', 'on']);
  assert.equal(await page.evaluate(() => globalThis.busy), 0);
});

test('waits for a busy camera grow, and end at eight seconds', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const { patience } = await import('../../ui/platform/browser/input.js');
  assert.deepEqual([1, 2, 3, 4, 5, 50].map((failures) => patience('busy', failures)), [1000, 2000, 4000, 8000, 8000, 8000]);
  assert.equal(patience('denied', 1), null);
});

test('the camera that was lost comes back, and no other in its place', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const chrome = await chromium(TWO);
  t.after(chrome.close);
  const { page, seen } = await ask(chrome.browser, `${server.origin}/blank`, cables);
  const [first, second] = await page.evaluate(async () => (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === 'videoinput').map(({ deviceId }) => deviceId));
  assert.ok(first && second);
  const using = await page.evaluate(() => globalThis.tracks.at(-1).getSettings().deviceId);
  const other = using === first ? second : first;
  await page.evaluate(() => globalThis.tracks.at(-1).onended());
  await changed(page, [other]);
  await until('the list without it', () => page.evaluate(() => globalThis.lists.at(-1).cameras.length === 1));
  assert.equal((await seen()).states.at(-1), 'lost');
  await changed(page, [first, second]);
  await until('the camera again', async () => (await seen()).states.at(-1) === 'on');
  assert.equal(await page.evaluate(() => globalThis.tracks.at(-1).getSettings().deviceId), using);
});

test('a chosen camera is taken at once and remembered', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const chrome = await chromium(TWO);
  t.after(chrome.close);
  const { page } = await ask(chrome.browser, `${server.origin}/blank`);
  const list = await until('both names', () => page.evaluate(() => globalThis.lists.find(({ cameras }) => cameras.length === 2 && cameras.every(({ name }) => name))));
  const other = list.cameras.find(({ id }) => id !== list.chosen).id;
  await page.evaluate((id) => globalThis.devices.choose(id), other);
  const using = (of) => of.evaluate(() => globalThis.tracks.at(-1)?.getSettings().deviceId);
  await until('the other camera', async () => (await using(page)) === other);
  assert.equal(await page.evaluate(() => globalThis.lists.at(-1).chosen), other);
  // Nobody holds the first one any more.
  assert.equal(await page.evaluate(() => globalThis.tracks[0].readyState), 'ended');
  const { page: later } = await ask(chrome.browser, `${server.origin}/blank`);
  assert.equal(await using(later), other);
});

test('a preview shows the own picture, and gives the camera back', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const chrome = await chromium();
  t.after(chrome.close);
  const page = await chrome.browser.newPage();
  await page.goto(`${server.origin}/blank`);
  await page.evaluate(async () => {
    const { getUserMedia } = MediaDevices.prototype;
    MediaDevices.prototype.getUserMedia = async function kept(given) {
      const stream = await getUserMedia.call(this, given);
      globalThis.track = stream.getVideoTracks()[0];
      return stream;
    };
    const { Devices } = await import('/platform/browser/devices.js');
    globalThis.events = [];
    globalThis.canvas = document.body.appendChild(document.createElement('canvas'));
    globalThis.preview = new Devices().preview((event) => globalThis.events.push(event));
    globalThis.preview.show(globalThis.canvas, { width: 640, height: 360 });
  });
  await until('the own picture', () => page.evaluate(() => globalThis.events.some(({ type }) => type === 'picture')));
  const seen = new Set();
  await until('a picture that moves', async () => {
    seen.add(await page.evaluate(() => {
      const { canvas } = globalThis;
      return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.reduce((sum, value) => (sum * 31 + value) % 1_000_003, 7);
    }));
    return seen.size > 3;
  });
  await page.evaluate(() => globalThis.preview.stop());
  assert.equal(await page.evaluate(() => globalThis.track.readyState), 'ended', 'its light is out');
});

test('an insecure page has no camera, and says why', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const chrome = await chromium({ args: ['--host-resolver-rules=MAP insecure.test 127.0.0.1'] });
  t.after(chrome.close);
  const { seen } = await ask(chrome.browser, `${server.origin.replace('127.0.0.1', 'insecure.test')}/blank`);
  assert.deepEqual(await seen(), { before: 'insecure', states: ['insecure'] });
});
