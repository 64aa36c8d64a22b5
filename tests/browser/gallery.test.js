// Every state of the gallery in a real browser: axe finds nothing, nothing is wider than the
// screen, what can be touched is large enough, and the page's own policy refuses nothing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';

import { states } from '../../ui/gallery-states.js';
import { serveUi } from './static.js';

const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
/** Every state is seen at one of these, in turn, in one of the languages; the first of each group at all. */
const sizes = [[390, 844], [820, 1180], [1440, 900]];
const everywhere = ['home-app', 'home-browser', 'host', 'call-4-chat', 'call-12', 'family-name', 'family-waiting', 'patient-three', 'patient-call'];

/** @type {Awaited<ReturnType<typeof serveUi>>} */
let server;
/** @type {import('puppeteer-core').Browser} */
let browser;
/** @type {import('puppeteer-core').Page} */
let page;
/** @type {string[]} */
let complaints = [];

before(async () => {
  server = await serveUi();
  browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  page = await browser.newPage();
  // axe is evaluated from here; the page's policy forbids it otherwise, and stays in force for the page's own scripts.
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
  });
});

after(async () => {
  await browser?.close();
  await server?.close();
});

for (const [index, state] of Object.keys(states).entries()) {
  const seen = everywhere.includes(state) ? sizes : [sizes[index % sizes.length]];
  for (const [width, height] of seen) {
    const lang = (index + width) % 2 ? 'es' : 'en';
    test(`${state} at ${width} × ${height}, ${lang}`, async () => {
      complaints = [];
      await page.setViewport({ width, height });
      await page.goto(`${server.origin}/gallery.html?state=${state}&lang=${lang}`);
      await page.waitForSelector('[data-ready]');
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const { axe: run } = /** @type {any} */ (window);
        // What appears late is looked at once it has appeared.
        await Promise.all(document.getAnimations().map((animation) => animation.finished));
        const found = await run.run(document, { resultTypes: ['violations'] });
        return found.violations.map((/** @type {any} */ one) => `${one.id}: ${one.nodes.map((/** @type {any} */ n) => `${n.target} ${n.failureSummary}`).join(' | ')}`);
      });
      assert.deepEqual(violations, []);
      assert.deepEqual(await page.evaluate(tooSmall), [], 'large enough to touch');
      assert.deepEqual(await page.evaluate(tooWide), [], 'nothing is wider than the screen');
      assert.deepEqual(complaints, []);
    });
  }
}

/** What can be touched and is smaller than 48 px, or 96 px on the patient's screens. */
function tooSmall() {
  const patient = document.querySelector('.patient, .message-page.large, [data-variant="patient"]') !== null;
  const least = patient ? 96 : 48;
  return Array.from(document.querySelectorAll('button, a, input, textarea, [role="switch"]')).flatMap((element) => {
    const { width, height } = element.getBoundingClientRect();
    if (!width || !height || element.closest('[hidden]')) return [];
    const box = element.closest('.choice-option')?.getBoundingClientRect() ?? { width, height };
    return box.width < least - 0.5 || box.height < least - 0.5 ? [`${element.getAttribute('data-testid')} ${box.width}×${box.height}`] : [];
  });
}

/** What stands out of the screen to the right. */
function tooWide() {
  const width = document.documentElement.clientWidth;
  return Array.from(document.querySelectorAll('#app *')).flatMap((element) => {
    const box = element.getBoundingClientRect();
    return box.right > width + 1 && box.width > 1 && !element.closest('svg, [hidden]') ? [`${element.className} ${Math.round(box.right)}`] : [];
  });
}
