// Chromium, Firefox and, where its carrier is there, `visita-client` in one room: run by `pairs.test.js` in
// a network of its own, since Firefox connects over no loopback address. Takes the carrier and the address
// to listen on as JSON, and prints what each saw and heard of each other as JSON.
import { join } from 'node:path';

import { chromium, firefox, until, withoutMedia } from './browsers.js';
import { folder, participant, relay } from './harness.js';
import { markerCamera, read, wordsOf } from './marker.js';
import { joinFrom } from './page.js';
import { pulse } from './pulse.js';
import { heardBy, listening, partOf, writeWav } from './tones.js';
import { writeY4m } from './y4m.js';

const BLANK = '/api/v1/health';
const CAMERA = { width: 320, height: 180, rate: 15 };
/** Different pictures of each other that are waited for. */
const PICTURES = 10;
/**
 * So many looks in a row must find half of the pictures no further from their sound than this, in
 * milliseconds. A browser puts them by the sender's reports, of which several must have come.
 */
const LIPS = { looks: 20, within: 150 };
/** The part of what is heard that each of the others' tones has at least, and all together. */
const PART = { each: 0.2, all: 0.9 };

/** Who is there: the pitch that each says, and the times that stand in its pictures, in microseconds. */
const PEOPLE = {
  Chromium: { tone: 600, from: 1e6, to: 10e6 },
  Firefox: { tone: 800, from: 11e6, to: 20e6 },
  // This machine's clock, which began when it did.
  client: { tone: 1000, from: 20e6, to: Infinity },
};

/**
 * What a page must be on, what the client is told, what is taken from pages, what the relay is told, and
 * over what a page's control must have gone. Where WebSockets are refused there is no client.
 */
const CARRIERS = {
  https: { step: 'webrtc', config: '[carriers]\nws = false', control: 'https' },
  webrtc: { step: 'webrtc', carrier: 'webrtc' },
  webcodecs: { step: 'frames', carrier: 'ws' },
  jpeg: { step: 'jpeg', carrier: 'ws', prepare: `(${withoutMedia})();` },
};

/** What is to be undone, last first. */
const undo = [];
const t = { after: (what) => undo.unshift(what) };
/** @param {string[]} names  of all */
const othersOf = (name, names) => names.filter((other) => other !== name);

/** Runs in a page: why it can't be on a step; nothing where it can. */
async function unable(step) {
  if (step === 'webrtc') {
    const { possible } = await import('/platform/browser/rtc/lane.js');
    return possible() ? '' : 'has no WebRTC';
  }
  const { probe } = await import('/platform/browser/codecs.js');
  const { encodes, decodes } = await probe();
  return step === 'jpeg' || (encodes.length > 0 && decodes.length > 0) ? '' : `has no WebCodecs (encodes ${encodes.length}, decodes ${decodes.length})`;
}

/** Runs in a page that is in the room: from now on keeps how far frames' pictures are from their sound when painted. */
function watchLips() {
  const { _pictures: pictures, _sound: { hearing } } = globalThis.here.handle;
  const decoded = new WeakMap();
  globalThis.offsets = {};
  const take = pictures._decoded;
  pictures._decoded = (id, sender, picture, time) => {
    decoded.set(picture.image, { id, time });
    return take.call(pictures, id, sender, picture, time);
  };
  for (const { canvas } of globalThis.here.members.values()) {
    const context = canvas.getContext('2d');
    const paint = context.drawImage;
    context.drawImage = (image, ...rest) => {
      const { id, time } = decoded.get(image) ?? {};
      const until = id === undefined ? null : hearing.until(id, time);
      if (until !== null) (globalThis.offsets[id] ??= []).push(Math.abs(until));
      paint(image, ...rest);
    };
  }
}

/**
 * Runs in a page: how a member's picture comes now, and how far it is from its sound, in milliseconds. Of
 * RTP that is what the browser says it plays of both, on the sender's clock.
 */
async function lookAt(name, most) {
  const { here } = globalThis;
  const [id] = [...here.members].find(([, member]) => member.name === name);
  const slot = here.handle._live?._slots.find(({ member }) => member === id);
  const told = async (transceiver) => {
    const all = await transceiver.receiver.getStats();
    const rtp = [...all.values()].find(({ type }) => type === 'inbound-rtp');
    const codec = all.get(rtp?.codecId)?.mimeType.split('/')[1].toLowerCase();
    return { plays: rtp?.estimatedPlayoutTimestamp, decoded: rtp?.framesDecoded ?? 0, codec };
  };
  const [sound, picture] = slot ? await Promise.all([told(slot.sound), told(slot.picture)]) : [];
  if (picture && sound.plays && picture.plays) (globalThis.offsets[id] ??= []).push(Math.abs(sound.plays - picture.plays));
  const frames = [...here.handle._pictures._senders.get(id)?.streams.values() ?? []].filter(({ decoder }) => decoder).map(({ codec }) => codec);
  const byRtp = picture?.decoded > 0;
  return { byRtp, codec: byRtp ? picture.codec : frames.at(-1), offsets: (globalThis.offsets[id] ?? []).slice(-most) };
}

/** Of numbers, what so many of a hundred aren't above. */
const percentile = (numbers, percent) => [...numbers].sort((a, b) => a - b)[Math.ceil((numbers.length * percent) / 100) - 1];

/**
 * What a page sees and hears of the others, once it is enough.
 * @param {string[]} others
 * @param {{ step: string, control?: string }} on
 * @returns {Promise<object[]>}  a row for each
 */
async function seenBy(person, name, others, { step, control }) {
  if (control) await person.event(`control over ${control} at ${name}`, (event) => event.type === 'way' && event.control === control);
  await person.event(`${name} on ${step}`, (event) => event.type === 'way' && event.step === step);
  await until(`${name}'s others`, async () => (await Promise.all(others.map((other) => person.member(other)))).every(Boolean));
  await person.chat(`from ${name}`);
  for (const other of others) if (other !== 'client') await person.reads(`from ${other}`);
  await person.page.evaluate(watchLips);
  const rows = [];
  for (const from of others) {
    const { from: first, to } = PEOPLE[from];
    const numbers = new Set();
    await until(`${PICTURES} pictures of ${from} at ${name}`, async () => {
      const picture = await person.pixels(from);
      const mark = picture && read(picture);
      if (mark && mark.time >= first && mark.time < to) numbers.add(mark.number);
      if (numbers.size >= PICTURES) return true;
      throw new Error(JSON.stringify({ seen: numbers.size, mark, member: await person.member(from) }));
    });
    rows.push({ from, to: name, pictures: numbers.size });
  }
  const parts = await tones(name, others, () => heardBy(person.page));
  for (const row of rows) {
    const { byRtp, codec, offsets } = await until(`the lips of ${row.from} at ${name}`, async () => {
      const look = await person.page.evaluate(lookAt, row.from, LIPS.looks);
      if (look.offsets.length === LIPS.looks && percentile(look.offsets, 50) <= LIPS.within) return look;
      throw new Error(JSON.stringify(look));
    });
    const av = { p50: percentile(offsets, 50), p95: percentile(offsets, 95) };
    Object.assign(row, { codec, byRtp, hertz: PEOPLE[row.from].tone, part: parts[row.from], av });
  }
  // That a WebSocket is refused, Firefox tells as an error of the page.
  const expected = control === 'https' ? 'establish a connection to the server at wss:' : null;
  const problems = person.problems.filter((problem) => !expected || !problem.includes(expected));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return rows;
}

/** Waits until what is heard is the others' tones, and next to nothing else. @returns each one's part */
async function tones(name, others, hear) {
  const parts = {};
  await until(`the others' tones at ${name}`, async () => {
    const samples = await hear();
    for (const other of others) parts[other] = partOf(samples, PEOPLE[other].tone);
    const all = Object.values(parts);
    if (all.every((part) => part >= PART.each) && all.reduce((sum, part) => sum + part) >= PART.all) return true;
    throw new Error(JSON.stringify(parts));
  });
  return parts;
}

/** What the client saw and heard, by its own report and by the marks in the pictures that it decoded. */
async function seenByClient(client, others, heard, carrier) {
  const reports = () => client.lines.filter((line) => line.startsWith('{"first_picture_ms"')).map((line) => JSON.parse(line));
  /** The last of a sender's rows of a kind: before UDP was up there were others. */
  const rowOf = (report, name, kind) => report.received.filter((row) => row.name === name && row.kind === kind).at(-1);
  await until('the client’s pictures and sound', () => {
    const report = reports().at(-1);
    if (report?.carrier === carrier && others.every((name) => rowOf(report, name, 'audio')?.av_offset_ms && rowOf(report, name, 'video')?.frames_decoded >= 2 * PICTURES)) return true;
    throw new Error(JSON.stringify(report));
  });
  const parts = await tones('client', others, heard);
  const report = await client.report();
  const shown = client.lines.filter((line) => line.includes('"stamp":"shown"')).map((line) => JSON.parse(line).captured);
  return others.map((from) => {
    const { from: first, to } = PEOPLE[from];
    const pictures = new Set(shown.filter((time) => time >= first && time < to)).size;
    const { av_offset_ms: av } = rowOf(report, from, 'audio');
    const byRtp = report.carrier === 'webrtc';
    if (pictures < PICTURES) throw new Error(`the client showed ${pictures} pictures of ${from}`);
    return { from, to: 'client', pictures, hertz: PEOPLE[from].tone, part: parts[from], av, codec: rowOf(report, from, 'video').codec, byRtp };
  });
}

async function run({ carrier: name, address }) {
  const { step, control, carrier, config, prepare = '' } = CARRIERS[name];
  const files = folder(t);
  const host = await relay(t, { udp: step === 'webrtc', address, config });
  const device = await pulse(t);
  device.say(writeWav(join(files, 'firefox.wav'), PEOPLE.Firefox.tone));
  const heard = device.listen();
  const env = { ...device.env, PULSE_SINK: 'nowhere' };
  const [chrome, fox] = await Promise.all([
    chromium({
      env,
      camera: writeY4m(join(files, 'camera.y4m'), { ...CAMERA, from: PEOPLE.Chromium.from }),
      args: [
        `--use-file-for-fake-audio-capture=${writeWav(join(files, 'chromium.wav'), PEOPLE.Chromium.tone)}`,
        '--force-webrtc-ip-handling-policy=default',
      ],
    }),
    firefox({
      env,
      prefs: {
        'media.peerconnection.enabled': true,
        'media.peerconnection.ice.obfuscate_host_addresses': false,
        // Its fake camera, with a real microphone.
        'media.audio_loopback_dev': device.microphone,
      },
    }),
  ]);
  t.after(chrome.close);
  t.after(fox.close);
  const client = carrier && participant(t, host, 'sala', 'client', {
    video: `synthetic:${CAMERA.width}x${CAMERA.height}@${CAMERA.rate}`, env: device.env,
    args: ['--audio', `tone:${PEOPLE.client.tone}`, '--play-audio', 'device', '--carrier', carrier, '--stamps', '--report-every', '1'],
  });
  const frames = Array.from({ length: 3 * CAMERA.rate }, (_, at) => wordsOf(at, PEOPLE.Firefox.from + Math.round((at * 1e6) / CAMERA.rate)));
  const marked = `(${markerCamera})(${JSON.stringify({ ...CAMERA, frames })})`;
  const options = { room: 'sala', camera: true, microphone: true };
  const people = await Promise.all([
    joinFrom(chrome.browser, host.url + BLANK, { ...options, name: 'Chromium', prepare: `${prepare}(${listening})()` }),
    joinFrom(fox.browser, host.url + BLANK, { ...options, name: 'Firefox', prepare: `${prepare}(${listening})();${marked}` }),
  ]);
  const names = ['Chromium', 'Firefox', ...client ? ['client'] : []];
  const why = await Promise.all(people.map(({ page }) => page.evaluate(unable, step)));
  const rows = await Promise.all(people.map(async (person, at) => {
    const to = names[at];
    const others = othersOf(to, names);
    return why[at] ? others.map((from) => ({ from, to, why: `${to} ${why[at]}` })) : seenBy(person, to, others, { step, control });
  }));
  const last = client ? await seenByClient(client, othersOf('client', names), heard, carrier) : [];
  return [...rows.flat(), ...last];
}

try {
  console.log(JSON.stringify(await run(JSON.parse(process.argv[2]))));
} finally {
  for (const what of undo) await what();
}
