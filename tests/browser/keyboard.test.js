// Visits by keyboard alone: a real relay, real browsers, and nobody touches or clicks anything.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, PATIENCE, until } from './browsers.js';
import { participant, relay } from './harness.js';
import { by, open } from './screens.js';
import { writeY4m } from './y4m.js';

const LONG = { timeout: 4 * PATIENCE };
/** More stops than any screen has. */
const STOPS = 80;

let files;
let camera;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-keyboard-'));
  camera = writeY4m(join(files, 'camera.y4m'));
});

after(() => rmSync(files, { recursive: true, force: true }));

/** Runs in the page: what has the focus, and whether that shows. */
function focused() {
  const active = document.activeElement;
  if (!active) return null;
  return { testid: active.getAttribute('data-testid'), visible: active.matches(':focus-visible') };
}

/** A person at the keyboard of one page. */
async function sit(t, url, viewport) {
  const { browser, close } = await chromium({ camera });
  t.after(close);
  const at = await open(browser, url, { viewport });
  const devtools = await at.page.createCDPSession();
  await devtools.send('Emulation.setFocusEmulationEnabled', { enabled: true });
  // Whatever a pointer would do is a mistake of this test.
  await at.page.evaluate(() => window.addEventListener('pointerdown', () => {
    throw new Error('somebody touched the page');
  }, true));
  const { keyboard } = at.page;
  return {
    ...at,
    /** Goes to what has this test id, by Tab alone. */
    async to(testid) {
      await until(`"${testid}" to go to`, () => at.page.$(by(testid)));
      for (let stop = 0; stop < STOPS; stop += 1) {
        const here = await at.page.evaluate(focused);
        if (here?.testid === testid) {
          assert.ok(here.visible, `the focus on ${testid} is seen`);
          return;
        }
        await keyboard.press('Tab');
      }
      assert.fail(`Tab doesn't reach ${testid}`);
    },
    async press(testid, key = 'Enter') {
      await this.to(testid);
      await keyboard.press(key);
    },
    async write(testid, text) {
      await this.to(testid);
      await keyboard.type(text);
    },
    keyboard,
    has: (testid) => until(`"${testid}"`, () => at.page.$(by(testid))),
    gone: (testid) => until(`no "${testid}"`, async () => !await at.page.$(by(testid))),
  };
}

test('staff make a room, write, switch the camera off and leave', LONG, async (t) => {
  const host = await relay(t);
  const nurse = await sit(t, `${host.url}/`, { width: 1280, height: 800 });
  await nurse.reads('lobby-state', '');

  // A dialog is left by Escape, and the focus comes back to what opened it.
  await nurse.press('new-room', 'Space');
  await nurse.has('new-room-name');
  await nurse.keyboard.press('Escape');
  await nurse.gone('new-room-name');
  assert.equal((await nurse.page.evaluate(focused)).testid, 'new-room');

  await nurse.keyboard.press('Enter');
  await nurse.write('new-room-name', 'Cama 7');
  await nurse.to('kind-meeting');
  await nurse.keyboard.press('ArrowRight');
  await nurse.press('create-room');
  await nurse.write('name-input', 'Enf. Robles');
  await nurse.keyboard.press('Enter');

  await nurse.has('call');
  participant(t, host, 'Cama 7', 'Ana');
  await nurse.sees('Ana');
  await nurse.press('chat-toggle', 'Space');
  await nurse.write('chat-input', 'Rosa ya está sentada.');
  await nurse.keyboard.press('Enter');
  await nurse.reads('chat-line', 'Rosa ya está sentada.');
  await nurse.press('chat-close');
  await until('the way back to what opened the chat', async () => (await nurse.page.evaluate(focused)).testid === 'chat-toggle');

  await nurse.press('camera-toggle', 'Space');
  await until('no camera', () => nurse.page.$eval(by('camera-toggle'), (one) => one.getAttribute('aria-pressed') === 'false'));
  await nurse.press('self-move', 'Enter');

  // The menu: the words change, and Escape goes back to where one was.
  await nurse.press('menu-toggle');
  const before = await nurse.page.evaluate(() => document.documentElement.lang);
  await nurse.press('language');
  await until('the other language', async () => await nurse.page.evaluate(() => document.documentElement.lang) !== before);
  await nurse.keyboard.press('Escape');
  await until('the way back to what opened the menu', async () => (await nurse.page.evaluate(focused)).testid === 'menu-toggle');
  await nurse.press('leave');
  await nurse.has('new-room');
  nurse.clean();
});

test('a relative enters, the patient chooses, and leaves', LONG, async (t) => {
  const host = await relay(t);
  const [relative, patient] = await Promise.all([
    sit(t, `${host.url}/Familiar/`, { width: 390, height: 844 }), sit(t, `${host.url}/Paciente/`, { width: 820, height: 1180 }),
  ]);
  await relative.write('familiar-name', 'Ana Ortega');
  await relative.press('familiar-enter');
  await patient.reads('waiting-row', 'Ana Ortega');
  await patient.press('waiting-row');
  await patient.sees('Ana Ortega');
  await until("the patient's tile", async () => (await relative.page.$$(by('tile'))).length === 1);
  await patient.press('leave', 'Space');
  // It asks, with "stay" under the finger.
  await until('the question', async () => (await patient.page.evaluate(focused)).testid === 'leave-stay');
  await patient.press('leave-sure');
  await patient.has('waiting-row');
  await until('the wait', async () => (await relative.page.$$(by('tile'))).length === 0);
  patient.clean();
  relative.clean();
});
