// Sound between browsers, and between browsers and `visita-client`, over a real relay: tones of
// different pitch, found again at the other end.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, firefox, PATIENCE, until } from './browsers.js';
import { participant, relay } from './harness.js';
import { joinFrom } from './page.js';
import { pulse } from './pulse.js';
import { serveUi } from './static.js';
import { heardBy, hears, hearsNothing, listening, rings, writeWav } from './tones.js';

const LONG = { timeout: 4 * PATIENCE };
/** Any document of the relay's origin; the test brings the scripts. */
const BLANK = '/api/v1/health';
/** What the browser's microphone hears, and what the client says. */
const HERE = 600;
const THERE = 1000;

let files;
let tone;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-sound-'));
  tone = writeWav(join(files, 'tone.wav'), HERE);
});

after(() => rmSync(files, { recursive: true, force: true }));

const ringing = (args = []) => chromium({ args: [`--use-file-for-fake-audio-capture=${tone}`, ...args] });
const OPTIONS = { room: 'sala', camera: false, microphone: true, prepare: listening };
const microphone = (person, state) => person.event(`the microphone ${state}`, (event) => event.type === 'microphone' && event.state === state);
const sounds = (person) => person.page.evaluate(() => globalThis.sounds);

/** What takes WebCodecs' sound from a page before its scripts run. */
const withoutCodecs = () => {
  for (const name of ['AudioEncoder', 'AudioDecoder', 'AudioData', 'EncodedAudioChunk']) delete globalThis[name];
};

test('two pages hear each other, and who is muted sends nothing', LONG, async (t) => {
  const host = await relay(t);
  const chrome = await ringing();
  t.after(chrome.close);
  const ana = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: 'Ana' });
  // Nobody listens: nothing is sent.
  await microphone(ana, 'on');
  const luis = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: 'Luis', microphone: false });
  await hears(luis.page, HERE);
  assert.equal(await sounds(luis), 0, 'who came without a microphone sends nothing');
  assert.ok(!(await luis.events()).some((event) => event.type === 'microphone'), 'nor is it opened');
  await until('levels', () => luis.page.evaluate(() => new Promise((resolve) => {
    const stop = globalThis.here.handle.subscribe((event) => {
      if (event.type !== 'levels') return;
      stop();
      resolve(Object.values(event.members).some((level) => level > -20 && level < -10));
    });
  })));

  // Muted: from the very call on nothing goes out, and the other hears nothing soon.
  const before = await ana.page.evaluate(() => {
    globalThis.here.handle.microphone(false);
    return globalThis.sounds;
  });
  await microphone(ana, 'muted');
  await hearsNothing(luis.page);
  assert.equal(await sounds(ana), before);
  assert.deepEqual((await luis.member('Ana')).tracks, []);
  // The tone that the microphone hears goes on: somebody speaks who is muted, and is told.
  await until('the word about it', () => ana.page.evaluate(() => new Promise((resolve) => {
    const stop = globalThis.here.handle.subscribe((event) => {
      if (event.type !== 'levels') return;
      stop();
      resolve(event.talkingMuted && event.own > -30);
    });
  })));
  assert.equal(await sounds(ana), before, 'still nothing');

  // Heard again, both ways.
  await Promise.all([ana, luis].map(({ page }) => page.evaluate(() => globalThis.here.handle.microphone(true))));
  await Promise.all([hears(ana.page, HERE), hears(luis.page, HERE)]);

  // Turned down here alone.
  await luis.page.evaluate(() => globalThis.here.handle.volume([...globalThis.here.members.keys()][0], 0));
  await hearsNothing(luis.page);
  await hears(ana.page, HERE);
  for (const one of [ana, luis]) {
    await one.leave();
    one.clean();
  }
  assert.equal(await ana.page.evaluate(() => globalThis.contexts[0].state), 'closed', 'the device is given back');
});

/** `visita-client` and a browser's page in one room: each says its tone, each hears the other's. */
async function withClient(t, browser, { env, listen }) {
  const host = await relay(t);
  const ana = participant(t, host, 'sala', 'Ana', { args: ['--audio', `tone:${THERE}`, '--play-audio', 'device'], env });
  const heard = listen();
  const luis = await joinFrom(browser, host.url + BLANK, { ...OPTIONS, name: 'Luis' });
  await hears(luis.page, THERE);
  await rings(heard, HERE);
  const report = await ana.report();
  const row = report.received.find(({ name, kind }) => name === 'Luis' && kind === 'audio');
  assert.ok(row?.frames_received > 25, JSON.stringify(report));
  // A sine of −12 dBFS, as it was given to the browser.
  assert.ok(row.level_dbfs > -20 && row.level_dbfs < -10, JSON.stringify(row));
  luis.clean();
}

test('Chromium and visita-client hear each other', LONG, async (t) => {
  const device = await pulse(t);
  const chrome = await ringing();
  t.after(chrome.close);
  await withClient(t, chrome.browser, device);
});

test('Firefox, with a PulseAudio source for its microphone, and visita-client hear each other', LONG, async (t) => {
  const device = await pulse(t);
  device.say(tone);
  // What it plays itself goes elsewhere than what the client plays.
  const fox = await firefox({ env: { ...device.env, PULSE_SINK: 'nowhere' }, prefs: { 'media.navigator.streams.fake': false } });
  t.after(fox.close);
  await withClient(t, fox.browser, device);
});

test('without WebCodecs libopus does it, within the page\'s own content policy', LONG, async (t) => {
  const host = await relay(t);
  const chrome = await ringing();
  t.after(chrome.close);
  const both = `(${withoutCodecs})();(${listening})()`;
  const plain = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: 'Ana' });
  const luis = await joinFrom(chrome.browser, `${host.url}/`, { ...OPTIONS, name: 'Luis', prepare: both });
  assert.equal(await luis.page.evaluate(() => typeof AudioDecoder), 'undefined');
  await Promise.all([hears(luis.page, HERE), hears(plain.page, HERE)]);
  luis.clean();
  plain.clean();
});

/** Runs before a page's scripts: a browser that captures at its own rate only, as older Firefoxes do. */
const unconverted = () => {
  globalThis.AudioContext = class extends AudioContext {
    constructor(given) {
      super({ sampleRate: 44_100, ...given });
    }

    createMediaStreamSource(stream) {
      if (this.sampleRate !== 44_100) throw new DOMException('', 'NotSupportedError');
      return super.createMediaStreamSource(stream);
    }
  };
};

test('a microphone that the browser doesn\'t convert to our rate is converted here', LONG, async (t) => {
  const host = await relay(t);
  const chrome = await ringing();
  t.after(chrome.close);
  const ana = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: 'Ana', microphone: false });
  const luis = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: 'Luis', prepare: `(${listening})();(${unconverted})()` });
  await hears(ana.page, HERE);
  luis.clean();
});

/** Runs before a page's scripts: the microphone fails as `globalThis.fails` says. */
const failing = () => {
  const { getUserMedia } = MediaDevices.prototype;
  MediaDevices.prototype.getUserMedia = async function asked(given) {
    if (given.audio && globalThis.fails) throw new DOMException('', globalThis.fails);
    const stream = await getUserMedia.call(this, given);
    [globalThis.microphone] = stream.getAudioTracks();
    return stream;
  };
};

test('without a microphone the call goes on, and takes one that is there later', LONG, async (t) => {
  const host = await relay(t);
  const chrome = await ringing();
  t.after(chrome.close);
  const ana = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: 'Ana' });
  await microphone(ana, 'on');
  for (const [fails, state] of [['NotAllowedError', 'denied'], ['NotFoundError', 'missing'], ['NotReadableError', 'busy']]) {
    const prepare = `(${listening})();(${failing})();globalThis.fails=${JSON.stringify(fails)}`;
    const luis = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: state, prepare });
    await microphone(luis, state);
    await hears(luis.page, HERE);
    assert.deepEqual((await ana.member(state)).tracks, []);
    await luis.page.evaluate(() => {
      globalThis.fails = null;
      navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
      return globalThis.here.handle.microphone(true);
    });
    await microphone(luis, 'on');
    await until(`the sound of who was ${state}`, async () => (await sounds(luis)) > 10);
    await luis.leave();
    luis.clean();
    await luis.page.close();
  }
});

test('interruptions: the system takes the sound or the microphone, and gives them back', LONG, async (t) => {
  const host = await relay(t);
  const chrome = await ringing();
  t.after(chrome.close);
  const ana = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: 'Ana' });
  const luis = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: 'Luis', prepare: `(${listening})();(${failing})()` });
  await hears(luis.page, HERE);
  const sound = (state) => luis.event(`sound ${state}`, (event) => event.type === 'sound' && event.state === state);
  await sound('on');

  // A telephone call: the context stops, can't be started, and goes on when the page is seen again.
  await luis.page.evaluate(() => {
    globalThis.contexts[0].resume = () => Promise.reject(new DOMException('', 'InvalidStateError'));
    return globalThis.contexts[0].suspend();
  });
  await sound('interrupted');
  await luis.page.evaluate(() => {
    delete globalThis.contexts[0].resume;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await until('sound again', async () => (await luis.events()).filter(({ type }) => type === 'sound').at(-1).state === 'on');
  await hears(luis.page, HERE);

  // The microphone is muted by the system, and not any more.
  const muted = (on) => luis.page.evaluate((value) => {
    Object.defineProperty(globalThis.microphone, 'muted', { value, configurable: true });
    globalThis.microphone.dispatchEvent(new Event(value ? 'mute' : 'unmute'));
  }, on);
  await muted(true);
  await microphone(luis, 'busy');
  await muted(false);
  await until('the microphone again', async () => (await luis.events()).filter(({ type }) => type === 'microphone').at(-1).state === 'on');

  // It is pulled out: it is said to be lost, and another one stands in for it.
  const last = await luis.page.evaluate(() => {
    globalThis.microphone.stop();
    globalThis.microphone.dispatchEvent(new Event('ended'));
    return globalThis.here.events.filter(({ type }) => type === 'microphone').at(-1).state;
  });
  assert.equal(last, 'lost');
  await until('another microphone', async () => (await luis.events()).filter(({ type }) => type === 'microphone').at(-1).state === 'on');
  await hears(ana.page, HERE);
  // There is none to stand in: it is taken when it is plugged in again.
  await luis.page.evaluate(() => {
    globalThis.fails = 'NotFoundError';
    globalThis.microphone.stop();
    globalThis.microphone.dispatchEvent(new Event('ended'));
  });
  await until('no sound announced', async () => (await ana.member('Luis')).tracks.length === 0);
  assert.equal((await luis.events()).filter(({ type }) => type === 'microphone').at(-1).state, 'lost');
  await luis.page.evaluate(() => {
    globalThis.fails = null;
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  });
  await until('the microphone once more', async () => (await luis.events()).filter(({ type }) => type === 'microphone').at(-1).state === 'on');
  await hears(ana.page, HERE);
  luis.clean();
  ana.clean();
});

test('sound that the browser holds back is asked for, and begins with a touch', LONG, async (t) => {
  const host = await relay(t);
  const chrome = await ringing();
  t.after(chrome.close);
  const ana = await joinFrom(chrome.browser, host.url + BLANK, { ...OPTIONS, name: 'Ana' });
  const page = await chrome.browser.newPage();
  const told = [];
  await page.exposeFunction('told', (state) => told.push(state));
  await page.evaluateOnNewDocument(listening);
  // The page joins by itself: what puppeteer runs in a page counts as a touch.
  await page.evaluateOnNewDocument(() => addEventListener('DOMContentLoaded', async () => {
    const { createPlatform } = await import('/platform/browser/index.js');
    const handle = createPlatform().join({
      room: { by: 'name', name: 'sala', create: 'meeting' }, name: 'Luis', role: 'family', camera: false, microphone: false,
    });
    handle.subscribe((event) => event.type === 'sound' && globalThis.told(event.state));
    addEventListener('click', () => handle.hear());
  }));
  await page.goto(host.url + BLANK);
  await until('the word that it is held back', () => told.includes('blocked'));
  assert.deepEqual(told, ['blocked']);
  await page.mouse.click(20, 20);
  await until('sound', () => told.includes('on'));
  assert.deepEqual(told, ['blocked', 'on'], 'asked for once');
  await hears(page, HERE);
  ana.clean();
});

test('before a call: the meter moves, a sample is played back, a tone is heard, devices can be chosen', LONG, async (t) => {
  const host = await relay(t);
  const chrome = await ringing();
  t.after(chrome.close);
  const page = await chrome.browser.newPage();
  await page.evaluateOnNewDocument(listening);
  await page.goto(host.url + BLANK);
  await page.evaluate(async () => {
    const { createPlatform } = await import('/platform/browser/index.js');
    const { devices } = createPlatform();
    Object.assign(globalThis, { devices, seen: [], lists: [] });
    devices.watch((list) => globalThis.lists.push(list));
    globalThis.check = devices.listen((event) => globalThis.seen.push(event));
  });
  const seen = () => page.evaluate(() => globalThis.seen);
  await until('the meter', async () => (await seen()).some(({ type, level }) => type === 'level' && level > -30));
  await page.evaluate(() => globalThis.check.sample());
  await hears(page, HERE);
  await until('its end', async () => (await seen()).some(({ type, state }) => type === 'sample' && state === 'none'));
  assert.deepEqual((await seen()).filter(({ type }) => type === 'sample').map(({ state }) => state), ['recording', 'playing', 'none']);
  await page.evaluate(() => {
    delete globalThis.tap;
    globalThis.check.stop();
  });
  assert.equal((await seen()).filter(({ type }) => type === 'microphone').at(-1).state, 'off');
  await page.evaluate(() => globalThis.devices.tone());
  await hears(page, 523);

  const list = await page.evaluate(() => globalThis.lists.at(-1));
  assert.ok(list.microphones.length > 1 && list.speakers.length > 1, JSON.stringify(list));
  assert.equal(list.processes, false);
  const microphone = list.microphones.find(({ id }) => id !== list.microphone).id;
  const speaker = list.speakers.find(({ id }) => id !== list.speaker).id;
  const chosen = await page.evaluate((chosenMicrophone, chosenSpeaker) => {
    globalThis.devices.chooseMicrophone(chosenMicrophone);
    globalThis.devices.chooseSpeaker(chosenSpeaker);
    return globalThis.lists.at(-1);
  }, microphone, speaker);
  assert.deepEqual([chosen.microphone, chosen.speaker], [microphone, speaker]);
  await page.evaluate(() => {
    globalThis.devices.tone();
  });
  await until('the tone there', () => page.evaluate((id) => globalThis.contexts.at(-1).sinkId === id, speaker));
});

/** Runs in a page: member 2 says a tone of 700 Hz; member 1 sends rubbish, 1,000 frames a second, while `globalThis.rubbish`. */
async function hearRubbish() {
  const [{ Engine }, { Hearing }, { encoder }] = await Promise.all([
    import('/platform/browser/sound/engine.js'), import('/platform/browser/sound/hearing.js'), import('/platform/browser/sound/opus.js'),
  ]);
  const track = { id: 2, source: 'microphone', codec: 'opus', layers: [] };
  const hearing = new Hearing(new Engine(), () => {});
  for (const id of [1, 2]) hearing.member({ id, name: 'x', role: 'guest', connection: 'connected', tracks: [track] });
  const header = (sender, sequence, timestamp) => ({
    sender, track: 2, layer: { spatial: 0, temporal: 0 }, sequence, timestamp, chunk: 0, chunks: 1, references: [],
  });
  const said = await encoder(28_000, (packet, number) => hearing.frame(header(2, number, number * 20_000), packet), () => {});
  let seed = 7;
  const dice = (below) => (seed = (seed * 48_271) % 0x7fffffff) % below;
  Object.assign(globalThis, { hearing, rubbish: true });
  const begun = performance.now();
  let number = 0;
  let sequence = 0;
  setInterval(() => {
    while (number * 20 < performance.now() - begun) {
      said.encode(Float32Array.from({ length: 960 }, (_, at) => 0.2 * Math.sin((2 * Math.PI * 700 * (number * 960 + at)) / 48_000)), number);
      number += 1;
      for (let n = 0; globalThis.rubbish && n < 20; n += 1) {
        const payload = Uint8Array.from({ length: dice(300) }, () => dice(256));
        // Every second one says that it is a packet of 20 ms; times jump by hours.
        if (n % 2 && payload.length) payload[0] = [0x08, 0x78, 0xf8][dice(3)];
        hearing.frame(header(1, n % 5 ? sequence++ : dice(2 ** 31), n % 3 ? sequence * 20_000 : dice(2 ** 31) * 20), payload);
      }
    }
  }, 10);
}

test('rubbish is bounded, counted and limited, and others are heard as before', LONG, async (t) => {
  const server = await serveUi();
  t.after(server.close);
  for (const prepare of [listening, `(${withoutCodecs})();(${listening})()`]) {
    const chrome = await ringing();
    t.after(chrome.close);
    const page = await chrome.browser.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.evaluateOnNewDocument(prepare);
    await page.goto(`${server.origin}/blank`);
    await page.evaluate(hearRubbish);
    const voices = () => page.evaluate(() => globalThis.hearing.voices);
    let loudest = 0;
    await until('three seconds of it', async () => {
      loudest = Math.max(loudest, ...(await heardBy(page)).map(Math.abs));
      return (await voices()).find(({ id }) => id === 2)?.stats.received > 150;
    });
    assert.ok(loudest < 0.9, `the loudest sample is ${loudest}`);
    const { garbage, received } = await page.evaluate(() => ({
      garbage: globalThis.hearing.garbage, received: globalThis.hearing.voices.find(({ id }) => id === 1)?.stats.received ?? 0,
    }));
    assert.ok(garbage > 1000 && received < 600, `${garbage} refused, ${received} played`);
    await page.evaluate(() => {
      globalThis.rubbish = false;
    });
    await hears(page, 700);
    assert.deepEqual(problems, []);
    await chrome.close();
  }
});
