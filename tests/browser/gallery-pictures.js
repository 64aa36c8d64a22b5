// The pictures of docs/screenshots/states: a sheet for each state, with Spanish above English and
// the sizes from left to right, at half scale; and how a screen is compared with its sheet.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pixelmatch from 'pixelmatch';

import { LANGUAGES, SIZES } from './gallery-page.js';

/** @typedef {import('./gallery-page.js').Size} Size */

const SHEETS = fileURLToPath(new URL('../../docs/screenshots/states/', import.meta.url));
/** Where what differs is put, to be looked at. */
const DIFFERENT = fileURLToPath(new URL('../../.run/gallery/', import.meta.url));

const GAP = 12;
/** @param {Size} size */
const half = (size) => ({ width: size.width >> 1, height: size.height >> 1 });
/** @param {Size} size */
const quarter = (size) => half(half(size));
const HALVES = SIZES.map(half);
const ROW = Math.max(...HALVES.map(({ height }) => height));
const SHEET = {
  width: HALVES.reduce((sum, { width }) => sum + width + GAP, GAP),
  height: LANGUAGES.length * (ROW + GAP) + GAP,
};
/** Where in the sheet a picture stands. @param {string} language @param {Size} size */
function place(language, size) {
  const index = SIZES.findIndex(({ width }) => width === size.width);
  const x = HALVES.slice(0, index).reduce((sum, { width }) => sum + width + GAP, GAP);
  return { x, y: GAP + LANGUAGES.indexOf(language) * (ROW + GAP), ...HALVES[index] };
}

/**
 * Pictures are looked at twice, both times through pixelmatch. FINE sees what is where: each point is
 * the mean of 4 × 4 pixels, which a letter drawn a little differently hardly moves. BROAD sees colours:
 * means of 16 × 16, so even that what WebP loses is gone, and a shade that is off stays.
 * `threshold` is pixelmatch's; more than `points` that differ by more make another screen.
 * gallery-self.test.js holds them between what must be noticed and what mustn't.
 */
export const FINE = { threshold: 0.1, points: 6 };
export const BROAD = { threshold: 0.02, points: 3 };

/** What WebP may lose: saturated edges need more than most sheets. */
const QUALITIES = [0.75, 0.85, 0.92, 0.97, 1];

/**
 * @param {import('puppeteer-core').Browser} browser whose canvas scales, reads and writes pictures
 */
export async function openPictures(browser) {
  const page = await browser.newPage();
  /**
   * Runs in the page: parts of a picture at half scale, of which each four points become one; the
   * points as base64.
   */
  const read = (/** @type {{ data: string, parts: { from: (Size & { x: number, y: number }) | null, half: Size }[] }} */ given) => page.evaluate(async ({ data, parts }) => {
    const picture = await createImageBitmap(await (await fetch(`data:;base64,${data}`)).blob());
    return parts.map(({ from, half: { width, height } }) => {
      const { x, y, width: w, height: h } = from ?? { x: 0, y: 0, width: picture.width, height: picture.height };
      const canvas = new OffscreenCanvas(width, height);
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
      context.imageSmoothingQuality = 'high';
      context.drawImage(picture, x, y, w, h, 0, 0, width, height);
      const points = globalThis.fewer({ points: context.getImageData(0, 0, width, height).data, width, height }).points;
      let text = '';
      for (let at = 0; at < points.length; at += 8192) text += String.fromCharCode(...points.subarray(at, at + 8192));
      return btoa(text);
    });
  }, given);
  await page.evaluate(`globalThis.fewer = ${fewer}`);
  /** @param {Parameters<typeof read>[0]} given */
  const points = async (given) => (await read(given)).map((text) => new Uint8Array(Buffer.from(text, 'base64')));
  /** The last sheets that were read: each is asked for six times. @type {Map<string, Promise<Uint8Array[]>>} */
  const known = new Map();
  /** @param {string} sheet */
  const places = (sheet) => {
    const found = known.get(sheet);
    if (found) return found;
    const reading = points({ data: sheet, parts: LANGUAGES.flatMap((language) => SIZES.map((size) => ({ from: place(language, size), half: half(size) }))) });
    known.set(sheet, reading);
    if (known.size > 4) known.delete(known.keys().next().value ?? '');
    return reading;
  };

  /** The sheet as WebP. @param {Map<string, string>} pictures PNG in base64, by `key` @param {number} quality */
  const drawAt = async (pictures, quality) => {
    const pieces = LANGUAGES.flatMap((language) => SIZES.map((size) => ({ ...place(language, size), data: pictures.get(key(language, size)) })));
    return Buffer.from(await page.evaluate(async ({ sheet, pieces: all, quality: share }) => {
      const canvas = new OffscreenCanvas(sheet.width, sheet.height);
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
      context.fillStyle = '#808080';
      context.fillRect(0, 0, sheet.width, sheet.height);
      context.imageSmoothingQuality = 'high';
      for (const { data, x, y, width, height } of all) {
        const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
        context.drawImage(picture, x, y, width, height);
      }
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/webp', quality: share })).arrayBuffer());
      let text = '';
      for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
      return btoa(text);
    }, { sheet: SHEET, pieces, quality }), 'base64');
  };

  /**
   * How many points differ between a screen and its place in a sheet, and a picture of where.
   * @param {string} sheet WebP in base64 @param {string} picture PNG in base64
   * @param {string} language @param {Size} size
   */
  const difference = async (sheet, picture, language, size) => {
    const into = quarter(size);
    const [all, [actual]] = await Promise.all([places(sheet), points({ data: picture, parts: [{ from: null, half: half(size) }] })]);
    const expected = all[LANGUAGES.indexOf(language) * SIZES.length + SIZES.findIndex(({ width }) => width === size.width)];
    const where = new Uint8Array(expected.length);
    const fine = pixelmatch(expected, actual, where, into.width, into.height, { ...FINE, includeAA: true });
    const [few, fewActual] = [expected, actual].map((points) => fewer(fewer({ points, ...into })));
    const broad = pixelmatch(few.points, fewActual.points, undefined, few.width, few.height, { ...BROAD, includeAA: true });
    return { fine, broad, differs: fine > FINE.points || broad > BROAD.points, where };
  };

  /** The smallest sheet in which each of these pictures is found again. @param {Map<string, string>} pictures PNG in base64, by `key` */
  const draw = async (pictures) => {
    for (const quality of QUALITIES) {
      const bytes = await drawAt(pictures, quality);
      const sheet = bytes.toString('base64');
      const all = LANGUAGES.flatMap((language) => SIZES.map((size) => ({ language, size, picture: pictures.get(key(language, size)) ?? '' })));
      const found = await Promise.all(all.map(({ language, size, picture }) => difference(sheet, picture, language, size)));
      if (found.every(({ fine, broad }) => fine <= FINE.points / 2 && broad <= BROAD.points / 2)) return bytes;
    }
    throw new Error('WebP loses too much of a picture');
  };

  return {
    draw,
    difference,
    /**
     * What differs between a state's screen and its committed picture, in words; '' when nothing does.
     * @param {string} state @param {string} language @param {Size} size @param {string} picture
     */
    async compare(state, language, size, picture) {
      const name = `${state}-${size.width}-${language}`;
      const path = sheetOf(state);
      if (!existsSync(path)) return `${state} has no picture yet: run scripts/screenshots and look at it`;
      const { fine, broad, differs, where } = await difference(readFileSync(path).toString('base64'), picture, language, size);
      if (!differs) return '';
      mkdirSync(DIFFERENT, { recursive: true });
      writeFileSync(join(DIFFERENT, `${name}.png`), Buffer.from(picture, 'base64'));
      writeFileSync(join(DIFFERENT, `${name}-difference.png`), await this.png(where, quarter(size)));
      return `${state} at ${size.width} × ${size.height} in ${language} is another picture than docs/screenshots/states/${state}.webp: `
        + `${fine} points differ (${FINE.points} may), ${broad} seen broadly (${BROAD.points} may); see .run/gallery/${name}.png and ${name}-difference.png, and run scripts/screenshots if it is meant so`;
    },
    /** @param {Uint8Array} bytes @param {Size} size */
    async png(bytes, size) {
      return Buffer.from(await page.evaluate(async ({ data, width, height }) => {
        const canvas = new OffscreenCanvas(width, height);
        const given = Uint8ClampedArray.from(atob(data), (c) => c.charCodeAt(0));
        /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d')).putImageData(new ImageData(given, width, height), 0, 0);
        const written = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
        return btoa(Array.from(written, (byte) => String.fromCharCode(byte)).join(''));
      }, { data: Buffer.from(bytes).toString('base64'), ...size }), 'base64');
    },
  };
}

/** Makes each four points one, their mean. @param {Size & { points: Uint8Array }} picture */
function fewer({ points, width, height }) {
  const [w, h] = [width >> 1, height >> 1];
  const means = new Uint8Array(4 * w * h);
  for (let y = 0; y < h; y += 1) {
    for (let x = 0; x < 4 * w; x += 1) {
      const at = 4 * (2 * y * width + 2 * (x >> 2)) + (x & 3);
      const below = at + 4 * width;
      means[4 * y * w + x] = (points[at] + points[at + 4] + points[below] + points[below + 4]) / 4;
    }
  }
  return { points: means, width: w, height: h };
}

/** @param {string} language @param {Size} size */
export const key = (language, size) => `${language}-${size.width}`;
/** @param {string} state */
export const sheetOf = (state) => join(SHEETS, `${state}.webp`);
/** The states that have a sheet. */
export const sheets = () => (existsSync(SHEETS) ? readdirSync(SHEETS).map((file) => file.replace(/\.webp$/, '')) : []);
/** @param {string} state @param {Buffer} bytes */
export function keepSheet(state, bytes) {
  mkdirSync(SHEETS, { recursive: true });
  writeFileSync(sheetOf(state), bytes);
}
/** @param {string} state */
export const dropSheet = (state) => rmSync(sheetOf(state), { force: true });
/** What an earlier run found. */
export const forgetDifferences = () => rmSync(DIFFERENT, { recursive: true, force: true });
