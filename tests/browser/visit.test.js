// A visit, by the pages that relatives and patients use.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, firefox, PATIENCE, until, withoutMedia } from './browsers.js';
import { participant, relay } from './harness.js';
import { by, open } from './screens.js';
import { writeY4m } from './y4m.js';

const LONG = { timeout: 4 * PATIENCE };
const PHONE = { width: 390, height: 844, deviceScaleFactor: 2 };
const TABLET = { width: 820, height: 1180 };

let files;
let camera;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-visit-'));
  camera = writeY4m(join(files, 'camera.y4m'));
});

after(() => rmSync(files, { recursive: true, force: true }));

test('the relative waits, the patient touches the name, both see each other, write, and part', LONG, async (t) => {
  const host = await relay(t);
  const [phone, tablet] = await Promise.all([chromium({ camera }), chromium({ camera })]);
  t.after(phone.close);
  t.after(tablet.close);

  const patient = await open(tablet.browser, `${host.url}/paciente`, { viewport: TABLET });
  const family = await open(phone.browser, `${host.url}/Familiar/`, { viewport: PHONE });
  await family.type('familiar-name', 'María José Ñandú');
  await family.press('familiar-enter');
  await patient.reads('waiting-row', 'María José Ñandú');
  await patient.press('waiting-row');

  await patient.sees('María José Ñandú');
  const name = await until("the patient's tile", async () =>
    family.page.$eval(`${by('tile')} .tile-name`, (one) => one.textContent).catch(() => null));
  await family.sees(name);
  await until('the own picture', () => family.page.$eval(by('self-canvas'), (canvas) => canvas.width > 32));

  await family.press('chat-toggle');
  await family.type('chat-input', '¿Cómo está? <i>Saludos</i>');
  await family.press('chat-send');
  await family.reads('chat-line', '¿Cómo está? <i>Saludos</i>');
  await patient.press('chat-toggle');
  await patient.reads('chat-line', '¿Cómo está? <i>Saludos</i>');

  await family.press('chat-close');
  await family.press('leave');
  await patient.reads('notice', 'María José Ñandú');
  await until('an empty stage', async () => (await patient.page.$$(by('tile'))).length === 0);
  patient.clean();
  family.clean();
});

test('browsers without WebCodecs and WebRTC, Chromium and Firefox, show each other all the same', LONG, async (t) => {
  const host = await relay(t);
  const [phone, tablet] = await Promise.all([chromium({ camera }), firefox({ prefs: { 'dom.media.webcodecs.enabled': false } })]);
  t.after(phone.close);
  t.after(tablet.close);
  const patient = await open(tablet.browser, `${host.url}/PACIENTE`, { viewport: TABLET, prepare: withoutMedia });
  const family = await open(phone.browser, `${host.url}/familiar`, { viewport: PHONE, prepare: withoutMedia });
  assert.deepEqual(await Promise.all([patient, family].map(({ page }) => page.evaluate(() => [
    typeof VideoDecoder, typeof VideoEncoder, typeof RTCPeerConnection,
  ]))), Array(2).fill(Array(3).fill('undefined')));
  await family.type('familiar-name', 'Rosa');
  await family.press('familiar-enter');
  await patient.reads('waiting-row', 'Rosa');
  await patient.press('waiting-row');
  await patient.sees('Rosa');
  await until("the patient's picture", () => family.page.$eval(by('tile-canvas'), (canvas) => canvas.width > 64));
  await family.page.close();
  await until('an empty stage', async () => (await patient.page.$$(by('tile'))).length === 0);
  patient.clean();
  family.clean();
});

test("at a sixth of the CPU the patient's page shows 12 pictures a second of one caller", LONG, async (t) => {
  const host = await relay(t);
  participant(t, host, 'Rosa', 'Rosa', { role: 'family', video: 'synthetic:640x360@30' });
  const tablet = await chromium({ camera });
  t.after(tablet.close);
  const patient = await open(tablet.browser, `${host.url}/Paciente/`, {
    viewport: TABLET,
    throttle: 6,
    prepare: () => {
      const { drawImage } = CanvasRenderingContext2D.prototype;
      globalThis.painted = 0;
      CanvasRenderingContext2D.prototype.drawImage = function count(...given) {
        if (this.canvas.dataset.testid === 'tile-canvas') globalThis.painted += 1;
        return drawImage.apply(this, given);
      };
    },
  });
  await patient.press('waiting-row');
  await patient.sees('Rosa', 5);
  await until('the own camera', () => patient.page.$eval(by('self-canvas'), (canvas) => canvas.width > 32));
  const rate = await patient.page.evaluate(() => new Promise((resolve) => {
    const from = performance.now();
    const before = globalThis.painted;
    setTimeout(() => resolve((1000 * (globalThis.painted - before)) / (performance.now() - from)), 10_000);
  }));
  t.diagnostic(`${rate.toFixed(1)} pictures a second`);
  assert.ok(rate >= 12, `${rate} pictures a second`);
  await patient.sees('Rosa', 5);
  patient.clean();
});
