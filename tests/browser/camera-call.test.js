// A camera that is pulled out in a call, and put back: the call goes on, the page says what is, and
// the picture comes back by itself, on both sides.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { chromium, PATIENCE, until } from './browsers.js';
import { folder, participant, relay } from './harness.js';
import { rowOf } from './page.js';
import { by, open } from './screens.js';
import { writeY4m } from './y4m.js';

/** Runs in the page before its scripts: a cable to pull. */
const cable = () => {
  localStorage.setItem('visita.name', 'Ana');
  const { getUserMedia, enumerateDevices } = MediaDevices.prototype;
  let out = false;
  let track = null;
  MediaDevices.prototype.enumerateDevices = async function some() {
    return out ? [] : enumerateDevices.call(this);
  };
  MediaDevices.prototype.getUserMedia = async function some(given) {
    if (out) throw new DOMException('gone', 'NotFoundError');
    const stream = await getUserMedia.call(this, given);
    [track] = stream.getVideoTracks();
    return stream;
  };
  const changed = () => navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  globalThis.pull = () => {
    out = true;
    track.stop();
    track.onended();
    changed();
  };
  globalThis.plug = () => {
    out = false;
    changed();
  };
  globalThis.light = () => track?.readyState === 'live';
};

test('a camera unplugged in a call comes back by itself when it is plugged in', { timeout: 3 * PATIENCE }, async (t) => {
  const host = await relay(t);
  const camera = writeY4m(join(folder(t), 'camera.y4m'), { width: 320, height: 180, rate: 15 });
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const rosa = participant(t, host, 'Cama 7', 'Rosa', { video: 'synthetic:320x180@15' });
  const ana = await open(chrome.browser, `${host.url}/`, { prepare: cable });
  await ana.press('room-enter');
  await ana.sees('Rosa');
  const own = () => ana.page.$eval(by('self'), (self) => self.dataset.camera);
  await until('the own camera', async () => (await own()) === 'on');

  await ana.page.evaluate(() => globalThis.pull());
  await until('what is said of it', () => ana.page.$(`${by('camera-card')}[data-camera="lost"]`));
  // The call goes on: the other's picture moves.
  await ana.sees('Rosa');

  await ana.page.evaluate(() => globalThis.plug());
  await until('the own camera again', async () => (await own()) === 'on');
  assert.equal(await ana.page.$(by('camera-card')), null, 'and nothing more is said');
  await ana.sees('Rosa');

  // Off, the camera is free; on, it is taken again.
  await ana.press('camera-toggle');
  await until('the light out', async () => !(await ana.page.evaluate(() => globalThis.light())));
  await ana.press('camera-toggle');
  await until('the light on', () => ana.page.evaluate(() => globalThis.light()));
  await until('the own camera once more', async () => (await own()) === 'on');
  await ana.sees('Rosa');
  const report = await rosa.report();
  assert.ok(rowOf(report, 'Ana', 'h264').frames_decoded > 20, JSON.stringify(report));
  ana.clean();
});
