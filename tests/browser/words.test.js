// What the pages say when the host is switched off, when the line breaks, and in which language,
// with a real relay and a real browser.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, PATIENCE, until } from './browsers.js';
import { line, participant, relay } from './harness.js';
import { by, open } from './screens.js';
import { writeY4m } from './y4m.js';

const LONG = { timeout: 4 * PATIENCE };
const PHONE = { width: 390, height: 844 };
const TABLET = { width: 820, height: 1180 };

let files;
let camera;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-words-'));
  camera = writeY4m(join(files, 'camera.y4m'));
});

after(() => rmSync(files, { recursive: true, force: true }));

/** A list, a relative who waits and a patient's tablet that sees them. */
async function everybody(t, url) {
  const { browser, close } = await chromium({ camera, args: ['--lang=en'] });
  t.after(close);
  const family = await open(browser, `${url}/Familiar/`, { viewport: PHONE });
  await family.type('familiar-name', 'Rosa');
  await family.press('familiar-enter');
  await family.reads('waiting', 'You are in the waiting room');
  const home = await open(browser, `${url}/`);
  await home.reads('room-row', 'Rosa');
  await home.reads('lobby-state', 'Online');
  const patient = await open(browser, `${url}/Paciente/`, { viewport: TABLET });
  await patient.reads('waiting-row', 'Rosa');
  return { family, home, patient };
}

test('a host that is switched off is called so, to each in their words', LONG, async (t) => {
  const host = await relay(t);
  const { family, home, patient } = await everybody(t, host.url);
  await host.stop();
  await home.reads('lobby-state', 'Host switched off');
  await home.reads('rooms-notice', 'The host was switched off.');
  await home.page.waitForSelector(`${by('room-enter')}:disabled`);
  await patient.reads('patient-rest', 'Visits are switched off');
  await family.reads('error-screen', 'The ward has closed the visits');
  for (const page of [family, home, patient]) page.clean();
});

test('a line that breaks is a lost connection, and nobody has to do anything', LONG, async (t) => {
  const host = await relay(t);
  const wire = await line(t, host.port);
  const { family, home, patient } = await everybody(t, `https://127.0.0.1:${wire.port}`);
  wire.down = true;
  await home.reads('lobby-state', 'No connection');
  await home.reads('rooms-notice', 'The connection to the host was lost.');
  await patient.reads('lobby-state', 'No connection');
  await family.reads('waiting', 'The connection was lost');
  wire.down = false;
  await home.reads('lobby-state', 'Online');
  await patient.reads('lobby-state', 'Online');
  await family.reads('waiting', 'You are in the waiting room');
  for (const page of [family, home, patient]) page.clean();
});

test('another language in a call changes the words and nothing else, and stays', LONG, async (t) => {
  const host = await relay(t);
  const { family } = await everybody(t, host.url);
  participant(t, host, 'Rosa', 'Bed 7');
  // Nothing is painted in a page that nobody sees.
  await family.page.bringToFront();
  await family.sees('Bed 7');
  const said = () => family.page.evaluate(() => {
    const { lang, dir } = document.documentElement;
    return { lang, dir, title: document.title };
  });
  assert.deepEqual(await said(), { lang: 'en', dir: 'ltr', title: 'Visit your relative · Visita' });
  await family.page.evaluate((tile) => Object.assign(document.querySelector(tile), { mine: true }), `${by('tile')} canvas`);
  await family.press('menu-toggle');
  await family.press('language');
  assert.deepEqual(await said(), { lang: 'es-MX', dir: 'ltr', title: 'Visita a su familiar · Visita' });
  await family.sees('Bed 7');
  assert.ok(await family.page.evaluate((tile) => document.querySelector(tile)?.mine, `${by('tile')} canvas`), 'the same tile goes on');
  await family.page.keyboard.press('Escape');
  await family.press('leave');
  await family.reads('ended-screen', 'Ha salido de la visita');
  await family.page.reload();
  await until('the page in the language that was chosen', async () => (await said()).title === 'Visita a su familiar · Visita');
  family.clean();
});
