// What a person does on the page and sees there, the same in the app's window and in a browser.
import assert from 'node:assert/strict';

import { PATIENCE } from './browsers.js';
import { read } from './marker.js';
import { until } from './webdriver.js';

const SECONDS = PATIENCE / 1000;
const id = (name) => `[data-testid=${name}]`;

/** Everybody shown: whose tile, and the upper quarter of the picture, where the marker is. */
function tilesHere() {
  return [...document.querySelectorAll('[data-testid=tile]')].map((tile) => {
    const canvas = tile.querySelector('canvas');
    const { width, height } = canvas;
    const rows = Math.ceil(height / 4);
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, rows);
    let pixels = '';
    for (let at = 0; at < data.length; at += 8192) pixels += String.fromCharCode(...data.subarray(at, at + 8192));
    return { member: Number(tile.dataset.member), width, height, pixels: btoa(pixels) };
  });
}

/** Without the marks that keep text of two directions apart. */
const textsHere = (selector) => [...document.querySelectorAll(selector)]
  .map((element) => element.textContent.replace(/[\u2066-\u2069]/g, ''));

/** A page in a browser, driven as a WebDriver session is. */
export const browserPage = (page) => ({
  run: (script, ...args) => page.evaluate(script, ...args),
  click: async (selector) => {
    await page.waitForSelector(selector, { visible: true, timeout: PATIENCE });
    await page.click(selector);
  },
  type: async (selector, text) => {
    await page.waitForSelector(selector, { visible: true, timeout: PATIENCE });
    await page.type(selector, text);
  },
});

export class Person {
  /**
   * @param {string} name  for errors
   * @param {{ run: Function, click: Function, type: Function }} page
   */
  constructor(name, page) {
    this.name = name;
    this.page = page;
  }

  click(testid) {
    return this.page.click(id(testid));
  }

  type(testid, text) {
    return this.page.type(id(testid), text);
  }

  /** The texts of all elements with this id. */
  texts(testid) {
    return this.page.run(textsHere, id(testid));
  }

  /** Waits until an element with this id has text that fits. */
  async reads(testid, fits) {
    /** @type {string[]} */
    let texts = [];
    try {
      return await until(`${testid} with ${fits} at ${this.name}`, SECONDS, async () => {
        texts = await this.texts(testid);
        return texts.find((text) => (fits instanceof RegExp ? fits.test(text) : text.includes(fits)));
      });
    } catch (error) {
      error.message += `; there was ${JSON.stringify(texts)}`;
      throw error;
    }
  }

  /**
   * Waits until exactly so many others are shown and the number in each one's picture has advanced
   * `times` times. Answers whom.
   */
  async sees(others, times = 8) {
    const seen = new Map();
    let shown = [];
    await until(`${others} moving pictures at ${this.name}`, SECONDS, async () => {
      const tiles = await this.page.run(tilesHere);
      shown = tiles.map(({ member }) => member);
      for (const { member, width, height, pixels } of tiles) {
        const mark = read({ width, height, data: Buffer.from(pixels, 'base64') });
        if (!mark) continue;
        const numbers = seen.get(member) ?? [];
        if (numbers[numbers.length - 1] !== mark.number) numbers.push(mark.number);
        seen.set(member, numbers);
      }
      return shown.length === others && shown.every((member) => (seen.get(member)?.length ?? 0) > times);
    });
    return shown.sort((a, b) => a - b);
  }

  /** Whether the own picture is on the screen, and moves: in the call, or (`check-canvas`) before it. */
  async seesSelf(times = 4, where = 'self-canvas') {
    const seen = new Set();
    await until(`the own picture at ${this.name}`, SECONDS, async () => {
      seen.add(await this.page.run((selector) => {
        const canvas = document.querySelector(selector);
        if (!canvas || canvas.width < 108) return null;
        return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height / 4).data]
          .reduce((sum, value) => (sum * 31 + value) % 1_000_003, 7);
      }, id(where)));
      seen.delete(null);
      return seen.size > times;
    });
  }

  async chats(text) {
    if (!(await this.page.run(() => document.querySelector('[data-testid=chat]')?.checkVisibility?.() ??
      document.querySelector('[data-testid=chat]')?.offsetParent !== null))) await this.click('chat-toggle');
    await this.type('chat-input', text);
    await this.click('chat-send');
  }

  /** Waits for lines of chat, and that none stands there twice. */
  async hears(texts) {
    for (const text of texts) await this.reads('chat-line', text);
    const lines = await this.texts('chat-line');
    for (const text of texts) assert.equal(lines.filter((line) => line.includes(text)).length, 1, `${text} at ${this.name}`);
  }
}
