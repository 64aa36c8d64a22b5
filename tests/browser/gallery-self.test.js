// The comparison of pictures against itself: what a person would notice is found, and what only
// another font renderer would draw isn't.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { FONTS, openGallery, SIZES } from './gallery-page.js';
import { BROAD, FINE, openPictures } from './gallery-pictures.js';

const [PHONE, TABLET, LAPTOP] = SIZES;

/** @type {Awaited<ReturnType<typeof openGallery>>} */
let gallery;
/** @type {Awaited<ReturnType<typeof openPictures>>} */
let pictures;
/** @type {Awaited<ReturnType<typeof gallery.lane>>} */
let lane;

before(async () => {
  gallery = await openGallery();
  pictures = await openPictures(gallery.browser);
  lane = await gallery.lane();
});

after(() => gallery?.close());

/** A sheet in which the one picture stands in every place. @param {string} picture */
async function sheetOf(picture) {
  const same = { get: () => picture };
  return (await pictures.draw(/** @type {any} */ (same))).toString('base64');
}

/** @type {{ what: string, state: string, size: typeof PHONE, change: () => void }[]} */
const noticed = [
  {
    what: 'a button that is gone',
    state: 'call-3',
    size: LAPTOP,
    change: () => {
      /** @type {HTMLElement} */ (document.querySelector('[data-testid="chat-toggle"]')).style.visibility = 'hidden';
    },
  },
  {
    what: 'a button 4 px further down',
    state: 'family-name',
    size: PHONE,
    change: () => {
      /** @type {HTMLElement} */ (document.querySelector('[data-testid="familiar-enter"]')).style.transform = 'translateY(4px)';
    },
  },
  {
    what: 'the accent a little lighter',
    state: 'home-browser',
    size: TABLET,
    change: () => document.documentElement.style.setProperty('--accent', '#16837d'),
  },
  {
    what: 'muted words in another grey',
    state: 'home-empty',
    size: LAPTOP,
    change: () => document.documentElement.style.setProperty('--muted', '#7d8a8d'),
  },
  {
    what: 'a sentence that nobody translated',
    state: 'home-browser',
    size: LAPTOP,
    change: () => {
      const found = Array.from(document.querySelectorAll('.row-text')).pop();
      if (found) found.textContent = 'A relative types a name here and waits';
    },
  },
  {
    what: 'one word of a button, in the other language',
    state: 'home-browser',
    size: PHONE,
    change: () => {
      const found = document.querySelector('[data-testid="room-enter"] .button-words');
      if (found) found.textContent = 'Enter';
    },
  },
  {
    what: 'an icon that is another',
    state: 'home-browser',
    size: LAPTOP,
    change: () => document.querySelector('.row-icon svg')?.replaceChildren(),
  },
];

for (const { what, state, size, change } of noticed) {
  test(`noticed: ${what}`, async (t) => {
    await lane.show(state, 'es', size);
    const sheet = await sheetOf(await lane.picture());
    const same = await pictures.difference(sheet, await lane.picture(), 'es', size);
    await lane.page.evaluate(change);
    const { fine, broad } = await pictures.difference(sheet, await lane.picture(), 'es', size);
    t.diagnostic(`${fine} points differ and ${broad} seen broadly; before ${same.fine} and ${same.broad}`);
    assert.equal(same.differs, false);
    assert.ok(fine > 2 * FINE.points || broad > 2 * BROAD.points, `${fine} and ${broad} points differ`);
  });
}

test('not noticed: letters with other edges', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'visita-fonts-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const hinted = readFileSync(FONTS, 'utf8').replace('<bool>false</bool>', '<bool>true</bool></edit><edit name="hintstyle" mode="assign"><const>hintslight</const>');
  writeFileSync(join(folder, 'fonts.conf'), hinted);
  const other = await openGallery({ fonts: join(folder, 'fonts.conf') });
  t.after(other.close);
  const otherLane = await other.lane();
  for (const [state, size] of /** @type {[string, typeof PHONE][]} */ ([['home-app', LAPTOP], ['patient-three', TABLET], ['family-waiting', PHONE]])) {
    await lane.show(state, 'es', size);
    await otherLane.show(state, 'es', size);
    const [picture, another] = [await lane.picture(), await otherLane.picture()];
    assert.notEqual(picture, another, 'the letters are drawn in another way');
    const { fine, broad, differs } = await pictures.difference(await sheetOf(picture), another, 'es', size);
    t.diagnostic(`${state}: ${fine} points differ and ${broad} seen broadly`);
    assert.equal(differs, false);
  }
});
