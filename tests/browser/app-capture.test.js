// Where only the web view is given the camera (Android) the page captures, and Rust encodes and
// sends. WebKitGTK has no camera to give, so the app's own modules run in Chromium, at the origin
// that the page has on Android, and hand their pictures to the real app, which is in a call.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { test } from 'node:test';

import { Lan, whyNot } from './app-lan.js';
import { Person, browserPage } from './app-person.js';
import { openApp } from './app-window.js';
import { CHROMIUM, PATIENCE, chromium } from './browsers.js';
import { TOP, folder } from './harness.js';
import { writeY4m } from './y4m.js';

const APP = join(process.env.VISITA_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(TOP, 'target'), 'debug'), 'visita');
const ORIGIN = 'http://tauri.localhost';
const TYPES = { '.js': 'text/javascript', '.html': 'text/html' };

/** Answers what the page asks of its origin with the page's own files. */
async function serveOurselves(page) {
  await page.setRequestInterception(true);
  page.on('request', (request) => {
    const { origin, pathname } = new URL(request.url());
    if (origin !== ORIGIN) return request.continue();
    if (pathname === '/') return request.respond({ contentType: 'text/html', body: '<!doctype html>' });
    const path = join(TOP, 'ui', pathname);
    if (!existsSync(path)) return request.respond({ status: 404 });
    return request.respond({ contentType: TYPES[extname(path)] ?? 'text/plain', body: readFileSync(path) });
  });
}

test('what a page captures is seen by others', { timeout: 4 * PATIENCE, skip: whyNot() || false }, async (t) => {
  assert.ok(existsSync(APP), `${APP} is missing: cargo build -p visita`);
  const files = folder(t);
  const camera = writeY4m(join(files, 'camera.y4m'), { width: 320, height: 180, rate: 15 });
  const lan = new Lan(['a', 'b']);
  t.after(() => lan.remove());
  const state = join(files, 'a');
  const { session } = await openApp(t, {
    machine: lan.machine('a'), binary: APP, state, env: { VISITA_DATA: join(state, 'visita'), VISITA_CAMERA: 'page' },
  });
  const app = new Person('a', session);
  await app.click('host-switch');
  await app.reads('host-url', `https://${lan.machine('a').address}:3000`);

  // The app's own page leaves its place to the one that has a camera.
  await session.run(() => {
    window.WebSocket = class extends EventTarget {};
    window.__TAURI__.core.invoke('start').then((endpoint) => { window.endpoint = endpoint; });
  });
  const endpoint = await session.wait('the way to Rust', () => window.endpoint);
  const browser = async (name, args = []) => {
    const chrome = await chromium({ camera, pipe: true, args, path: lan.machine(name).standIn(CHROMIUM, files) });
    t.after(chrome.close);
    return chrome.browser.newPage();
  };
  // For Chromium an answer that is made up, as ours are, comes from no network at all, and such a page
  // may not reach this device. In WebView2 that is switched off as here (tauri.conf.json).
  const captures = await browser('a', ['--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets']);
  await serveOurselves(captures);
  await captures.goto(`${ORIGIN}/`);
  await captures.evaluate(async (way) => {
    const { Frames } = await import('/platform/tauri/frames.js');
    const { Capture } = await import('/platform/tauri/capture.js');
    const { Devices } = await import('/platform/browser/devices.js');
    window.capture = new Capture(new Devices(), new Frames(Promise.resolve(way), () => {}));
  }, endpoint);

  await session.run(() => {
    const on = new window.__TAURI__.core.Channel();
    on.onmessage = ({ message }) => { if (message?.type === 'joined') window.room = message.room.id; };
    const options = { room: { by: 'name', name: 'Uno', create: 'meeting' }, name: 'Ana', role: 'guest', camera: true };
    window.__TAURI__.core.invoke('join', { options, on });
  });
  const room = await session.wait('the call', () => window.room);

  const page = await browser('b');
  await page.goto(`https://${lan.machine('a').address}:3000/Familiar/#room=${room}`);
  const family = new Person('b', browserPage(page));
  await family.type('familiar-name', 'Berta');
  await family.click('familiar-enter');
  // The numbers in the pictures: their pixels came through whole.
  await family.sees(1);
});
