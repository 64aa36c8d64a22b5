// Tones for the tests of sound: made as a file, and found again in what a page plays.
import { writeFileSync } from 'node:fs';

import { until } from './browsers.js';

const RATE = 48_000;

/** A WAV file of `seconds` of a tone at −12 dBFS, and of so many of silence behind it. */
export function writeWav(path, hertz, seconds = 4, silence = 0) {
  const tone = RATE * seconds;
  const samples = tone + RATE * silence;
  const file = Buffer.alloc(44 + 2 * samples);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + 2 * samples, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(2 * RATE, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(2 * samples, 40);
  // A whole number of periods, so that nothing is heard where the file begins again.
  for (let n = 0; n < tone; n += 1) file.writeInt16LE(Math.round(8192 * Math.sin((2 * Math.PI * hertz * n) / RATE)), 44 + 2 * n);
  writeFileSync(path, file);
  return path;
}

/**
 * The part of the samples' power that is in a tone of this pitch, 0 to 1 (Goertzel).
 * @param {readonly number[]} samples
 * @param {number} hertz
 */
export function partOf(samples, hertz) {
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / RATE);
  let [one, two, power] = [0, 0, 0];
  for (const sample of samples) {
    [one, two] = [sample + turn * one - two, one];
    power += sample * sample;
  }
  const tone = (2 * (one * one + two * two - turn * one * two)) / samples.length;
  return power > 0 ? tone / power : 0;
}

/**
 * How far a tone of this pitch swings out in the samples, on the whole (Goertzel). Runs in pages too.
 * @param {ArrayLike<number>} samples
 * @param {number} hertz
 */
export function swingOf(samples, hertz) {
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / 48_000);
  let [one, two] = [0, 0];
  for (let n = 0; n < samples.length; n += 1) [one, two] = [samples[n] + turn * one - two, one];
  return samples.length ? (2 * Math.sqrt(Math.max(0, one * one + two * two - turn * one * two))) / samples.length : 0;
}

/**
 * Runs in a page before its scripts: what is played can be looked at (`tap`), what is sent of sound is
 * counted (`sounds`), contexts are kept (`contexts`), and the browser doesn't work on the sound.
 */
export const listening = () => {
  localStorage.setItem('visita.processing', 'off');
  globalThis.sounds = 0;
  globalThis.contexts = [];
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function tapped(to, ...rest) {
    if (to instanceof AudioDestinationNode) {
      globalThis.tap ??= Object.assign(this.context.createAnalyser(), { fftSize: 16_384 });
      if (globalThis.tap.context === this.context) connect.call(this, globalThis.tap);
      if (!globalThis.contexts.includes(this.context)) globalThis.contexts.push(this.context);
    }
    return connect.call(this, to, ...rest);
  };
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function counted(data) {
    // A media message's third byte is its track (PROTOCOL.md); the microphone's is 2.
    if (typeof data !== 'string' && new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0)[2] === 2) globalThis.sounds += 1;
    return send.call(this, data);
  };
};

/** The last third of a second that a page played. */
export const heardBy = (page) => page.evaluate(() => {
  if (!globalThis.tap) return [];
  const samples = new Float32Array(globalThis.tap.fftSize);
  globalThis.tap.getFloatTimeDomainData(samples);
  return [...samples];
});

/** Waits until what is heard is a tone of this pitch and next to nothing else. */
export const rings = (hear, hertz, part = 0.9) => until(`${hertz} Hz`, async () => {
  const samples = await hear();
  const found = partOf(samples, hertz);
  const peak = Math.max(0, ...samples.map(Math.abs));
  if (found > part && peak > 0.02) return true;
  throw new Error(`${found.toFixed(3)} of the power is at ${hertz} Hz, the peak is ${peak.toFixed(3)}`);
});

/** Waits until a page plays a tone of this pitch. */
export const hears = (page, hertz) => rings(() => heardBy(page), hertz);

/** Waits until a page plays nothing. */
export const hearsNothing = (page) => until('silence', async () => (await heardBy(page)).every((sample) => Math.abs(sample) < 1e-4));
