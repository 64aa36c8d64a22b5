// How people are shown, with real pictures and real voices: who is pinned, who speaks, what is asked
// for at which size, what a page that nobody sees asks for, and the small window over others.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, PATIENCE, until } from './browsers.js';
import { openGallery } from './gallery-page.js';
import { participant, relay } from './harness.js';
import { by, open } from './screens.js';
import { writeWav } from './tones.js';
import { writeY4m } from './y4m.js';

const LONG = { timeout: 6 * PATIENCE };
const DESKTOP = { width: 1280, height: 800 };

let files;
let camera;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-layouts-'));
  camera = writeY4m(join(files, 'camera.y4m'));
});

after(() => rmSync(files, { recursive: true, force: true }));

/** Runs in the page before its scripts: what it says is shown is kept, and whether it is seen can be said. */
const prepare = () => {
  globalThis.watched = [];
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function keep(data) {
    if (typeof data === 'string' && data.includes('"watch"')) {
      const said = JSON.parse(data);
      const watch = [said, said.message, said.body].find((one) => one?.type === 'watch');
      if (watch) globalThis.watched.push(watch);
    }
    return send.call(this, data);
  };
  globalThis.hides = false;
  Object.defineProperty(Document.prototype, 'hidden', { get: () => globalThis.hides });
  Object.defineProperty(Document.prototype, 'visibilityState', { get: () => (globalThis.hides ? 'hidden' : 'visible') });
};

/** A relative in a call with Ana, Luis and Marta, who show themselves. */
async function inCall(t, { sound = {}, before: also } = {}) {
  const host = await relay(t);
  for (const name of ['Ana', 'Luis', 'Marta']) {
    participant(t, host, 'Rosa', name, { role: 'family', video: 'synthetic:320x180@8', args: sound[name] ? ['--audio', `file:${sound[name]}`] : [] });
  }
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const family = await open(chrome.browser, `${host.url}/Familiar/`, { viewport: DESKTOP, prepare });
  if (also) await family.page.evaluate(also);
  await family.type('familiar-name', 'Rosa');
  await family.press('familiar-enter');
  for (const name of ['Ana', 'Luis', 'Marta']) await family.sees(name, 3);
  return { host, chrome, family };
}

/** Each one's tile: where it sits, how large. @param {Awaited<ReturnType<typeof open>>} at */
const tiles = (at) => at.page.$$eval(by('tile'), (all) => Object.fromEntries(all.map((one) => [
  one.querySelector('.tile-name').textContent, { place: one.dataset.place, pinned: one.classList.contains('pinned'), width: one.offsetWidth, height: one.offsetHeight },
])));
const large = async (at) => Object.entries(await tiles(at)).find(([, tile]) => tile.place === 'large')?.[0];
/** What the page said last that it shows, by size. @param {Awaited<ReturnType<typeof open>>} at */
const watched = (at) => at.page.evaluate(() => globalThis.watched.at(-1)?.views.map(({ size }) => size?.width ?? 0).sort((a, b) => b - a));
/** @param {Awaited<ReturnType<typeof open>>} at @param {string} name */
const touch = (at, name) => at.page.evaluate((wanted) => {
  [...document.querySelectorAll('[data-testid="tile"]')].find((one) => one.querySelector('.tile-name').textContent === wanted).click();
}, name);
/** @param {Awaited<ReturnType<typeof open>>} at @param {boolean} hidden */
const turn = (at, hidden) => at.page.evaluate((to) => {
  globalThis.hides = to;
  document.dispatchEvent(new Event('visibilitychange'));
}, hidden);

test('who is touched is large, in the same canvas, and asked for in a large size, the others in small ones; touched again all are alike', LONG, async (t) => {
  const { family } = await inCall(t);
  assert.equal(await large(family), undefined, 'three are alike');
  await family.page.evaluate(() => {
    globalThis.canvases = new Set(document.querySelectorAll('[data-testid="tile-canvas"]'));
  });
  await touch(family, 'Luis');
  await until('Luis large', async () => await large(family) === 'Luis');
  await family.reads('notice', 'Luis');
  const now = await tiles(family);
  assert.equal(now.Luis.pinned, true);
  assert.ok(now.Luis.width > 3 * now.Ana.width, JSON.stringify(now));
  await until('the sizes at the relay', async () => {
    const [first, ...others] = await watched(family);
    // A pixel of rounding between two tiles of a strip.
    return first === now.Luis.width && others.length === 2 && others.every((width) => Math.abs(width - now.Ana.width) < 2);
  });
  await family.sees('Luis', 5);
  assert.equal(await family.page.$$eval(by('tile-canvas'), (all) => all.every((one) => globalThis.canvases.has(one))), true);

  // The same by keyboard: in the list of people, where one can be put down as well.
  await family.page.keyboard.press('p');
  await until('the people', () => family.page.$(by('pin')));
  const pinned = await family.page.$$eval(by('person'), (all) => all.filter(
    (one) => one.querySelector('[data-testid="pin"]')?.getAttribute('aria-pressed') === 'true').map((one) => one.textContent));
  assert.equal(pinned.length, 1);
  assert.ok(pinned[0].includes('Luis'), pinned[0]);
  // Who came in which order isn't known.
  await family.page.$$eval(by('person'), (all) => {
    const marta = all.find((one) => one.textContent.includes('Marta'));
    marta.querySelector('[data-testid="pin"]').focus();
  });
  await family.page.keyboard.press('Enter');
  await until('Marta large', async () => await large(family) === 'Marta');
  await family.page.keyboard.press('Enter');
  await until('all alike', async () => await large(family) === undefined);
  await family.page.keyboard.press('Escape');

  // Who is pinned and leaves is nobody's.
  await touch(family, 'Ana');
  await until('Ana large', async () => await large(family) === 'Ana');
  await touch(family, 'Ana');
  await until('all alike', async () => await large(family) === undefined);
  family.clean();
});

test('in the speaker’s view whoever speaks becomes large, one after the other, and the choice is kept', LONG, async (t) => {
  // Each with another pause: sooner or later each one speaks alone.
  const sound = { Luis: writeWav(join(files, 'luis.wav'), 330, 7, 8), Marta: writeWav(join(files, 'marta.wav'), 550, 7, 12) };
  const { family } = await inCall(t, { sound });
  await family.press('menu-toggle');
  await family.page.click(by('layout-fold'));
  await family.page.click(by('layout-speaker'));
  await family.page.keyboard.press('Escape');
  /** When who became large. @type {[number, string][]} */
  const changes = [];
  await until('Luis, then Marta or the other way round, and back', async () => {
    const who = await large(family);
    if (who && changes.at(-1)?.[1] !== who) changes.push([Date.now(), who]);
    return changes.filter(([, name]) => name !== 'Ana').length >= 3;
  }, 4 * PATIENCE);
  t.diagnostic(changes.map(([at, name]) => `${Math.round((at - changes[0][0]) / 100) / 10} s ${name}`).join(', '));
  await family.sees(String(await large(family)), 3);
  assert.equal(await family.page.evaluate(() => localStorage.getItem('visita.layout')), 'speaker');
  await family.page.reload();
  await family.type('familiar-name', 'Rosa');
  await family.press('familiar-enter');
  await until('one large from the start', () => large(family));
  family.clean();
});

test('a page that nobody sees asks for no picture after a moment, and for all of them at once when it is seen again', LONG, async (t) => {
  const { family } = await inCall(t);
  await until('three asked for', async () => (await watched(family))?.length === 3);
  const said = () => family.page.evaluate(() => globalThis.watched.length);

  // A glance elsewhere: nothing is said.
  const before = await said();
  await turn(family, true);
  await turn(family, false);
  await family.sees('Ana', 5);
  assert.equal(await said(), before);

  await turn(family, true);
  await until('none asked for', async () => (await watched(family)).length === 0);
  // Sound is none of this: the session and its beat go on.
  assert.equal(await family.page.$eval(by('call'), (one) => one.dataset.connection), 'connected');
  await turn(family, false);
  await until('three again', async () => (await watched(family)).length === 3);
  for (const name of ['Ana', 'Luis', 'Marta']) await family.sees(name, 5);
  assert.equal((await family.texts('tile')).some((text) => /detuvo|stopped/.test(text)), false);

  // The system stops the page: it says so at once, for there is no later.
  await turn(family, true);
  await family.page.evaluate(() => document.dispatchEvent(new Event('freeze')));
  assert.equal((await watched(family)).length, 0);
  await turn(family, false);
  await family.sees('Luis', 5);
  family.clean();
});

test('the small window is offered where the browser has it, and nowhere else', LONG, async (t) => {
  const gallery = await openGallery();
  t.after(gallery.close);
  const { page, show } = await gallery.lane();
  await show('call-3', 'es', DESKTOP);
  await page.click(by('menu-toggle'));
  const offered = await page.evaluate(() => 'documentPictureInPicture' in window);
  t.diagnostic(`this browser has document picture-in-picture: ${offered}`);
  assert.equal(await page.$(by('menu-floating')) !== null, offered);
  await page.evaluateOnNewDocument(() => {
    delete globalThis.documentPictureInPicture;
  });
  await show('call-2', 'es', DESKTOP);
  await page.click(by('menu-toggle'));
  assert.ok(await page.$(by('menu-self')));
  assert.equal(await page.$(by('menu-floating')), null);
});

test('while the own picture is hidden it is said that one is seen, and a touch shows it again', LONG, async (t) => {
  const { family } = await inCall(t);
  const shown = (testid) => family.page.$eval(by(testid), (one) => one.checkVisibility());
  assert.equal(await shown('self-sent'), false);
  await family.page.keyboard.press('h');
  await until('the word', () => shown('self-sent'));
  assert.match(await family.page.$eval(by('self-sent'), (one) => one.textContent), /Le están viendo|You are seen/);
  assert.equal(await shown('self'), false);
  // With the camera off nobody is.
  await family.page.keyboard.press('v');
  await until('no word', async () => !await shown('self-sent'));
  await family.page.keyboard.press('v');
  await until('the word again', () => shown('self-sent'));
  await family.press('self-sent');
  await until('the own picture', () => shown('self'));
  assert.equal(await shown('self-sent'), false);
  family.clean();
});
