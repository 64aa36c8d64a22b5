// Every state of the gallery at three sizes in both languages: it looks as its committed picture,
// axe finds nothing, what can be touched is large enough and has room around it, nothing is wider
// than the screen, all of it works by keyboard, and it bears text of twice the size.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { states } from '../../ui/gallery-states.js';
import { ask, install, walk } from './gallery-checks.js';
import { LANGUAGES, openGallery, pool, SIZES } from './gallery-page.js';
import { forgetDifferences, openPictures, sheets } from './gallery-pictures.js';

const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
/** As many screens at once as a small machine has cores. */
const LANES = 2;
/** The part of the states that `VISITA_STATE` names, all without it. */
const wanted = Object.keys(states).filter((state) => state.includes(process.env.VISITA_STATE ?? ''));

/** @type {Awaited<ReturnType<typeof openGallery>>} */
let gallery;
/** @type {Awaited<ReturnType<typeof openPictures>>} */
let pictures;
/** @type {ReturnType<typeof pool<Awaited<ReturnType<typeof gallery.lane>>>>} */
let inLane;

before(async () => {
  forgetDifferences();
  gallery = await openGallery();
  pictures = await openPictures(gallery.browser);
  inLane = pool(await Promise.all(Array.from({ length: LANES }, () => gallery.lane())));
});

after(() => gallery?.close());

test('every sheet is of a state', () => {
  assert.deepEqual(sheets().filter((state) => !Object.keys(states).includes(state)), [], 'scripts/screenshots takes them away');
});

describe('states', { concurrency: LANES }, () => {
  for (const state of wanted) {
    test(state, () => inLane(async (lane) => {
      /** @type {string[]} */
      const wrong = [];
      for (const [turn, language] of LANGUAGES.entries()) wrong.push(...await lookAt(lane, state, language, turn));
      assert.deepEqual(wrong, []);
    }));
  }
});

/**
 * @param {Awaited<ReturnType<typeof gallery.lane>>} lane
 * @param {string} state @param {string} language @param {number} turn
 */
async function lookAt(lane, state, language, turn) {
  const { page } = lane;
  const least = /^\/paciente/i.test(states[state].path ?? '') ? 96 : 48;
  /** @type {string[]} */
  const wrong = [];
  let where = '';
  const say = (/** @type {string[]} */ found) => wrong.push(...found.map((one) => `${where}: ${one}`));
  for (const [index, size] of SIZES.entries()) {
    where = `${size.width} × ${size.height}, ${language}`;
    if (index) await lane.resize(size);
    else await lane.show(state, language, size);
    say([await pictures.compare(state, language, size, await lane.picture())].filter(Boolean));
    if (!index) {
      await page.evaluate(axe);
      await install(page);
    }
    say(await page.evaluate(accessible));
    say(await ask(page, 'small', least));
    say(await ask(page, 'close'));
    say(await ask(page, 'wide'));
    say(await ask(page, 'clipped'));
  }
  // Twice the text on the smallest screen.
  await lane.resize(SIZES[0]);
  await lane.enlarge(2);
  where = `text of 200 %, ${language}`;
  say(await ask(page, 'wide'));
  say(await ask(page, 'clipped'));
  await lane.enlarge(1);
  // By keyboard, in one language on a phone and in the other on a large screen.
  const size = SIZES[turn ? 2 : 0];
  await lane.resize(size);
  where = `by keyboard at ${size.width}, ${language}`;
  say(await walk(page));
  where = `the page's scripts, ${language}`;
  say(lane.complaints());
  return wrong;
}

/** Runs in the page: what axe finds, by all its rules, 2.2's size of targets among them. */
async function accessible() {
  const { axe: run } = /** @type {any} */ (window);
  const found = await run.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } });
  return found.violations.map((/** @type {any} */ one) => `axe ${one.id}: ${one.nodes.map((/** @type {any} */ n) => `${n.target} ${n.failureSummary}`).join(' | ')}`);
}
