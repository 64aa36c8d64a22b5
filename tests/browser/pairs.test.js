// Chromium and Firefox, each with `visita-client` and with each other, over each carrier: pictures by
// pixel, sound by tone, both ways, and how far lips are from the sound. What was seen makes one table,
// which is printed and kept in .run/pairs.md.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Lan, whyNot } from './app-lan.js';
import { PATIENCE } from './browsers.js';
import { TOP } from './harness.js';

const ROOM = fileURLToPath(new URL('pairs-room.js', import.meta.url));
const BROWSERS = ['Chromium', 'Firefox'];
const ALL = [...BROWSERS, 'client'];
const MOVING = ['h264', 'vp8'];
/** Of each carrier, who is there, what pictures may come as, and whether they come by RTP. */
const CARRIERS = {
  webrtc: { names: ALL, codecs: MOVING, rtp: true },
  webcodecs: { names: ALL, codecs: MOVING, rtp: false },
  jpeg: { names: ALL, codecs: ['jpeg'], rtp: false },
  // Control over plain requests, since the relay refuses WebSockets; media over WebRTC.
  https: { names: BROWSERS, codecs: MOVING, rtp: true },
};
const skip = whyNot();

/** @type {Lan} */
let lan;
/** @type {string[]} */
const table = [
  '| carrier | from → to | picture | different pictures | tone, part of what is heard | av_offset_ms p50 / p95 |',
  '| --- | --- | --- | --- | --- | --- |',
];

before(() => {
  if (!skip) lan = new Lan(['ward']);
});

after(() => {
  lan?.remove();
  if (table.length === 2) return;
  const text = `${table.join('\n')}\n`;
  console.log(text);
  mkdirSync(join(TOP, '.run'), { recursive: true });
  writeFileSync(join(TOP, '.run', 'pairs.md'), text);
});

/** What everybody in a room of this carrier saw and heard of each other. */
async function seen(carrier) {
  const ward = lan.machine('ward');
  const given = JSON.stringify({ carrier, address: ward.address });
  const child = ward.spawn(process.execPath, [ROOM, given], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, 'everybody saw and heard what was waited for');
  return JSON.parse(text);
}

for (const [carrier, { names, codecs, rtp }] of Object.entries(CARRIERS)) {
  test(`everybody sees and hears everybody over ${carrier}`, { skip: skip || false, timeout: 6 * PATIENCE }, async () => {
    const rows = await seen(carrier);
    for (const { from, to, why, pictures, codec, byRtp, hertz, part, av } of rows) {
      const who = `| ${carrier} | ${from} → ${to} |`;
      table.push(why ? `${who} not tried: ${why} | | | |`
        : `${who} ${codec}, ${byRtp ? 'RTP' : 'frames'} | ${pictures} | ${hertz} Hz, ${part.toFixed(2)} | ${av.p50.toFixed(0)} / ${av.p95.toFixed(0)} |`);
    }
    const directions = names.flatMap((from) => names.filter((to) => to !== from).map((to) => `${from} → ${to}`));
    assert.deepEqual(rows.map(({ from, to }) => `${from} → ${to}`).sort(), directions.sort());
    for (const { from, to, codec, byRtp } of rows.filter(({ why }) => !why)) {
      assert.ok(codecs.includes(codec), `${from} → ${to}: ${codec}`);
      assert.equal(byRtp, rtp, `${from} → ${to}`);
    }
    // These browsers can all of it today: one that can't any more is to be noticed.
    assert.deepEqual(rows.filter(({ why }) => why), []);
  });
}
