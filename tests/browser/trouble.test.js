// An error in a page reaches the host's log: its kind and its place, and not a word of its message.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chromium, PATIENCE, until } from './browsers.js';
import { relay } from './harness.js';
import { by } from './screens.js';

const NAME = 'Ana Ortega';

test('an error with a name in it reaches the log without the name', { timeout: 2 * PATIENCE }, async (t) => {
  const host = await relay(t);
  const chrome = await chromium({ device: false });
  t.after(chrome.close);
  const page = await chrome.browser.newPage();
  /** The page's own error handling sees these; so do we. */
  const thrown = [];
  page.on('pageerror', (error) => thrown.push(String(error)));
  await page.evaluateOnNewDocument((name) => {
    const { trim } = String.prototype;
    globalThis.Failure = RangeError;
    String.prototype.trim = function failing() {
      if (String(this) === name) throw new globalThis.Failure(`can't trim ${name}`);
      return trim.call(this);
    };
  }, NAME);
  await page.goto(`${host.url}/Familiar/`);
  await page.waitForSelector(by('familiar-name'));
  await page.type(by('familiar-name'), NAME);
  for (let time = 0; time < 3; time += 1) await page.click(by('familiar-enter'));
  await until('the error in the page', () => thrown.length >= 3);
  assert.ok(thrown[0].includes(NAME), 'the error itself has the name');
  await until('the error in the log', () => /an error in a page kind=RangeError seen=Thrown file="(views\/[a-z]+\.js)" line=\d+ column=\d+/.test(host.log()));
  // Nothing of ours is in this error's stack, so nothing of it is told; of the one after it is.
  await page.evaluate((name) => {
    Promise.reject(new Error(name));
    globalThis.Failure = TypeError;
  }, NAME);
  await until('the error in the page that is none of ours', () => thrown.length >= 4);
  await page.click(by('familiar-enter'));
  await until('the next error in the log', () => /an error in a page kind=TypeError/.test(host.log()));
  assert.equal((host.log().match(/an error in a page/g) ?? []).length, 2, 'the same error is told once, and none that is not ours');
  assert.ok(!host.log().includes('Ortega'), host.log());
});
