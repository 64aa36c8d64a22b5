// The call as people use it: language, keys, own picture, panels, whole screen, with real pictures
// from real participants going on meanwhile.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, PATIENCE, until } from './browsers.js';
import { line, participant, relay } from './harness.js';
import { joinFrom } from './page.js';
import { by, open } from './screens.js';
import { writeY4m } from './y4m.js';

const LONG = { timeout: 4 * PATIENCE };
const DESKTOP = { width: 1280, height: 800 };

let files;
let camera;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-stage-'));
  camera = writeY4m(join(files, 'camera.y4m'));
});

after(() => rmSync(files, { recursive: true, force: true }));

/** A relative in the call with Rosa, at the bed of that name. */
async function inCall(t, { at, prepare, viewport = DESKTOP, own = camera } = {}) {
  const host = at?.host ?? await relay(t);
  if (!at?.host) participant(t, host, 'Rosa', 'Paciente', { role: 'bedside', video: 'synthetic:320x180@15' });
  const chrome = await chromium({ camera: own });
  t.after(chrome.close);
  const family = await open(chrome.browser, `${at?.url ?? host.url}/Familiar/`, { viewport, prepare });
  await enter(family);
  return { host, chrome, family };
}

/** @param {Awaited<ReturnType<typeof open>>} family */
async function enter(family) {
  await family.type('familiar-name', 'Rosa');
  await family.press('familiar-enter');
  await family.sees('Paciente', 3);
}

const text = (at, testid) => at.page.$eval(by(testid), (one) => one.textContent);
const attribute = (at, testid, name) => at.page.$eval(by(testid), (one, key) => one.getAttribute(key), name);
const visible = (at, testid) => at.page.$eval(by(testid), (one) => one.offsetParent !== null).catch(() => false);
const focused = (at) => at.page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
const corner = (at) => at.page.$eval(by('stage'), (one) => one.dataset.self);
/** The own picture has come to rest in a corner. */
const inCorner = (at, wanted) => until(`the own picture in the corner ${wanted}`, async () => await corner(at) === wanted);

test('the language changes in the call, and the pictures go on in the same canvas', LONG, async (t) => {
  const { family } = await inCall(t, { prepare: () => localStorage.setItem('visita.language', 'es') });
  await family.press('chat-toggle');
  await family.type('chat-input', 'a medio escribir');
  await family.page.$eval(by('tile-canvas'), (canvas) => {
    globalThis.before = canvas;
  });
  await family.press('menu-toggle');
  assert.match(await text(family, 'leave'), /Salir/);
  await family.page.click(`${by('menu')} ${by('language')}`);
  await until('English', async () => /Leave/.test(await text(family, 'leave')));
  assert.match(await text(family, 'menu-self'), /Hide your own picture/);
  assert.equal(await family.page.evaluate(() => document.documentElement.lang), 'en');
  assert.ok(await visible(family, 'menu'), 'the menu stays open');
  await family.sees('Paciente', 10);
  assert.ok(await family.page.$eval(by('tile-canvas'), (canvas) => canvas === globalThis.before && canvas.isConnected));
  assert.equal(await family.page.$eval(by('chat-input'), (input) => input.value), 'a medio escribir');
  await family.page.click(`${by('menu')} ${by('language')}`);
  await until('Spanish', async () => /Salir/.test(await text(family, 'leave')));
  family.clean();
});

test('the own picture is a mirror, goes where key, mouse or finger leads it, stays there, and can be hidden', LONG, async (t) => {
  const { family } = await inCall(t);
  await until('the own picture', () => family.page.$eval(by('self-canvas'), (canvas) => canvas.width > 32));
  assert.equal(await family.page.$eval(by('self-canvas'), (canvas) => getComputedStyle(canvas).transform), 'matrix(-1, 0, 0, 1, 0, 0)');
  await inCorner(family, 'bottom-right');
  await family.page.keyboard.press('ArrowUp');
  await inCorner(family, 'top-right');
  await family.page.keyboard.press('ArrowLeft');
  await inCorner(family, 'top-left');

  const middle = async (testid) => {
    const box = await (await family.page.$(by(testid))).boundingBox();
    return [box.x + box.width / 2, box.y + box.height / 2, box];
  };
  const [, , stage] = await middle('stage');
  // Where it glides has to be over before it is taken.
  const rests = () => until('rest', () => family.page.evaluate(() => document.getAnimations().every((one) => one.playState !== 'running')));
  await rests();
  let [x, y] = await middle('self');
  await family.page.mouse.move(x, y);
  await family.page.mouse.down();
  await family.page.mouse.move(x + 60, y + 60, { steps: 4 });
  await family.page.mouse.move(stage.x + stage.width - 80, stage.y + stage.height - 80, { steps: 4 });
  await family.page.mouse.up();
  await inCorner(family, 'bottom-right');
  await rests();
  [x, y] = await middle('self');
  await family.page.touchscreen.touchStart(x, y);
  await family.page.touchscreen.touchMove(x - 60, y);
  await family.page.touchscreen.touchMove(stage.x + 90, y);
  await family.page.touchscreen.touchEnd();
  await inCorner(family, 'bottom-left');
  // A touch alone leads on to the next corner.
  await rests();
  [x, y] = await middle('self');
  await family.page.touchscreen.tap(x, y);
  await inCorner(family, 'top-left');

  await family.page.reload();
  await enter(family);
  await inCorner(family, 'top-left');

  await family.press('menu-toggle');
  await family.press('menu-self');
  await until('no own picture', async () => !await visible(family, 'self'));
  await family.page.keyboard.press('Escape');
  await family.sees('Paciente', 3);
  await family.page.evaluate(() => document.activeElement?.blur());
  await family.page.keyboard.press('h');
  await until('the own picture again', () => visible(family, 'self'));
  await until('pictures in it', () => family.page.$eval(by('self-canvas'), (canvas) => canvas.width > 32));
  family.clean();
});

test('keys do what the buttons do, but not while somebody writes, and not once they are switched off', LONG, async (t) => {
  const { family } = await inCall(t);
  const { keyboard } = family.page;
  assert.equal(await attribute(family, 'camera-toggle', 'aria-pressed'), 'true');
  await keyboard.press('v');
  await until('the camera off', async () => await attribute(family, 'camera-toggle', 'aria-pressed') === 'false');
  await keyboard.press('V');
  await until('the camera on', async () => await attribute(family, 'camera-toggle', 'aria-pressed') === 'true');

  await keyboard.press('c');
  await until('the chat', () => visible(family, 'chat'));
  await until('the focus in the field', async () => await focused(family) === 'chat-input');
  await keyboard.type('vcpfh');
  assert.equal(await family.page.$eval(by('chat-input'), (input) => input.value), 'vcpfh');
  assert.equal(await attribute(family, 'camera-toggle', 'aria-pressed'), 'true');
  await keyboard.press('Escape');
  await until('no chat', async () => !await visible(family, 'chat'));
  assert.equal(await focused(family), 'chat-toggle', 'back where one was');

  await keyboard.press('p');
  await until('the people', () => visible(family, 'people'));
  assert.deepEqual((await family.texts('person')).length, 2);
  assert.match((await family.texts('person'))[1], /Paciente.*(Conectado|Connected)/);
  await keyboard.press('Escape');
  await until('no people', async () => !await visible(family, 'people'));

  await keyboard.press('f');
  await until('the whole screen', () => family.page.evaluate(() => document.fullscreenElement !== null));
  await keyboard.press('f');
  await until('the window again', () => family.page.evaluate(() => document.fullscreenElement === null));

  await keyboard.press('a');
  await until('the menu', () => visible(family, 'menu'));
  await family.press('menu-keys');
  await keyboard.press('Escape');
  await until('no menu', async () => !await visible(family, 'menu'));
  assert.equal(await focused(family), 'menu-toggle');
  for (const key of ['v', 'c', 'p', 'h', 'f']) await keyboard.press(key);
  assert.equal(await attribute(family, 'camera-toggle', 'aria-pressed'), 'true');
  assert.deepEqual(await Promise.all(['chat', 'people', 'self'].map((one) => visible(family, one))), [false, false, true]);
  family.clean();
});

test('where there is no whole screen nothing offers it, and where it is called by an older name it works', LONG, async (t) => {
  const { host, chrome, family } = await inCall(t, {
    prepare: () => {
      for (const name of ['fullscreenEnabled', 'webkitFullscreenEnabled']) Object.defineProperty(Document.prototype, name, { get: () => false });
    },
  });
  await family.press('menu-toggle');
  assert.equal(await visible(family, 'menu-self'), true);
  assert.equal(await visible(family, 'menu-full'), false);
  await family.page.close();

  const older = await open(chrome.browser, `${host.url}/Familiar/`, {
    viewport: DESKTOP,
    prepare: () => {
      Object.defineProperty(Document.prototype, 'fullscreenEnabled', { get: () => undefined });
      Object.defineProperty(Document.prototype, 'webkitFullscreenEnabled', { get: () => true });
      delete Element.prototype.requestFullscreen;
      delete Document.prototype.exitFullscreen;
    },
  });
  await enter(older);
  await older.press('menu-toggle');
  await older.press('menu-full');
  await until('the whole screen', () => older.page.evaluate(() => document.webkitFullscreenElement !== null));
  await older.press('leave');
  await until('the window, once the call is left', () => older.page.evaluate(() => document.webkitFullscreenElement === null));
  older.clean();
});

test('the screen stays on during a call: asked for again when the page is seen again, given back at the end', LONG, async (t) => {
  const { family } = await inCall(t, {
    prepare: () => {
      globalThis.locks = { asked: 0, held: 0 };
      globalThis.seen = 'visible';
      Object.defineProperty(Document.prototype, 'visibilityState', { get: () => globalThis.seen });
      Object.defineProperty(Navigator.prototype, 'wakeLock', {
        get: () => ({
          request: async () => {
            globalThis.locks.asked += 1;
            globalThis.locks.held += 1;
            let given = true;
            return {
              release: async () => {
                if (given) globalThis.locks.held -= 1;
                given = false;
              },
            };
          },
        }),
      });
    },
  });
  const locks = () => family.page.evaluate(() => ({ ...globalThis.locks }));
  assert.deepEqual(await locks(), { asked: 1, held: 1 }, 'one place knows of it');
  const turn = (seen) => family.page.evaluate((to) => {
    globalThis.seen = to;
    // The system takes the lock of a page that nobody sees.
    if (to === 'hidden') globalThis.locks.held -= 1;
    document.dispatchEvent(new Event('visibilitychange'));
  }, seen);
  await turn('hidden');
  assert.deepEqual(await locks(), { asked: 1, held: 0 });
  await turn('visible');
  await until('the lock again', async () => (await locks()).held === 1);
  await family.press('leave');
  await until('the lock given back', async () => (await locks()).held === 0);
  family.clean();
});

test('what is written while the line is broken says so, and is lost neither here nor there', LONG, async (t) => {
  const host = await relay(t);
  const wire = await line(t, host.port);
  participant(t, host, 'Rosa', 'Paciente', { role: 'bedside', video: 'synthetic:320x180@15' });
  const { chrome, family } = await inCall(t, { at: { host, url: `https://127.0.0.1:${wire.port}` } });
  const eva = await joinFrom(chrome.browser, `${host.url}/api/v1/health`, { room: 'Rosa', name: 'Eva', camera: false });
  await family.page.bringToFront();
  await family.press('chat-toggle');
  wire.down = true;
  await until('the word of it', () => visible(family, 'call-banner'));
  for (const words of ['uno', 'dos <b>x</b> https://ejemplo.invalid/']) {
    await family.type('chat-input', words);
    await family.page.keyboard.press('Enter');
  }
  await until('both wait', async () => (await family.texts('chat-pending')).length === 2);
  for (const words of await family.texts('chat-pending')) assert.match(words, /cuando vuelva la conexión|when the connection is back/);
  wire.down = false;
  await eva.reads('uno');
  await eva.reads('dos <b>x</b> https://ejemplo.invalid/');
  await family.reads('chat-line', 'dos <b>x</b> https://ejemplo.invalid/');
  await until('nothing waits', async () => (await family.texts('chat-pending')).length === 0);
  assert.equal((await family.texts('chat-line')).length, 2, 'none twice');
  assert.equal(await family.page.$$eval(`${by('chat')} a`, (all) => all.length), 0, 'an address leads nowhere');
  await family.sees('Paciente', 5);
  family.clean();
});

test('more lines at once than the relay takes wait their turn, and none is lost', LONG, async (t) => {
  const { family } = await inCall(t);
  await family.press('chat-toggle');
  // The relay takes two a second, after a burst of ten.
  const lines = Array.from({ length: 14 }, (_, i) => `línea ${i}`);
  for (const words of lines) {
    await family.page.$eval(by('chat-input'), (input, value) => {
      input.value = value;
      input.form.requestSubmit();
    }, words);
  }
  await until('all of them', async () => (await family.page.$$(by('chat-line'))).length === lines.length);
  assert.deepEqual(await family.page.$$eval(`${by('chat-line')} .chat-text`, (all) => all.map((one) => one.textContent)), lines);
  assert.deepEqual([(await family.texts('chat-pending')).length, (await family.texts('chat-refused')).length], [0, 0]);
  family.clean();
});

test('a patient is asked once before leaving somebody, and stays by a touch', LONG, async (t) => {
  const host = await relay(t);
  participant(t, host, 'Ana', 'Ana', { role: 'family', video: 'synthetic:320x180@15' });
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const patient = await open(chrome.browser, `${host.url}/Paciente/`, { viewport: { width: 820, height: 1180 } });
  await patient.press('waiting-row');
  await patient.sees('Ana', 3);
  await patient.press('leave');
  await until('the question', () => visible(patient, 'leave-sure'));
  assert.equal(await focused(patient), 'leave-stay');
  await patient.press('leave-stay');
  await patient.sees('Ana', 5);
  await patient.press('leave');
  await patient.press('leave-sure');
  await until('the list', () => visible(patient, 'waiting-row'));
  patient.clean();
});

test('twelve moving tiles are painted without laying anything out', LONG, async (t) => {
  const host = await relay(t);
  for (let i = 1; i <= 12; i += 1) participant(t, host, 'Rosa', `Persona ${i}`, { role: 'family', video: 'synthetic:160x90@8' });
  const chrome = await chromium({ camera: null, device: false, allowCamera: false });
  t.after(chrome.close);
  const family = await open(chrome.browser, `${host.url}/Familiar/`, {
    viewport: DESKTOP,
    prepare: () => {
      const { drawImage } = CanvasRenderingContext2D.prototype;
      globalThis.painted = new Map();
      CanvasRenderingContext2D.prototype.drawImage = function count(...given) {
        globalThis.painted.set(this.canvas, (globalThis.painted.get(this.canvas) ?? 0) + 1);
        return drawImage.apply(this, given);
      };
    },
  });
  await family.type('familiar-name', 'Rosa');
  await family.press('familiar-enter');
  const least = () => family.page.evaluate(() => {
    const counts = [...document.querySelectorAll('[data-testid="tile-canvas"]')].map((canvas) => globalThis.painted.get(canvas) ?? 0);
    return counts.length === 12 ? Math.min(...counts) : 0;
  });
  await until('pictures in twelve tiles', async () => await least() > 3);
  await until('no notice any more', async () => (await family.page.$$(by('notice'))).length === 0);
  const counted = async () => {
    const { LayoutCount, RecalcStyleCount } = await family.page.metrics();
    const painted = await family.page.evaluate(() => [...globalThis.painted.values()].reduce((sum, one) => sum + one, 0));
    return { layouts: LayoutCount, styles: RecalcStyleCount, painted };
  };
  const from = await counted();
  const wanted = await least() + 25;
  // Looked at seldom: looking is done in the page, too.
  await until('300 pictures', async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return await least() >= wanted;
  });
  const to = await counted();
  const [pictures, layouts, styles] = [to.painted - from.painted, to.layouts - from.layouts, to.styles - from.styles];
  t.diagnostic(`${pictures} pictures, ${layouts} layouts, ${styles} style recalculations`);
  assert.ok(pictures >= 300);
  // The minute may change, and a picture stall, while this looks.
  assert.ok(layouts <= pictures / 20, `${layouts} layouts for ${pictures} pictures`);
  family.clean();
});
