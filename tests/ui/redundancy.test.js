// What a page repeats and what it makes of repeated packets: its own modules with libopus, and an
// audio engine that only says what it is told.
import assert from 'node:assert/strict';
import test from 'node:test';

import { isRedundant, read, Repeater } from '../../ui/protocol/red.js';
import { FRAME, RATE } from '../../ui/protocol/sound.js';
import { Hearing } from '../../ui/platform/browser/sound/hearing.js';
import { encoder } from '../../ui/platform/browser/sound/opus.js';
import { Talk, TRACK } from '../../ui/platform/browser/sound/talk.js';

/** @type {any} */
const scope = globalThis;

class Node {
  constructor() {
    this.told = [];
    this.port = { onmessage: null, postMessage: (told) => this.told.push(told) };
    Node.last = this;
  }

  connect() {}

  disconnect() {}
}
scope.AudioWorkletNode = Node;
scope.MediaStream = class {};

const context = { state: 'running', sampleRate: RATE, createMediaStreamSource: () => ({ context: {}, connect() {}, disconnect() {} }) };
const engine = /** @type {any} */ ({ acquire: async () => context, connect() {}, release() {} });
/** Until what was begun is done. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const until = async (done) => {
  while (!done()) await settled();
};

const tone = (n) => Float32Array.from({ length: FRAME }, (_, at) => 0.3 * Math.sin((2 * Math.PI * 440 * (n * FRAME + at)) / RATE));

/** @param {number} count */
async function packets(count) {
  const made = [];
  const opus = await encoder(16_000, (packet) => made.push(packet), () => assert.fail());
  for (let n = 0; n < count; n += 1) opus.encode(tone(n), n);
  opus.close();
  return made;
}

test('what is missing is decoded out of the frames behind it, each packet once and in order', async () => {
  const hearing = new Hearing(engine, () => {});
  hearing.member(/** @type {any} */ ({ id: 4, tracks: [{ id: 8, source: 'microphone', codec: 'opus', layers: [] }] }));
  await until(() => hearing._senders.get(4)?.decoder && hearing._player);
  const repeater = new Repeater();
  const lost = (n) => n % 10 === 5 || n % 10 === 6 || n === 30;
  const frame = (sequence, payload) => hearing.frame(
    { sender: 4, track: 8, layer: { spatial: 0, temporal: 0 }, sequence, timestamp: 1_000_000 + sequence * 20_000, chunk: 0, chunks: 1, references: [] },
    payload,
  );
  const payloads = (await packets(50)).map((packet, n) => repeater.payload(1_000_000 + n * 20_000, packet, 2));
  payloads.forEach((payload, n) => {
    if (!lost(n)) frame(n, payload);
    // One that was overtaken comes after its copy.
    if (n === 31) frame(30, payloads[30]);
  });
  const told = Node.last.told.filter(({ type }) => type === 'frame');
  assert.deepEqual(told.map(({ sequence }) => sequence), Array.from({ length: 50 }, (_, n) => n));
  for (const { sequence, time, copy, samples } of told) {
    assert.equal(copy, lost(sequence), `${sequence}`);
    assert.ok(Math.abs(time - (1_000_000 + sequence * 20_000)) <= 11);
    assert.equal(samples.length, FRAME);
  }
  assert.equal(hearing.garbage, 0);
  // What can't be read is counted, and the next ones are heard.
  frame(50, payloads[49].slice(0, 6));
  frame(51, payloads[49].slice(0, 40));
  assert.equal(hearing.garbage, 2);
  frame(52, payloads[49]);
  assert.deepEqual(Node.last.told.slice(told.length).map(({ sequence, copy }) => [sequence, copy]), [[50, true], [51, true], [52, false]]);
  hearing.close();
});

test('what gets lost is repeated, as long as it is told and as far as the line carries it', async () => {
  const sent = [];
  let [dropped, congested] = [0, false];
  const talk = new Talk(engine, {
    announce() {}, drop() {}, failed: () => assert.fail(),
    frame: (header, payload) => {
      sent.push({ ...header, payload });
      return congested ? 'congested' : 'taken';
    },
    dropped: () => dropped,
  });
  let now = 1_000_000;
  const clock = performance.now;
  performance.now = () => now;
  talk.track(/** @type {any} */ ({}));
  talk.wanted(true);
  await until(() => Node.last.port.onmessage);
  let n = 0;
  const say = (frames) => {
    sent.length = 0;
    for (let end = n + frames; n < end; n += 1, now += 20) {
      Node.last.port.onmessage({ data: { dbov: -13, voice: true, turn: turn(), first: n * FRAME, samples: tone(n) } });
    }
    return sent.map(({ payload }) => (isRedundant(payload) ? read(payload).older.length : 0));
  };
  const turn = () => Node.last.told.at(-1).turn;
  try {
    say(5);
    await until(() => talk._encoding?.made);
    assert.deepEqual(say(50), Array(50).fill(0));
    assert.ok(sent.every(({ track }, at) => track === TRACK && (at === 0 || sent[at].sequence === sent[at - 1].sequence + 1)));
    talk.loss(6);
    assert.deepEqual(say(50).slice(1), Array(49).fill(1));
    const bits = sent.reduce((sum, { payload }) => sum + payload.length * 8, 0);
    assert.ok(bits < 28_000 * 1.2, `${bits} in a second`);
    // Less only after a while: each change makes a browser's encoder begin anew.
    talk.loss(0);
    assert.deepEqual(say(400), Array(400).fill(1));
    assert.equal(say(200).at(-1), 0);
    talk.loss(12);
    assert.equal(say(50).at(-1), 1, 'two would leave too little for the packet itself');
    congested = true;
    assert.equal(say(50).at(-1), 0, 'nor is there enough for one');
    congested = false;
    // What is missing was thrown away here.
    talk.mute(true);
    talk.mute(false);
    await until(() => {
      say(1);
      return talk._encoding?.made;
    });
    for (let second = 0; second < 20; second += 1) {
      dropped += 6;
      say(50);
    }
    talk.loss(12);
    assert.deepEqual(say(100), Array(100).fill(0));
  } finally {
    performance.now = clock;
    talk.close();
  }
});
