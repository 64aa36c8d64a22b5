// The gallery's states in a browser whose pictures are always the same: its fonts, its clock, its
// time zone and its pixels are settled here.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

import { CHROMIUM, PATIENCE } from './browsers.js';
import { serveUi } from './static.js';

/** @typedef {{ width: number, height: number }} Size */

/** @type {Size[]} */
export const SIZES = [{ width: 390, height: 844 }, { width: 820, height: 1180 }, { width: 1440, height: 900 }];
export const LANGUAGES = ['es', 'en'];

export const FONTS = fileURLToPath(new URL('./fonts.conf', import.meta.url));
/** Whatever the machine has: no hinting, no colour fringes, no place between two pixels. */
const SAME_PIXELS = [
  '--font-render-hinting=none', '--disable-lcd-text', '--disable-font-subpixel-positioning',
  '--force-color-profile=srgb', '--force-device-scale-factor=1', '--hide-scrollbars', '--disable-gpu',
];

/** The fonts of fonts.conf that aren't installed. */
function missingFonts() {
  const named = Array.from(readFileSync(FONTS, 'utf8').matchAll(/<glob>(\/[^<]+)<\/glob>/g), ([, path]) => path);
  return named.filter((path) => !existsSync(path));
}

/**
 * A browser for the gallery. `lane()` opens a page that shares nothing with the other lanes.
 * @param {{ fonts?: string }} options  another file for fontconfig
 */
export async function openGallery({ fonts = FONTS } = {}) {
  const missing = missingFonts();
  if (missing.length) throw new Error(`the pictures need these fonts, which scripts/test installs: ${missing.join(', ')}`);
  // A few hundred pages of the same files.
  const server = await serveUi({ caching: 'max-age=3600' });
  const profile = mkdtempSync(join(tmpdir(), 'visita-gallery-'));
  const browser = await puppeteer.launch({
    executablePath: CHROMIUM,
    userDataDir: profile,
    timeout: 4 * PATIENCE,
    protocolTimeout: 4 * PATIENCE,
    env: { ...process.env, FONTCONFIG_FILE: fonts, TZ: 'America/Mexico_City', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
    args: [
      '--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update',
      '--no-first-run', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
      '--disable-features=PreloadTopChromeWebUI', ...SAME_PIXELS,
    ],
  });
  return {
    browser,
    origin: server.origin,
    lane: () => openLane(browser, server.origin),
    async close() {
      await browser.close().finally(() => server.close());
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** @param {import('puppeteer-core').Browser} browser @param {string} origin */
async function openLane(browser, origin) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(4 * PATIENCE);
  const devtools = await page.createCDPSession();
  await devtools.send('Emulation.setFocusEmulationEnabled', { enabled: true });
  await page.emulateTimezone('America/Mexico_City');
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }, { name: 'prefers-color-scheme', value: 'light' }]);
  /** @type {string[]} */
  let complaints = [];
  /** @type {(error: unknown) => void} */
  let broke = () => {};
  page.on('pageerror', (error) => {
    complaints.push(String(error));
    broke(error);
  });
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
  });
  return {
    page,
    /** What the page's scripts and its policy had to say since the state was opened. */
    complaints: () => complaints,
    /** @param {string} state @param {string} language @param {Size} size */
    async show(state, language, size) {
      complaints = [];
      await page.setViewport({ ...size, deviceScaleFactor: 1 });
      const broken = new Promise((_resolve, reject) => {
        broke = (error) => reject(new Error(`${state} isn't shown: ${error}`));
      });
      const shown = page.goto(`${origin}/gallery.html?state=${state}&lang=${language}`).then(() => page.waitForSelector('[data-ready]'));
      await Promise.race([shown, broken]);
      broke = () => {};
      await page.evaluate(still);
    },
    /** @param {Size} size */
    async resize(size) {
      await page.setViewport({ ...size, deviceScaleFactor: 1 });
      await page.evaluate(still);
    },
    /** Text as large as a person asked for in the browser's settings; 1 is what they usually have. @param {number} times */
    async enlarge(times) {
      await devtools.send('Page.setFontSizes', { fontSizes: { standard: 16 * times, fixed: 13 * times } });
      await page.evaluate(still);
    },
    /** The picture as PNG bytes in base64. @returns {Promise<string>} */
    picture: () => page.screenshot({ encoding: 'base64', optimizeForSpeed: true }),
    close: () => context.close(),
  };
}

/** Runs in the page: resolves when nothing moves and all is laid out. */
async function still() {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  await document.fonts.ready;
  for (let times = 0; times < 2; times += 1) {
    await frame();
    await frame();
    for (const animation of document.getAnimations()) animation.finish();
  }
  const { dataset, scrollHeight } = document.documentElement;
  window.scrollTo(0, dataset.below === 'true' ? scrollHeight : 0);
}

/**
 * Hands the lanes out one by one: at most as many users at a time as there are lanes.
 * @template L
 * @param {L[]} lanes
 */
export function pool(lanes) {
  const free = [...lanes];
  /** @type {((lane: L) => void)[]} */
  const waiting = [];
  /** @template T @param {(lane: L) => Promise<T>} use */
  return async (use) => {
    const lane = free.pop() ?? await new Promise((resolve) => {
      waiting.push(resolve);
    });
    try {
      return await use(lane);
    } finally {
      const next = waiting.shift();
      if (next) next(lane);
      else free.push(lane);
    }
  };
}
