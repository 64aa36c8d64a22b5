// Getting in, by real pages of a real relay: with six digits, with a code to scan, with a link.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import decodeQR from 'qr/decode.js';

import { chromium, firefox, PATIENCE, until } from './browsers.js';
import { participant, relay } from './harness.js';
import { by, open } from './screens.js';
import { writeY4m } from './y4m.js';

const LONG = { timeout: 4 * PATIENCE };
const PHONE = { width: 390, height: 844, deviceScaleFactor: 2 };
const TABLET = { width: 820, height: 1180 };
const NURSE = 'Enf. Robles';

let files;
let camera;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-door-'));
  camera = writeY4m(join(files, 'camera.y4m'));
});

after(() => rmSync(files, { recursive: true, force: true }));

/** A nurse's tablet in a bed's room, with the invitation open. */
async function inviting(browser, host) {
  const nurse = await open(browser, `${host.url}/`, { viewport: TABLET });
  await nurse.press('new-room');
  await nurse.type('new-room-name', 'Cama 7');
  await nurse.page.$eval(by('kind-bed'), (one) => one.click());
  await nurse.press('create-room');
  await nurse.type('name-input', NURSE);
  await nurse.press('enter');
  await nurse.press('menu-toggle');
  await nurse.press('menu-invite');
  const code = await nurse.reads('invite-code', ' ');
  const link = await nurse.reads('invite-link', '#/i/');
  return { ...nurse, code, link };
}

/** Runs in the page: a picture's pixels, from PNG in base64. */
async function pixelsOf(png) {
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext('2d');
  context.drawImage(picture, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, picture.width, picture.height);
  let text = '';
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return { width, height, data: btoa(text) };
}

/** What a camera reads in the screen, in a browser whose pages may open anything. */
async function scan(browser, page) {
  const blank = await browser.newPage();
  const { width, height, data } = await blank.evaluate(pixelsOf, await page.screenshot({ encoding: 'base64' }));
  await blank.close();
  return decodeQR({ width, height, data: new Uint8Array(Buffer.from(data, 'base64')) });
}

/** @type {[name: string, start: () => ReturnType<typeof chromium>][]} */
const PHONES = [['Chromium', () => chromium({ camera })], ['Firefox', () => firefox()]];

for (const [name, start] of PHONES) {
  test(`six digits read from the nurse’s screen and typed in ${name} lead into the call`, LONG, async (t) => {
    const host = await relay(t);
    const [ward, phone] = await Promise.all([chromium({ camera }), start()]);
    t.after(ward.close);
    t.after(phone.close);
    const nurse = await inviting(ward.browser, host);
    assert.match(nurse.code, /^\d{3} \d{3}$/);
    const [first, second] = nurse.code.split(' ');

    const family = await open(phone.browser, `${host.url}/`, { viewport: PHONE });
    await family.type('code-input', '12');
    await family.press('code-enter');
    await until('a word about six digits', () => family.page.$eval(`${by('code-input')}[aria-invalid="true"]`, () => true).catch(() => false));
    await family.page.$eval(by('code-input'), (input) => {
      input.value = '';
    });
    await family.type('code-input', `${first}${second}`);
    assert.equal(await family.page.$eval(by('code-input'), (input) => input.value), nurse.code, 'grouped as on the screen');
    await family.press('code-enter');
    await family.type('familiar-name', 'Ana');
    await family.press('familiar-enter');
    await family.sees(NURSE);
    await nurse.press('invite-close');
    await until('the tile of Ana', async () => (await nurse.texts('tile')).some((text) => text.includes('Ana')));
    if (name === 'Chromium') await nurse.sees('Ana');
    nurse.clean();
    family.clean();
  });
}

test('the code on a tablet is read from its picture and leads straight into the room, without a name in it', LONG, async (t) => {
  const host = await relay(t);
  const [ward, phone] = await Promise.all([chromium({ camera }), chromium({ camera })]);
  t.after(ward.close);
  t.after(phone.close);
  const nurse = await inviting(ward.browser, host);
  const read = await scan(phone.browser, nurse.page);
  assert.equal(read, nurse.link);
  assert.match(read, new RegExp(`^${host.url}/#/i/[0-9a-f]{16}$`));
  const width = await nurse.page.$eval(`${by('invite-qr')} svg`, (svg) => svg.getBoundingClientRect().width);
  assert.ok(width > 0.8 * TABLET.width, `${width} of ${TABLET.width} pixels: read from across a bed`);

  const family = await open(phone.browser, read, { viewport: PHONE });
  await family.type('familiar-name', 'Luis');
  await family.press('familiar-enter');
  await family.sees(NURSE);
  nurse.clean();
  family.clean();
});

test('a link that is opened where the page stands already leads into the room as well', LONG, async (t) => {
  const host = await relay(t);
  participant(t, host, 'Reunión', 'Rosa', { video: 'synthetic:640x360@15' });
  const { browser, close } = await chromium({ camera });
  t.after(close);
  const page = await open(browser, `${host.url}/`, { viewport: PHONE });
  const { rooms } = await until('the room', () => page.page.evaluate(async () => {
    const answer = await (await fetch('/api/v1/rooms')).json();
    return answer.rooms.length ? answer : null;
  }));
  await page.page.evaluate((hash) => {
    location.hash = hash;
  }, `#/m/${rooms[0].id}`);
  await page.type('name-input', 'Marco');
  await page.press('enter');
  await page.sees('Rosa');
  // In a call another link changes nothing.
  await page.page.evaluate(() => {
    location.hash = '#/i/0000000000000000';
  });
  await page.sees('Rosa');
  page.clean();
});

test('wrong codes are told in words, and after five when to try again', LONG, async (t) => {
  const host = await relay(t);
  const { browser, close } = await chromium({ camera });
  t.after(close);
  const page = await open(browser, `${host.url}/`, { viewport: PHONE });
  const said = async (/** @type {RegExp} */ words) => until(`${words}`, () => page.page.$$eval('.field-wrong', (all) => all.map((one) => one.textContent).join(' '))
    .then((text) => words.test(text) && text));
  await page.type('code-input', '123456');
  for (let times = 0; times < 5; times += 1) {
    await page.press('code-enter');
    await said(/no sirve o ya venció|doesn’t work, or not any more/);
    await until('another try', () => page.page.$eval(by('code-enter'), (button) => !button.disabled));
  }
  await page.press('code-enter');
  await said(/Pruebe de nuevo en \S?\d+|Try again in \S?\d+/);
  await host.stop('SIGKILL');
  await page.press('code-enter');
  await said(/La sala no responde|The ward doesn’t answer/);
  page.clean();
});

test('the help pages stand at their addresses, and the certificate is downloaded from there', LONG, async (t) => {
  const host = await relay(t);
  const { browser, close } = await chromium({ camera });
  t.after(close);
  const page = await open(browser, `${host.url}/Ayuda/Certificado/`, { viewport: PHONE });
  const print = await page.reads('fingerprint', ' ');
  assert.equal(print.replace(/\s/g, ''), host.fingerprint.replace('sha256:', ''));
  await page.press('system-windows');
  await until('the steps of another system', () => page.page.$eval('.drawing', (svg) => svg.classList.contains('computer')));
  const type = await page.page.evaluate(async (selector) => {
    const answer = await fetch(document.querySelector(selector).href);
    return answer.headers.get('content-type');
  }, by('cert-download'));
  assert.equal(type, 'application/x-x509-ca-cert');
  await page.press('help-other');
  await page.press('system-android');
  await page.press('help-home');
  await page.press('code-input');
  page.clean();
});
