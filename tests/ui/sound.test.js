// Sound without a device: levels, voices from frames to samples, the limiter, clocks, what waits.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { parse } from '../../ui/protocol/frame.js';
import { decibels, durationOf, FRAME, FRAME_MS, level, loudness, Meter, RATE } from '../../ui/protocol/sound.js';
import { Outbox, SOUND_PATIENCE } from '../../ui/platform/browser/outbox.js';
import { Activity, Unheard } from '../../ui/platform/browser/sound/activity.js';
import { Allowance } from '../../ui/platform/browser/sound/allowance.js';
import { CaptureClock } from '../../ui/platform/browser/sound/clock.js';
import { Held } from '../../ui/platform/browser/sound/held.js';
import { CEILING, Limiter } from '../../ui/platform/browser/sound/mix.js';
import { Resampler } from '../../ui/platform/browser/sound/resample.js';
import { Concealment, FADE, HISTORY, putIn, takeOut } from '../../ui/platform/browser/sound/stretch.js';
import { Voice } from '../../ui/platform/browser/sound/voice.js';

const levels = JSON.parse(readFileSync(new URL('../../protocol/vectors/levels.json', import.meta.url), 'utf8'));
const byteOf = ({ dbov, voice }) => (0 - dbov) | (voice ? 0x80 : 0);

/** A voice of this pitch, from this sample on: three overtones. */
const voiced = (hertz, samples, from = 0) => Float32Array.from({ length: samples }, (_, at) => {
  const turns = (2 * Math.PI * hertz * (at + from)) / RATE;
  return 0.2 * (Math.sin(turns) + Math.sin(2 * turns) / 2 + Math.sin(3 * turns) / 3);
});
/** The largest step from one sample to the next: a click is larger than any step of the sound itself. */
const roughest = (samples) => samples.reduce((most, sample, at) => Math.max(most, at ? Math.abs(sample - samples[at - 1]) : 0), 0);
const joined = (...parts) => Float32Array.from(parts.flatMap((part) => [...part]));

test('levels are told as Rust tells them', () => {
  for (const { dbov, voice, byte } of levels.quantised) assert.equal(byteOf(level(dbov ?? -Infinity, voice)), byte, `${dbov}`);
  assert.deepEqual(level(NaN, false), { dbov: -127, voice: false });
  for (const { name, frames, told } of levels.meter) {
    const meter = new Meter();
    assert.deepEqual(frames.map(([dbov, voice]) => byteOf(meter.frame(dbov ?? -Infinity, voice))), told, name);
  }
});

test('loudness is that of RFC 6464: a square wave of full scale is 0 dBov', () => {
  assert.equal(loudness(new Float32Array(FRAME).fill(-1)), 0);
  assert.ok(Math.abs(loudness(Float32Array.from({ length: RATE }, (_, at) => Math.sin(at))) + 3.01) < 0.02);
  assert.equal(loudness(new Float32Array(FRAME)), -127);
  assert.equal(decibels(NaN), -127);
});

test('an Opus packet says how long it lasts', () => {
  const of = (...bytes) => durationOf(Uint8Array.from(bytes));
  assert.equal(of(), null);
  // The configurations of RFC 6716, table 2, one frame each.
  const expected = [10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 10, 20, ...Array(4).fill([2.5, 5, 10, 20]).flat()];
  assert.deepEqual(expected.map((_, configuration) => of(configuration << 3, 1)), expected);
  assert.equal(of((31 << 3) | 1, 1, 1), null, 'two frames');
  assert.equal(durationOf(new Uint8Array(1277)), null, 'longer than any frame');
});

test('a voice is told from a room, and words from the pauses in them', () => {
  const activity = new Activity();
  const frames = (count, dbov) => Array.from({ length: count }, () => activity.frame(dbov));
  assert.ok(!frames(200, -55).some(Boolean), 'a fan');
  assert.deepEqual(frames(10, -38), Array(10).fill(true), 'a whisper over it, from its first frame on');
  assert.deepEqual(frames(9, -55), Array(9).fill(true), 'a breath within a word');
  assert.ok(!frames(10, -55).at(-1));
  assert.ok(!frames(100, -127).some(Boolean));
  assert.ok(frames(500, -30).slice(0, 100).every(Boolean), 'a long sentence');
  const quiet = new Activity();
  assert.ok(!Array.from({ length: 100 }, () => quiet.frame(-80)).some(Boolean), 'what a microphone makes by itself');
  assert.ok(!Array.from({ length: 10 }, () => quiet.frame(-68)).some(Boolean));
});

test('who speaks while muted is told, who coughs is not', () => {
  const unheard = new Unheard();
  let now = 0;
  const frames = (count, voice) => {
    for (let n = 0; n < count; n += 1) unheard.frame(voice, FRAME_MS, (now += FRAME_MS));
  };
  frames(15, true);
  assert.ok(!unheard.told(now), '300 ms');
  frames(10, true);
  assert.ok(unheard.told(now));
  frames(100, false);
  assert.ok(unheard.told(now), 'long enough to be read');
  frames(100, false);
  assert.ok(!unheard.told(now));
  frames(30, true);
  unheard.begin();
  assert.ok(!unheard.told(now));
});

test('captured blocks have even times on the page\'s clock, however late the page hears of them', () => {
  const clock = new CaptureClock();
  const lag = (n) => (n * 7) % 13;
  const times = Array.from({ length: 500 }, (_, n) => clock.at(n * FRAME, FRAME, 1000 + (n + 1) * 20 + lag(n)));
  times.slice(20).forEach((time, at) => {
    const n = at + 20;
    assert.ok(Math.abs(time - (1000 + n * 20)) < 0.5, `${time} of ${n}`);
  });
  // The device slept for a second: after a second more the clock is right again.
  const after = Array.from({ length: 60 }, (_, n) => clock.at((500 + n) * FRAME, FRAME, 2000 + (501 + n) * 20));
  assert.ok(Math.abs(after.at(-1) - (2000 + 559 * 20)) < 1);
});

test('another rate becomes ours: a tone keeps its pitch and its loudness', () => {
  for (const from of [16_000, 44_100, 96_000]) {
    const resampler = new Resampler(from);
    const parts = [];
    for (let n = 0; n < 200; n += 1) {
      parts.push(Float32Array.from(resampler.run(Float32Array.from({ length: 128 }, (_, at) => 0.5 * Math.sin((2 * Math.PI * 1000 * (n * 128 + at)) / from)))));
    }
    const out = joined(...parts);
    assert.ok(Math.abs(out.length - (200 * 128 * RATE) / from) < 64, `${from}: ${out.length}`);
    const inside = out.slice(500, out.length - 500);
    assert.ok(Math.abs(loudness(inside) - (20 * Math.log10(0.5) - 3.01)) < 0.1, `${from}: ${loudness(inside)}`);
    const crossings = inside.reduce((count, sample, at) => count + (at && inside[at - 1] < 0 && sample >= 0 ? 1 : 0), 0);
    assert.ok(Math.abs(crossings - inside.length / 48) <= 1, `${from}: ${crossings}`);
    assert.ok(roughest(inside) < 0.5 * 2 * Math.PI * (1000 / RATE) * 1.05, `${from}: no seam`);
  }
});

test('whole periods are taken out of a voice and put into it, without a click', () => {
  for (const hertz of [85, 120, 210, 350]) {
    const sound = voiced(hertz, 1920, HISTORY);
    const shorter = takeOut(sound, 0.9);
    const gone = sound.length - shorter.length;
    const longer = putIn(voiced(hertz, HISTORY), sound, 0.9);
    const more = longer.length - sound.length;
    for (const [made, lag] of [[shorter, gone], [longer, more]]) {
      const periods = (lag * hertz) / RATE;
      assert.ok(lag >= 120 && lag <= 720 && Math.abs(periods - Math.round(periods)) < 0.03, `${hertz} Hz: ${lag}`);
      assert.ok(roughest(joined(voiced(hertz, HISTORY).slice(-1), made)) < roughest(sound) * 1.1, `${hertz} Hz`);
    }
  }
  const noise = Float32Array.from({ length: 1920 }, (_, at) => ((at * 7919) % 1000) / 1000 - 0.5);
  assert.equal(takeOut(noise.map((sample, at) => sample * Math.sin(at * at)), 0.9), null, 'a hiss is left whole');
  assert.ok(takeOut(new Float32Array(1920), 0.9), 'silence is cut anywhere');
});

test('what is made up goes on from what was heard, and fades away', () => {
  for (const hertz of [85, 210, 350]) {
    const heard = voiced(hertz, HISTORY);
    const made = new Concealment(heard).take(RATE / 5);
    assert.ok(roughest(joined(heard.slice(-2), made)) < roughest(heard) * 1.3, `${hertz} Hz`);
    assert.ok(loudness(made.slice(0, 960)) > loudness(heard) - 2, `${hertz} Hz goes on`);
    assert.equal(loudness(made.slice(-960)), -127, `${hertz} Hz ends`);
  }
  const stopped = new Concealment(voiced(210, HISTORY));
  stopped.take(100);
  stopped.stop();
  assert.equal(stopped.take(FADE + 10).at(-1), 0);
});

test('nothing that goes out is louder than the ceiling, whatever comes in, and quiet sound is left alone', () => {
  const limiter = new Limiter(128, RATE);
  let out = [];
  const run = (block) => {
    limiter.run(block);
    out.push(...block);
  };
  for (let n = 0; n < 100; n += 1) run(voiced(210, 128, n * 128));
  const quiet = voiced(210, 99 * 128);
  assert.ok(quiet.every((sample, at) => Math.abs(sample - out[at + 128]) < 1e-6), 'one quantum later, unchanged');
  out = [];
  for (let n = 0; n < 200; n += 1) run(Float32Array.from({ length: 128 }, (_, at) => ((n * 128 + at) % 977 === 0 ? 1e30 : 40 * Math.sin(at * n))));
  run(new Float32Array(128).fill(NaN));
  run(new Float32Array(128).fill(Infinity));
  run(new Float32Array(128));
  run(new Float32Array(128));
  assert.ok(out.slice(128).every((sample) => Math.abs(sample) <= CEILING + 1e-6), `${Math.max(...out.slice(128).map(Math.abs))}`);
  assert.ok(out.slice(-128).every((sample) => sample === 0));
});

/** Plays what comes: `arrivals` are [sequence, millisecond, samples or null, time, whether it is a copy]. */
function played(arrivals, milliseconds, voice = new Voice()) {
  const out = new Float32Array(Math.floor((milliseconds * RATE) / 1000 / 128) * 128);
  const heard = [];
  let at = 0;
  for (let first = 0; first < out.length; first += 128) {
    const now = (first * 1000) / RATE;
    while (at < arrivals.length && arrivals[at][1] <= now) {
      const [sequence, , samples, time = sequence * 20_000, copy = false] = arrivals[at];
      voice.put(sequence, 7_000_000 + time, samples && Float32Array.from(samples), Math.floor(now * 1000), copy);
      at += 1;
    }
    heard.push([now, voice.heard === null ? null : voice.heard - 7_000_000]);
    const quantum = new Float32Array(128);
    voice.add(quantum, first);
    out.set(quantum, first);
  }
  return { out, heard, stats: voice.stats(), voice };
}

const speech = (count, hertz = 210) => Array.from({ length: count }, (_, n) => voiced(hertz, FRAME, n * FRAME));

test('a voice comes out as it went in, a little later', () => {
  const { out, stats, heard } = played(speech(100).map((frame, n) => [n, 10 + n * 20 + (n % 3), frame]), 1900);
  const begin = out.findIndex((sample) => Math.abs(sample) > 0.01);
  assert.ok(begin / 48 > 20 && begin / 48 < 80, `after ${begin / 48} ms`);
  assert.ok(roughest(out) < roughest(speech(1)[0]) * 1.15, 'no click');
  assert.ok(Math.abs(loudness(out.slice(9600, 76_800)) - loudness(voiced(210, RATE))) < 0.3);
  assert.equal(stats.concealed_us, 0);
  // What is said to be heard is what is heard: the wait is the same all along.
  const waits = heard.filter(([now, time]) => now > 300 && time !== null).map(([now, time]) => now - time / 1000);
  assert.ok(Math.max(...waits) - Math.min(...waits) < 25, `${Math.min(...waits)} to ${Math.max(...waits)} ms`);
});

test('a lost frame, a gap and an end are bridged without a click', () => {
  const frames = speech(200).map((frame, n) => [n, 10 + n * 20, frame]);
  const lost = frames.filter(([n]) => n !== 60 && n !== 61);
  const gap = frames.map(([n, at, frame]) => [n, n >= 100 && n < 115 ? 10 + 115 * 20 : at, frame]);
  for (const [name, arrivals] of [['lost', lost], ['gap', gap], ['end', frames.slice(0, 120)]]) {
    const { out, stats } = played(arrivals, 6000);
    assert.ok(roughest(out) < roughest(speech(1)[0]) * 1.6, `${name}: ${roughest(out)}`);
    assert.equal(loudness(out.slice(-4800)), -127, `${name}: at last there is silence`);
    assert.ok(stats.concealed_us <= 320_000, `${name}: ${stats.concealed_us}`);
  }
  const { stats } = played(lost, 6000);
  // And a tick more, in which the next packet is waited for.
  assert.ok(stats.concealed_us >= 40_000 && stats.concealed_us <= 50_000, `${stats.concealed_us}`);
});

test('what is lost is heard out of a copy, and a copy of what came costs nothing', () => {
  const frames = speech(200);
  const arrivals = frames.flatMap((frame, n) => {
    if (n % 10 === 7) return [];
    const at = 10 + n * 20;
    const copy = n > 0 ? [[n - 1, at, frames[n - 1], (n - 1) * 20_000, true]] : [];
    return [...copy, [n, at, frame]];
  });
  const { out, stats } = played(arrivals, 4000);
  // The first ones come before it is known how long copies must be waited for.
  assert.ok(stats.copied >= 17 && stats.concealed_us <= 40_000, JSON.stringify(stats));
  assert.deepEqual([stats.received, stats.late, stats.left_out], [180, 0, 0]);
  assert.ok(Math.abs(loudness(out.slice(1500 * 48, 3900 * 48)) - loudness(voiced(210, RATE))) < 0.3);
  assert.ok(roughest(out.slice(1500 * 48, 3900 * 48)) < roughest(speech(1)[0]) * 1.15, 'no click');
});

test('after a gap of 300 ms the delay is the usual one within 3 s', () => {
  const arrivals = speech(400).map((frame, n) => [n, n >= 150 && n < 165 ? 10 + 165 * 20 : 10 + n * 20, frame]);
  const { heard } = played(arrivals, 7900);
  const wait = (from, to) => Math.max(...heard.filter(([now, time]) => now > from && now < to && time !== null).map(([now, time]) => now - time / 1000));
  assert.ok(wait(3300, 3700) > 200, 'it was late');
  assert.ok(wait(6300, 7900) < wait(1000, 3000) + 25, `${wait(6300, 7900)} after ${wait(1000, 3000)}`);
});

test('what is said to be heard is what is heard, with sound taken out and put in before it', () => {
  for (const [name, late] of [['a calm line', () => 0], ['after a gap', (n) => (n >= 60 && n < 75 ? (75 - n) * 20 : 0)], ['a longer way', (n) => (n > 50 ? 90 : 0)]]) {
    // A voice, and clicks in it.
    const clicks = [30, 70, 90, 110, 140, 180];
    const arrivals = speech(200).map((frame, n) => {
      const samples = frame.map((sample) => sample / 10);
      if (clicks.includes(n)) samples.fill(0.8, 480, 484);
      return [n, 10 + n * 20 + late(n), samples];
    });
    const { out, heard } = played(arrivals, 4300);
    const found = [];
    out.forEach((sample, at) => {
      if (sample > 0.5 && !(at - found.at(-1) < 48)) found.push(at);
    });
    assert.equal(found.length, clicks.length, name);
    found.forEach((at, which) => {
      const [now, time] = heard[Math.floor(at / 128)];
      const off = time / 1000 + (at / 48 - now) - (clicks[which] * 20 + 10);
      assert.ok(Math.abs(off) < 16, `${name}: click ${which} is ${off} ms off`);
    });
  }
});

test('silence that is told isn\'t missed', () => {
  const arrivals = speech(50).map((frame, n) => [n, 10 + n * 20, frame]);
  arrivals.push([50, 10 + 50 * 20, null]);
  speech(50).forEach((frame, n) => arrivals.push([51 + n, 10 + (100 + n) * 20, frame, (100 + n) * 20_000]));
  const { out, stats } = played(arrivals, 3500);
  assert.equal(stats.concealed_us, 0);
  assert.equal(loudness(out.slice(1500 * 48, 1900 * 48)), -127);
  assert.ok(loudness(out.slice(2200 * 48, 2700 * 48)) > -20, 'and goes on');
  assert.ok(roughest(out) < roughest(speech(1)[0]) * 1.6);
});

test('a voice is turned down without a click', () => {
  const voice = new Voice();
  const first = played(speech(50).map((frame, n) => [n, 10 + n * 20, frame]), 500, voice);
  assert.ok(loudness(first.out.slice(-4800)) > -20);
  voice.volume = 0;
  const quantum = new Float32Array(4800);
  voice.add(quantum, first.out.length);
  assert.ok(roughest(joined(first.out.slice(-1), quantum)) < roughest(speech(1)[0]) * 1.1);
  assert.ok(loudness(quantum.slice(-480)) < -60);
});

test('what isn\'t a frame of ours does no harm', () => {
  const voice = new Voice();
  voice.put(0, 0, new Float32Array(100), 0);
  voice.put(1, 2 ** 60, voiced(210, FRAME), 0);
  for (let n = 0; n < 5000; n += 1) voice.put((n * 7919) % 100_000, ((n * 104_729) % 3600) * 1e9, voiced(210, FRAME), n * 1000);
  const quantum = new Float32Array(4800);
  voice.add(quantum, 0);
  assert.ok(quantum.every(Number.isFinite));
});

test('a picture waits for its sound, not for longer than makes sense, and in order', () => {
  const held = new Held();
  held.put('a', null, 0);
  assert.deepEqual(held.due(0), ['a'], 'nothing is heard of its sender');
  held.put('b', 60, 0);
  held.put('c', 93, 33);
  held.put('d', -20, 40);
  assert.deepEqual([held.due(39), held.next(39)], [[], 1]);
  assert.deepEqual(held.due(40), ['b', 'c', 'd'], 'one that is late takes those before it along');
  held.put('e', 60, 100);
  held.put('f', 20, 101);
  assert.deepEqual(held.due(130), []);
  assert.deepEqual(held.due(160), ['e', 'f']);
  held.put('g', 5000, 200);
  assert.deepEqual(held.due(200), ['g'], 'another moment\'s');
  for (let n = 0; n < 20; n += 1) held.put(n, 500, 300);
  assert.deepEqual(held.due(300), Array.from({ length: 12 }, (_, n) => n));
  assert.equal(held.clear().length, 8);
  assert.equal(held.next(300), null);
});

test('a sender may send so much and no more', () => {
  const allowance = new Allowance(100);
  const taken = (count, from, step) => Array.from({ length: count }, (_, n) => allowance.take(from + n * step)).filter(Boolean).length;
  assert.equal(taken(1000, 0, 0), 100, 'what a stalled line held back');
  assert.equal(taken(1000, 1000, 1), 199, '1,000 a second: what a second allows, and what had gathered');
  assert.equal(taken(50, 10_000, 20), 50);
});

test('sound goes before pictures, and none that is old', () => {
  const outbox = new Outbox(64 * 1024);
  const header = (track, sequence) => ({
    sender: 0, track, layer: { spatial: 0, temporal: 0 }, sequence, timestamp: 0, chunk: 0, chunks: 1, references: [],
  });
  const next = (...given) => {
    const message = outbox.next(...given);
    return message && [parse(message).header.track, parse(message).header.sequence];
  };
  outbox.push(0, header(0, 0), new Uint8Array(40_000));
  assert.equal(outbox.sound(0, header(2, 0), new Uint8Array(80)), 'taken');
  assert.deepEqual(next(1), [2, 0]);
  assert.deepEqual(next(1), [0, 0], 'a chunk of the picture');
  outbox.sound(10, header(2, 1), new Uint8Array(80));
  assert.deepEqual(next(1), [2, 1], 'between its chunks');
  assert.equal(next(20_000), null, 'nothing into a socket that is behind');
  assert.equal(outbox.sound(20, header(2, 2), new Uint8Array(80)), 'taken');
  assert.deepEqual(next(0, true), [2, 2], 'on a full line sound alone');
  assert.equal(next(0, true), null);
  outbox.sound(100, header(2, 3), new Uint8Array(80));
  assert.equal(outbox.sound(250, header(2, 4), new Uint8Array(80)), 'congested');
  outbox.sound(101 + SOUND_PATIENCE, header(2, 5), new Uint8Array(80));
  assert.deepEqual(next(1), [2, 4], 'what is too old is gone');
  outbox.hush();
  assert.deepEqual(next(1), [0, 0], 'muted: what waited isn\'t sent');
});
