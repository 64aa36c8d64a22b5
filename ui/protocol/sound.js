// What a sound frame says of itself: how loud it is, as `protocol/src/sound.rs` tells it, and how
// long its Opus packet lasts. Pure.

/** Samples a second, everywhere inside. */
export const RATE = 48_000;
/** Samples of a frame: 20 ms. */
export const FRAME = 960;
/** Milliseconds of a frame. */
export const FRAME_MS = 20;

/** What RFC 6464 says silence is, in −dBov. */
export const SILENCE = 127;
/** A step of the levels that senders tell, in dB: coarse, so that they don't tell what is said. */
const STEP = 6;
/** The largest step above silence. */
const QUIETEST = 126;

/** @typedef {import('./frame.js').Level} Level */

/**
 * A level as it is told: to the nearest step of 6 dB.
 * @param {number} dbov  0 = the loudest that there is, −127 = silence
 * @param {boolean} voice  whether somebody speaks
 * @returns {Level}
 */
export function level(dbov, voice) {
  // Minus infinity is digital silence, and what isn't a number was none.
  const steps = dbov > -SILENCE ? Math.min(QUIETEST, Math.max(0, Math.round(-dbov / STEP) * STEP)) : SILENCE;
  return { dbov: 0 - steps, voice };
}

/**
 * How loud samples are on the whole, in dBov; −127 for silence.
 * @param {Float32Array} samples
 */
export function loudness(samples) {
  let power = 0;
  for (const sample of samples) power += sample * sample;
  return decibels(power / Math.max(1, samples.length));
}

/** @param {number} power  the mean of squares */
export function decibels(power) {
  // 0 dBov is a square wave of full scale (RFC 6464).
  return power > 0 ? Math.min(0, Math.max(-SILENCE, 10 * Math.log10(power))) : -SILENCE;
}

/** For how many frames a level is told: 100 ms. */
const HOLD = 5;

/**
 * What a sender tells of its own sound: it is asked once for each frame of 20 ms, sent or not. A
 * level is the mean of the 100 ms before. Only voice that begins is told at once, so that the relay
 * lets a first word through from its beginning.
 */
export class Meter {
  constructor() {
    this._told = level(-SILENCE, false);
    this._frames = 0;
    this._power = 0;
    this._voice = false;
  }

  /**
   * The level to tell with a frame of this loudness.
   * @param {number} dbov
   * @param {boolean} voice
   */
  frame(dbov, voice) {
    if (voice && !this._told.voice) this._begin(level(dbov, true));
    this._frames += 1;
    // A frame that can't be measured is silent.
    this._power += 10 ** (Math.min(Number.isNaN(dbov) ? -SILENCE : dbov, 0) / 10);
    this._voice ||= voice;
    const told = this._told;
    if (this._frames === HOLD) this._begin(level(10 * Math.log10(this._power / HOLD), this._voice));
    return told;
  }

  /** @param {Level} told */
  _begin(told) {
    this._told = told;
    this._frames = 0;
    this._power = 0;
    this._voice = false;
  }
}

/** The largest Opus packet of one frame, in bytes, with its first byte (RFC 6716, 3.2.1). */
const MAX_PACKET = 1276;

/**
 * Milliseconds of an Opus packet, by its first byte alone (RFC 6716, 3.1); `null` if it isn't a
 * packet of one frame, as all of ours are.
 * @param {Uint8Array} packet
 */
export function durationOf(packet) {
  if (packet.length === 0 || packet.length > MAX_PACKET) return null;
  if ((packet[0] & 3) !== 0) return null;
  const configuration = packet[0] >> 3;
  if (configuration < 12) return [10, 20, 40, 60][configuration & 3];
  if (configuration < 16) return [10, 20][configuration & 1];
  return [2.5, 5, 10, 20][configuration & 3];
}
