// Media over UDP in real browsers, beside participants on a WebSocket: pictures by pixel, sound by
// tone, both ways.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, PATIENCE, until, withoutMedia } from './browsers.js';
import { participant, relay } from './harness.js';
import { joinFrom } from './page.js';
import { hears, hearsNothing, listening, writeWav } from './tones.js';
import { writeY4m } from './y4m.js';

const LONG = { timeout: 4 * PATIENCE };
const BLANK = '/api/v1/health';
/** What the browser's microphone hears, and what the client says. */
const HERE = 600;
const THERE = 1000;

let files;
let camera;
let tone;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-webrtc-'));
  camera = writeY4m(join(files, 'camera.y4m'));
  tone = writeWav(join(files, 'tone.wav'), HERE);
});

after(() => rmSync(files, { recursive: true, force: true }));

const browser = (args = []) => chromium({ camera, args: [`--use-file-for-fake-audio-capture=${tone}`, ...args] });
const OPTIONS = { room: 'sala', camera: true, microphone: true, prepare: listening };

/** What the relay counts, as text. */
const metrics = (host) => new Promise((resolve, reject) => {
  get(`${host.url}/metrics`, { rejectUnauthorized: false }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (more) => {
      text += more;
    }).on('end', () => resolve(text));
  }).on('error', reject);
});

/** The relay's counter of this name. */
async function counted(host, name) {
  const line = (await metrics(host)).split('\n').find((one) => one.startsWith(`visita_${name}_total `));
  return Number(line.split(' ')[1]);
}

/** Waits until so many have their media over UDP. */
const lanes = (host, count) => until(`${count} over UDP`, async () => (await counted(host, 'lanes')) >= count);

/** Whether a member's tracks are those that go by RTP. */
const live = (person, of) => until(`${of} over UDP`, async () => (await person.member(of))?.tracks.some(({ id }) => id >= 4));

test('Chromium and Chromium see and hear each other over UDP', LONG, async (t) => {
  const host = await relay(t, { udp: true });
  // One each: a browser paints only the page in front.
  const [here, there] = await Promise.all([browser(), browser()]);
  t.after(here.close);
  t.after(there.close);
  const ana = await joinFrom(here.browser, host.url + BLANK, { ...OPTIONS, name: 'Ana' });
  const luis = await joinFrom(there.browser, host.url + BLANK, { ...OPTIONS, name: 'Luis' });
  await lanes(host, 2);
  await Promise.all([live(ana, 'Luis'), live(luis, 'Ana')]);
  await Promise.all([ana.sees('Luis', 10), luis.sees('Ana', 10)]);
  await Promise.all([hears(ana.page, HERE), hears(luis.page, HERE)]);

  // Muted: nothing more is heard, and the word is told; and heard again.
  await ana.page.evaluate(() => globalThis.here.handle.microphone(false));
  await hearsNothing(luis.page);
  await ana.page.evaluate(() => globalThis.here.handle.microphone(true));
  await hears(luis.page, HERE);
  for (const one of [ana, luis]) {
    await one.leave();
    one.clean();
  }
});

test('Chromium over UDP and visita-client over its WebSocket see and hear each other', LONG, async (t) => {
  const host = await relay(t, { udp: true });
  const chrome = await browser();
  t.after(chrome.close);
  const ana = participant(t, host, 'sala', 'Ana', { args: ['--audio', `tone:${THERE}`] });
  const luis = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: 'Luis' });
  await lanes(host, 1);
  await luis.sees('Ana', 20);
  await hears(luis.page, THERE);
  await until('frames of RTP', async () => (await luis.member('Ana'))?.painted > 60);
  const report = await ana.report();
  // The last of a kind: what came over the WebSocket at first has a row of its own.
  const of = (kind) => report.received.filter((row) => row.name === 'Luis' && (row.kind === kind || row.codec === kind)).at(-1);
  const [sound, picture] = [of('audio'), of('h264')];
  assert.ok(sound?.frames_received > 25, JSON.stringify(report));
  assert.ok(sound.level_dbfs > -20 && sound.level_dbfs < -10, JSON.stringify(sound));
  assert.ok(picture?.frames_decoded > 20, JSON.stringify(report));
  luis.clean();
});

/** Runs before a page's scripts: WebRTC without WebCodecs, as in older browsers. */
const withoutCodecs = () => {
  for (const name of ['VideoEncoder', 'VideoDecoder', 'EncodedVideoChunk', 'MediaStreamTrackProcessor']) delete globalThis[name];
};

/** Runs in a page: how many messages went through its lane's channel for frames; nothing without one. */
const throughChannel = async () => {
  const stats = await globalThis.here.handle._live?._peer.getStats();
  const { messagesSent, messagesReceived } = [...stats?.values() ?? []].find(({ type, label }) => type === 'data-channel' && label === 'frames') ?? {};
  return { messagesSent, messagesReceived };
};

test('a page over UDP and one that has nothing but JPEG see each other: its pictures take the channel, both ways', LONG, async (t) => {
  const host = await relay(t, { udp: true });
  const [here, there] = await Promise.all([browser(), browser()]);
  t.after(here.close);
  t.after(there.close);
  const ana = await joinFrom(here.browser, host.url + BLANK, { ...OPTIONS, name: 'Ana', prepare: `(${withoutCodecs})();(${listening})()` });
  // From then on there is no other way for anything of hers.
  await ana.event('all of it over UDP', (event) => event.type === 'way' && event.control === 'webrtc' && event.step === 'webrtc');
  const luis = await joinFrom(there.browser, host.url + BLANK, { ...OPTIONS, name: 'Luis', prepare: `(${withoutMedia})();(${listening})()` });
  await luis.event('the step', (event) => event.type === 'way' && event.step === 'jpeg');
  await Promise.all([luis.sees('Ana', 10), ana.sees('Luis', 10), hears(luis.page, HERE), hears(ana.page, HERE)]);
  const codecs = (tracks) => tracks.filter(({ source }) => source === 'camera').map(({ codec }) => codec);
  assert.ok(codecs((await luis.member('Ana')).tracks).includes('jpeg'));
  assert.deepEqual(codecs((await ana.member('Luis')).tracks), ['jpeg']);
  const { messagesSent, messagesReceived } = await ana.page.evaluate(throughChannel);
  assert.ok(messagesSent >= 10 && messagesReceived >= 10, `${messagesSent} sent, ${messagesReceived} received`);
  assert.equal((await ana.events()).filter(({ type }) => type === 'way').at(-1).control, 'webrtc');
  for (const one of [ana, luis]) {
    await one.leave();
    one.clean();
  }
});

test('where UDP is silent the call goes on over the WebSocket', LONG, async (t) => {
  const host = await relay(t, { udp: true });
  const [here, there] = await Promise.all([browser(), browser()]);
  t.after(here.close);
  t.after(there.close);
  /** Runs in the page: its peers can't reach anybody. */
  const deaf = () => {
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function away(answer) {
      return set.call(this, { type: answer.type, sdp: answer.sdp.replace(/^a=candidate:.*$/gmu, 'a=candidate:1 1 udp 1 127.0.0.1 9 typ host') });
    };
  };
  const ana = await joinFrom(here.browser, host.url + BLANK, { ...OPTIONS, microphone: false, name: 'Ana', prepare: deaf });
  const luis = await joinFrom(there.browser, host.url + BLANK, { ...OPTIONS, microphone: false, name: 'Luis', prepare: deaf });
  await Promise.all([ana.sees('Luis', 10), luis.sees('Ana', 10)]);
  assert.equal(await counted(host, 'lanes'), 0);
  for (const one of [ana, luis]) one.clean();
});
