// A piece taken out of sound, or put in, where it is heard least: whole periods of the voice, faded
// into each other, as `media/src/sound/stretch.rs` does; and sound made up from what was heard
// before, since a browser's decoder doesn't. Pure.

import { RATE } from '../../../protocol/sound.js';

/** Samples of the shortest piece (2.5 ms, the pitch of a child) and of the longest (15 ms, the deepest voices). */
const SHORTEST = 120;
const LONGEST = 720;
/** How much sound on both sides of a cut is compared: 10 ms. */
const COMPARED = 480;
/** How long the sides fade into each other: 5 ms. */
export const FADE = 240;
/** The step in which a place is looked for first: a quarter of the rate is enough for a voice's pitch. */
const ROUGH = 4;
/** So much sound must lie ready for a piece to be taken out. */
export const NEEDED = LONGEST + COMPARED;
/** So much sound that was played must be kept, for a piece to be put in or more to be made up. */
export const HISTORY = 2 * LONGEST + COMPARED;
/** Below this power (−55 dBFS) nobody hears where a cut is. */
const INAUDIBLE = 3.2e-6;

/**
 * Takes a piece out at the beginning of what lies ready, if two places are alike enough.
 * @param {Float32Array} ready
 * @param {number} alike  −1 to 1
 * @returns {Float32Array | null} what lies ready then
 */
export function takeOut(ready, alike) {
  if (ready.length < NEEDED) return null;
  const { lag, likeness } = best(ready, 0, 1, SHORTEST);
  if (likeness < alike && power(ready, 0, NEEDED) > INAUDIBLE) return null;
  const made = ready.slice(lag);
  // What stays begins as it was and becomes what follows the piece.
  for (let n = 0; n < FADE; n += 1) {
    const share = n / FADE;
    made[n] = ready[n] * (1 - share) + made[n] * share;
  }
  return made;
}

/**
 * Puts a piece in before what lies ready, after what was played last, if two places are alike enough.
 * @param {Float32Array} played  `HISTORY` samples
 * @param {Float32Array} ready
 * @param {number} alike  −1 to 1
 * @returns {Float32Array | null} what lies ready then
 */
export function putIn(played, ready, alike) {
  if (ready.length < COMPARED) return null;
  const sound = new Float32Array(HISTORY + COMPARED);
  sound.set(played);
  sound.set(ready.subarray(0, COMPARED), HISTORY);
  const { lag, likeness } = best(sound, HISTORY, -1, FADE);
  if (likeness < alike && power(sound, HISTORY - LONGEST, sound.length) > INAUDIBLE) return null;
  const made = new Float32Array(lag + ready.length);
  // The last period is played again: what would have come fades into it, and it ends where what
  // comes begins.
  made.set(sound.subarray(HISTORY - lag, HISTORY));
  for (let n = 0; n < FADE; n += 1) {
    const share = n / FADE;
    made[n] = ready[n] * (1 - share) + made[n] * share;
  }
  made.set(ready, lag);
  return made;
}

/**
 * The lag at which two places are most alike, and how much.
 * @param {Float32Array} sound
 * @param {number} at  the one place
 * @param {1 | -1} way  where the other lies
 * @param {number} shortest
 */
function best(sound, at, way, shortest) {
  let found = { lag: shortest, likeness: -Infinity };
  for (let lag = shortest; lag <= LONGEST; lag += ROUGH) {
    const likeness = likenessOf(sound, at, at + way * lag, ROUGH);
    if (likeness > found.likeness) found = { lag, likeness };
  }
  const [from, to] = [Math.max(shortest, found.lag - ROUGH), Math.min(LONGEST, found.lag + ROUGH)];
  found.likeness = -Infinity;
  for (let lag = from; lag <= to; lag += 1) {
    const likeness = likenessOf(sound, at, at + way * lag, 1);
    if (likeness > found.likeness) found = { lag, likeness };
  }
  return found;
}

/**
 * Normalised correlation, −1 to 1.
 * @param {Float32Array} sound
 * @param {number} one
 * @param {number} other
 * @param {number} step
 */
function likenessOf(sound, one, other, step) {
  let both = 0;
  let first = 0;
  let second = 0;
  for (let n = 0; n < COMPARED; n += step) {
    const a = sound[one + n];
    const b = sound[other + n];
    both += a * b;
    first += a * a;
    second += b * b;
  }
  const scale = Math.sqrt(first * second);
  return scale > 1e-30 ? both / scale : 0;
}

/**
 * @param {Float32Array} sound
 * @param {number} from
 * @param {number} to
 */
function power(sound, from, to) {
  let sum = 0;
  for (let n = from; n < to; n += 1) sum += sound[n] * sound[n];
  return sum / (to - from);
}

/** Samples for which made-up sound is whole: longer, and a repeated period sounds like a machine… */
const WHOLE = RATE * 0.03;
/** …and in which it fades away: a syllable is over then. */
const FADES = RATE * 0.1;
/** How alike periods must be for one of them to be repeated; a hiss must not be given a pitch. */
const PERIODIC = 0.5;

/** Sound made of what was heard last, for what isn't there: its last period again, fading away. */
export class Concealment {
  /** @param {Float32Array} heard  `HISTORY` samples */
  constructor(heard) {
    const end = heard.length;
    const { lag, likeness } = best(heard, end - COMPARED, -1, SHORTEST);
    const length = likeness < PERIODIC ? LONGEST : lag;
    /** One period, whose end goes over into its beginning. */
    this._period = heard.slice(end - length);
    const blend = length >> 2;
    for (let n = length - blend; n < length; n += 1) {
      const share = (n - length + blend + 1) / blend;
      this._period[n] = this._period[n] * (1 - share) + heard[end - 2 * length + n] * share;
    }
    // It goes on from the very last sample.
    this._step = heard[end - 1] - heard[end - 1 - length];
    this._at = 0;
    this._gain = 1;
    this._falls = 1 / FADES;
  }

  /** From now on it fades away within 5 ms. */
  stop() {
    this._falls = 1 / FADE;
    this._at = Math.max(this._at, WHOLE);
  }

  /** The next samples. @param {number} count */
  take(count) {
    const made = new Float32Array(count);
    for (let n = 0; n < count && this._gain > 0; n += 1) {
      const step = this._step * Math.max(0, 1 - (this._at + 1) / FADE);
      if (this._at >= WHOLE) this._gain = Math.max(0, this._gain - this._falls);
      made[n] = (this._period[this._at % this._period.length] + step) * this._gain;
      this._at += 1;
    }
    return made;
  }
}
