// The connection panel in a real browser: what it says where UDP works, where the network lets none
// through, where the host has none and where the browser has neither that nor codecs; and the same in
// the relay's metrics.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, PATIENCE, until, withoutMedia } from './browsers.js';
import { participant, relay } from './harness.js';
import { by, open } from './screens.js';
import { writeY4m } from './y4m.js';

const LONG = { timeout: 4 * PATIENCE };

let files;
let camera;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-connection-'));
  camera = writeY4m(join(files, 'camera.y4m'));
});

after(() => rmSync(files, { recursive: true, force: true }));

/** How many sessions travel how, as the relay's metrics say. */
const ways = (host) => new Promise((resolve, reject) => {
  get(`${host.url}/metrics`, { rejectUnauthorized: false }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (more) => {
      text += more;
    }).on('end', () => resolve(text.split('\n').filter((line) => line.startsWith('visita_ways{'))));
  }).on('error', reject);
});

/** A relative in a call with Ana, and the panel open. */
async function looking(t, host, prepare) {
  participant(t, host, 'Rosa', 'Ana', { role: 'family', video: 'synthetic:320x180@8' });
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const family = await open(chrome.browser, `${host.url}/Familiar/`, { prepare });
  // As if it had been chosen here before.
  await family.page.evaluate(() => localStorage.setItem('visita.language', 'es'));
  await family.page.reload();
  await family.type('familiar-name', 'Rosa');
  await family.press('familiar-enter');
  await family.sees('Ana', 3);
  await family.press('menu-toggle');
  await family.press('menu-connection');
  return family;
}

/** Runs in the page: it speaks this language. */
const speak = async (language) => (await import('/texts/index.js')).use(language);
/** What stands in a place of the panel, without the marks around what was put in; nothing where it isn't shown. */
const words = async (at, place) => (await at.page.$eval(by(`connection-${place}`), (element) => (element.checkVisibility() ? element.innerText : '')))
  .replace(/[\u2068\u2069]/gu, '');
const says = (at, place, text) => until(`“${text}” in ${place}`, async () => (await words(at, place)).includes(text));
const counted = (host, line) => until(line, async () => (await ways(host)).includes(line));

test('over UDP it says so, live, with what the line carries; in the other language too', LONG, async (t) => {
  const host = await relay(t, { udp: true });
  const family = await looking(t, host);
  await says(family, 'told', 'Imagen y sonido van por la vía rápida');
  assert.equal(await words(family, 'why'), '');
  await says(family, 'control', 'Por la misma vía rápida');
  await says(family, 'answers', 'Al momento');
  await says(family, 'line', 'Imagen y sonido');
  await says(family, 'tech', 'WebRTC (UDP)');
  await says(family, 'tech', 'Ida y vuelta');
  await until('what the line carries', async () => /Recibe [1-9][\d.,]* kbit/u.test(await words(family, 'tech')));
  await says(family, 'tech', 'H.264');
  await counted(host, 'visita_ways{control="webrtc",media="webrtc",why="none"} 1');
  await family.page.evaluate(speak, 'en');
  await says(family, 'told', 'Pictures and sound take the fast way');
  await family.press('connection-close');
  await until('the panel is closed', async () => !await family.page.$('dialog[open]'));
  family.clean();
});

test('where the network lets no UDP through it is tried, and then said', LONG, async (t) => {
  const host = await relay(t, { udp: true });
  const family = await looking(t, host, () => {
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function away(answer) {
      return set.call(this, { type: answer.type, sdp: answer.sdp.replace(/^a=candidate:.*$/gmu, 'a=candidate:1 1 udp 1 127.0.0.1 9 typ host') });
    };
  });
  await says(family, 'why', 'Esta red no deja pasar la vía rápida');
  await says(family, 'told', 'Imagen y sonido van por la vía normal');
  await says(family, 'control', 'Por una línea que queda abierta');
  await says(family, 'tech', 'Motivo en las métricas: silent');
  await counted(host, 'visita_ways{control="ws",media="frames",why="silent"} 1');
  family.clean();
});

test('where the host has no UDP, and where the browser has nothing but photos', LONG, async (t) => {
  const host = await relay(t);
  const family = await looking(t, host);
  await says(family, 'why', 'El anfitrión no ofrece la vía rápida');
  await counted(host, 'visita_ways{control="ws",media="frames",why="off"} 1');
  family.clean();

  const other = await relay(t);
  const plain = await looking(t, other, withoutMedia);
  await says(plain, 'told', 'La imagen va como fotos seguidas');
  await says(plain, 'why', 'Este navegador no tiene la vía rápida');
  await says(plain, 'tech', 'JPEG');
  await counted(other, 'visita_ways{control="ws",media="jpeg",why="missing"} 1');
  plain.clean();
});
