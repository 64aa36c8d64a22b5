// The screens of sound by keyboard, finger and mouse, in the gallery's calls: what opens and mutes
// the microphone and what doesn't, and what moves when somebody speaks.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { openGallery, SIZES } from './gallery-page.js';
import { by } from './screens.js';

const [PHONE, , LAPTOP] = SIZES;

/** @type {Awaited<ReturnType<typeof openGallery>>} */
let gallery;
/** @type {Awaited<ReturnType<typeof gallery.lane>>} */
let lane;
/** @type {import('puppeteer-core').Page} */
let page;

before(async () => {
  gallery = await openGallery();
});
beforeEach(async () => {
  await lane?.close();
  lane = await gallery.lane();
  ({ page } = lane);
});
after(() => gallery?.close());

/** @param {string} testid */
const label = (testid) => page.$eval(by(testid), (one) => one.textContent);
const open = () => page.$eval(by('mic-toggle'), (one) => one.getAttribute('aria-pressed') === 'true');
/** @param {string} testid */
async function middle(testid) {
  const box = await (await page.$(by(testid)))?.boundingBox();
  assert.ok(box, testid);
  return [box.x + box.width / 2, box.y + box.height / 2];
}
/** What is drawn next is drawn. */
const drawn = () => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
/** @param {string} key */
async function press(key) {
  await page.keyboard.press(key);
  await drawn();
}

test('M mutes and unmutes, with a word, and never while somebody writes', async () => {
  await lane.show('call-chat-empty', 'es', LAPTOP);
  assert.equal(await label('mic-toggle'), 'Micrófono');
  await press('m');
  assert.equal(await label('mic-toggle'), 'Silenciado');
  await press('M');
  assert.equal(await label('mic-toggle'), 'Micrófono');
  await page.focus(by('chat-input'));
  await page.keyboard.type('mmm mamá');
  await drawn();
  assert.equal(await page.$eval(by('chat-input'), (one) => /** @type {HTMLTextAreaElement} */ (one).value), 'mmm mamá');
  assert.ok(await open());
  assert.deepEqual(lane.complaints(), []);
});

test('M does nothing for who switched the keys off, or with another key', async () => {
  await lane.show('call-menu-keys-off', 'en', LAPTOP);
  await page.click(by('menu-close'));
  await press('m');
  assert.ok(await open());
  await lane.show('call-2', 'en', LAPTOP);
  await page.keyboard.down('Control');
  await press('m');
  await page.keyboard.up('Control');
  assert.ok(await open());
});

test('held to talk: by key, mouse and finger it is open that long, and muted when the page is left', async () => {
  await lane.show('sound-holding', 'es', PHONE);
  await page.click(by('mic-toggle'));
  await drawn();
  assert.equal(await label('mic-toggle'), 'Pulse y hable', 'a click holds nothing');
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).blur());

  await page.keyboard.down('m');
  await drawn();
  assert.equal(await label('mic-toggle'), 'Le oyen');
  await page.keyboard.down('m');
  await page.keyboard.up('m');
  await drawn();
  assert.ok(!await open());

  const [x, y] = await middle('mic-toggle');
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 90, y - 200);
  await drawn();
  assert.ok(await open(), 'a pointer that slid off still holds');
  await page.mouse.up();
  await drawn();
  assert.ok(!await open());

  await page.touchscreen.touchStart(x, y);
  await drawn();
  assert.ok(await open());
  await page.touchscreen.touchEnd();
  await drawn();
  assert.ok(!await open());

  await page.focus(by('mic-toggle'));
  await page.keyboard.down('Space');
  await drawn();
  assert.ok(await open());
  await page.evaluate(() => window.dispatchEvent(new Event('blur')));
  await drawn();
  assert.ok(!await open());
  await page.keyboard.up('Space');
  await drawn();
  assert.ok(!await open());
  assert.deepEqual(lane.complaints(), []);
});

test('who is told to be muted is heard with one touch, and isn’t told any more', async () => {
  await lane.show('sound-muted-talking', 'en', PHONE);
  assert.match(await label('notice-muted') ?? '', /You are muted/);
  await page.click(by('notice-muted'));
  await drawn();
  assert.ok(await open());
  assert.equal(await page.$(by('notice-muted')), null);
});

test('sound that is held back is asked for until it is there, and the stage has its place again', async () => {
  await lane.show('sound-blocked', 'es', PHONE);
  const high = () => page.$eval(by('stage'), (one) => one.clientHeight);
  const asked = await high();
  await page.click(by('hear'));
  await drawn();
  assert.equal(await page.$eval(by('sound-ask'), (one) => one.checkVisibility()), false);
  assert.ok(await high() > asked + 60);
});

test('speaking moves no tile and covers no face', async () => {
  const places = () => page.$$eval(by('tile'), (all) => all.map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return [x, y, width, height];
  }));
  for (const size of SIZES) {
    await lane.show('sound-muted', 'en', size);
    const before = await places();
    await lane.show('sound-speaks', 'en', size);
    assert.deepEqual(await places(), before);
    const over = await page.$$eval(by('tile'), (all) => all.flatMap((one) => {
      const mark = one.querySelector('.tile-speaks');
      if (!mark || !mark.checkVisibility()) return [];
      const [tile, at] = [one.getBoundingClientRect(), mark.getBoundingClientRect()];
      // The part of a tile where a face is (layout.js).
      const half = Math.min(tile.width, Math.max(tile.width * 0.32, tile.height * 0.44)) / 2;
      const centre = tile.left + tile.width / 2;
      return [at.left < centre + half && at.right > centre - half && at.bottom > tile.top + tile.height * 0.14 && at.top < tile.top + tile.height * 0.72];
    }));
    assert.deepEqual(over, [false], JSON.stringify(size));
  }
});

test('with sound only no picture is seen, and the same button brings them back', async () => {
  await lane.show('call-3', 'es', LAPTOP);
  const seen = () => page.$$eval(by('tile-canvas'), (all) => all.filter((one) => one.checkVisibility({ checkVisibilityCSS: true })).length);
  assert.equal(await seen(), 3);
  await page.click(by('audio-only'));
  await drawn();
  assert.equal(await seen(), 0);
  assert.equal(await label('audio-only'), 'Con imagen');
  await page.click(by('audio-only'));
  await drawn();
  assert.equal(await seen(), 3);
});

test('how loud somebody is is set by keyboard, and said', async () => {
  await lane.show('sound-people', 'en', LAPTOP);
  await page.focus(by('volume'));
  for (let step = 0; step < 3; step += 1) await press('ArrowLeft');
  assert.equal(await page.$eval(by('volume'), (one) => one.getAttribute('aria-valuetext')), 'Silent');
  await press('ArrowRight');
  assert.match(await page.$eval(by('volume'), (one) => one.getAttribute('aria-valuetext') ?? ''), /10/);
});
