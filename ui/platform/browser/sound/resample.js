// From the rate at which a browser captures to ours, for browsers that don't do it themselves. Pure.

import { RATE } from '../../../protocol/sound.js';

/** Samples on each side that count for one: a voice needs no more. */
const SIDE = 16;
/** Places between two samples for which the weights are kept. */
const PHASES = 256;

/** A windowed sinc, cut at the lower of the two rates. */
export class Resampler {
  /** @param {number} from  samples a second */
  constructor(from) {
    this._step = from / RATE;
    const cut = Math.min(1, RATE / from) * 0.95;
    /** @type {Float32Array[]} */
    this._weights = Array.from({ length: PHASES }, (_, phase) => weights(phase / PHASES, cut));
    this._kept = new Float32Array(2 * SIDE);
    /** The place of the next sample, counted from the first that is kept. */
    this._place = SIDE - 1;
  }

  /**
   * @param {Float32Array} samples
   * @returns {Float32Array}
   */
  run(samples) {
    const all = new Float32Array(this._kept.length + samples.length);
    all.set(this._kept);
    all.set(samples, this._kept.length);
    const made = new Float32Array(Math.max(0, Math.ceil((all.length - SIDE - this._place) / this._step)));
    let count = 0;
    while (this._place + SIDE < all.length && count < made.length) {
      const base = Math.floor(this._place);
      const phase = this._weights[Math.floor((this._place - base) * PHASES)];
      let sum = 0;
      for (let n = 0; n < 2 * SIDE; n += 1) sum += all[base - SIDE + 1 + n] * phase[n];
      made[count] = sum;
      count += 1;
      this._place += this._step;
    }
    const used = Math.max(0, Math.floor(this._place) - SIDE + 1);
    this._kept = all.slice(used);
    this._place -= used;
    return made.subarray(0, count);
  }
}

/**
 * @param {number} fraction  of a sample
 * @param {number} cut  in parts of half the rate
 */
function weights(fraction, cut) {
  const made = new Float32Array(2 * SIDE);
  let sum = 0;
  for (let n = 0; n < 2 * SIDE; n += 1) {
    const x = n - SIDE + 1 - fraction;
    const sinc = x === 0 ? cut : Math.sin(Math.PI * cut * x) / (Math.PI * x);
    made[n] = sinc * Math.cos((Math.PI * x) / (2 * SIDE + 1)) ** 2;
    sum += made[n];
  }
  for (let n = 0; n < 2 * SIDE; n += 1) made[n] /= sum;
  return made;
}
