// The camera of a browser in spatial layers over UDP: who shows it small gets it small.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, PATIENCE, until } from './browsers.js';
import { participant, relay } from './harness.js';
import { joinFrom } from './page.js';
import { writeY4m } from './y4m.js';

const LONG = { timeout: 4 * PATIENCE };
const BLANK = '/api/v1/health';
const OPTIONS = { room: 'sala', camera: true };
/** Milliseconds that a picture may stand still at a switch: ten times what a key frame is waited for. */
const STILL = 2500;

let files;
let camera;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-layers-'));
  camera = writeY4m(join(files, 'camera.y4m'));
});

after(() => rmSync(files, { recursive: true, force: true }));

/** Runs in the page: notes when each picture that comes by RTP is there, and how wide it is. */
function note() {
  const pictures = [];
  globalThis.pictures = pictures;
  const look = (video) => video.requestVideoFrameCallback((now) => {
    pictures.push([now, video.videoWidth]);
    look(video);
  });
  new MutationObserver((all) => {
    for (const { addedNodes } of all) {
      for (const node of addedNodes) if (node.className === 'lane-video') look(node);
    }
  }).observe(document, { childList: true, subtree: true });
}

/** The last picture's width. */
const width = (person) => person.page.evaluate(() => globalThis.pictures.at(-1)?.[1]);

/** Shows a member at this size, and waits until its picture is so wide; the longest that one stood meanwhile. */
async function shows(person, of, size) {
  const from = await person.page.evaluate((wanted, to) => {
    const entry = [...globalThis.here.members.values()].find(({ name }) => name === wanted);
    entry.shown.resize(to);
    return globalThis.pictures.length - 1;
  }, of, size);
  await until(`a picture ${size.width} wide`, async () => (await width(person)) === size.width);
  await person.sees(of, 10);
  const all = await person.page.evaluate((first) => globalThis.pictures.slice(first), from);
  const times = all.map(([time]) => time);
  return Math.max(...times.slice(1).map((time, at) => time - times[at]));
}

test('a picture goes in two layers, and each gets the one that it shows', LONG, async (t) => {
  const host = await relay(t, { udp: true });
  const [here, there] = await Promise.all([chromium({ camera }), chromium({ camera })]);
  t.after(here.close);
  t.after(there.close);
  const luis = await joinFrom(there.browser, host.url + BLANK, { ...OPTIONS, name: 'Luis', prepare: note });
  const ana = await joinFrom(here.browser, host.url + BLANK, { ...OPTIONS, name: 'Ana' });
  const eva = participant(t, host, 'sala', 'Eva', { video: 'none' });
  const zoe = participant(t, host, 'sala', 'Zoe', { video: 'none', args: ['--watch', '320x180'] });
  await until('two layers of Ana', async () => {
    const tracks = (await luis.member('Ana'))?.tracks ?? [];
    return tracks.some(({ id, layers }) => id >= 4 && layers.length === 2);
  });
  const large = { width: 640, height: 360 };
  const small = { width: 320, height: 180 };
  await until('the large one', async () => (await width(luis)) === large.width);
  const still = [];
  for (const size of [small, large, small]) still.push(Math.round(await shows(luis, 'Ana', size)));
  t.diagnostic(`the picture stood for ${still.join(', ')} ms at most, while it changed`);
  assert.ok(Math.max(...still) < STILL, `${still} ms`);
  // Who went on showing it as before noticed nothing of it.
  // The last: what came over the WebSocket at first has a row of its own.
  const row = async (person) => (await person.report()).received.filter(({ name, codec }) => name === 'Ana' && codec === 'h264').at(-1);
  const [whole, less] = [await row(eva), await row(zoe)];
  assert.deepEqual([whole.width, whole.height], [640, 360]);
  assert.deepEqual([less.width, less.height], [320, 180]);
  for (const one of [ana, luis]) one.clean();
});
