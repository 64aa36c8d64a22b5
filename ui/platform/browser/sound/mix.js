// Several voices as one, and never louder than the output takes. Pure.

/** The largest sample that goes out: 1 dB below full scale, since outputs resample and overshoot. */
export const CEILING = 0.89;
/** How far the gain rises again in a second, in parts of itself: slowly enough not to be heard as pumping. */
const RELEASE = 2;

/**
 * Turns down what is too loud before it is heard: what goes out is one quantum behind, so that the
 * gain is down when the loud sample comes, and changes along a line.
 */
export class Limiter {
  /**
   * @param {number} quantum  samples of a block
   * @param {number} rate  samples a second
   */
  constructor(quantum, rate) {
    this._held = new Float32Array(quantum);
    this._gain = 1;
    this._rise = 1 + (RELEASE * quantum) / rate;
  }

  /**
   * Takes a block and leaves the limited one before it in its place.
   * @param {Float32Array} block
   */
  run(block) {
    const target = Math.min(allowed(this._held), allowed(block), this._gain * this._rise, 1);
    const step = (target - this._gain) / block.length;
    let gain = this._gain;
    for (let n = 0; n < block.length; n += 1) {
      gain += step;
      const incoming = block[n];
      block[n] = this._held[n] * gain;
      this._held[n] = Number.isFinite(incoming) ? incoming : 0;
    }
    this._gain = target;
  }
}

/** @param {Float32Array} block */
function allowed(block) {
  let peak = 0;
  for (const sample of block) {
    const size = Math.abs(sample);
    if (size > peak && size !== Infinity) peak = size;
  }
  return peak > CEILING ? CEILING / peak : 1;
}
