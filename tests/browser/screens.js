// The page as people use it: pressed and read by its test ids.
import assert from 'node:assert/strict';

import { PATIENCE, until } from './browsers.js';
import { read } from './marker.js';

/** Selector of what carries a test id. */
export const by = (testid) => `[data-testid="${testid}"]`;

/** Runs in the page: a tile's pixels. */
function pixelsOfTile(name) {
  const tile = [...document.querySelectorAll('[data-testid="tile"]')]
    .find((one) => one.querySelector('.tile-name')?.textContent === name);
  const canvas = tile?.querySelector('canvas');
  if (!canvas || canvas.width < 64) return null;
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return { width, height, data: btoa(text) };
}

/**
 * Opens one of the page's addresses.
 * @param {{ viewport?: { width: number, height: number, deviceScaleFactor?: number }, prepare?: () => void, throttle?: number }} options
 */
export async function open(browser, url, { viewport = { width: 1280, height: 800 }, prepare, throttle } = {}) {
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.setViewport(viewport);
  if (prepare) await page.evaluateOnNewDocument(prepare);
  if (throttle) await page.emulateCPUThrottling(throttle);
  await page.goto(url, { timeout: PATIENCE });
  const texts = (testid) => page.$$eval(by(testid), (all) => all.map((one) => one.textContent));
  return {
    page,
    texts,
    async press(testid) {
      await (await until(`"${testid}" to press`, () => page.$(by(testid)))).click();
    },
    async type(testid, text) {
      await (await until(`"${testid}" to write in`, () => page.$(by(testid)))).type(text);
    },
    async sees(name, times = 10) {
      const seen = new Set();
      await until(`${times} pictures in the tile of ${name}`, async () => {
        const picture = await page.evaluate(pixelsOfTile, name);
        const mark = picture && read({ ...picture, data: Buffer.from(picture.data, 'base64') });
        if (mark) seen.add(mark.number);
        return seen.size >= times;
      });
    },
    async reads(testid, part) {
      return until(`"${part}" in "${testid}"`, async () => (await texts(testid)).find((text) => text.includes(part)));
    },
    clean() {
      assert.deepEqual(problems, []);
    },
  };
}
