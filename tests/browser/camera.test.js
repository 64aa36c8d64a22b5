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
    const { Camera, capability } = await import('/platform/browser/camera.js');
    globalThis.before = await capability();
    globalThis.states = [];
    globalThis.tracks = [];
    globalThis.camera = new Camera({
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

test('a camera that another program holds is said to be busy', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const chrome = await chromium();
  t.after(chrome.close);
  const { page, seen } = await ask(chrome.browser, `${server.origin}/blank`, () => {
    const { getUserMedia } = MediaDevices.prototype;
    MediaDevices.prototype.getUserMedia = function busyOnce(...given) {
      MediaDevices.prototype.getUserMedia = getUserMedia;
      return given.length ? Promise.reject(new DOMException('in use', 'NotReadableError')) : getUserMedia.apply(this, given);
    };
  });
  assert.deepEqual((await seen()).states, ['starting', 'busy']);
  await page.evaluate(() => globalThis.camera.on());
  assert.deepEqual((await seen()).states, ['starting', 'busy', 'starting', 'on']);
});

test('an insecure page has no camera, and says why', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  const chrome = await chromium({ args: ['--host-resolver-rules=MAP insecure.test 127.0.0.1'] });
  t.after(chrome.close);
  const { seen } = await ask(chrome.browser, `${server.origin.replace('127.0.0.1', 'insecure.test')}/blank`);
  assert.deepEqual(await seen(), { before: 'insecure', states: ['insecure'] });
});
