// When a captured block was heard, on the page's clock, from the number of its first sample and from
// when the page was told of it. Pure.

import { RATE } from '../../../protocol/sound.js';

/**
 * Milliseconds that the clock follows with each block of 20 ms when blocks come later than before:
 * 500 ppm, more than any two clocks are apart.
 */
const FOLLOW = 0.01;
/** Milliseconds late from which on it is no jitter but a pause (the device slept)… */
const PAUSE = 300;
/** …if so many blocks in a row are. */
const SURE = 50;

/** A page is told late of blocks, never early: the earliest count. */
export class CaptureClock {
  constructor() {
    /** @type {number | null} */
    this._offset = null;
    this._late = 0;
  }

  /**
   * @param {number} first  the number of the block's first sample
   * @param {number} length  its samples
   * @param {number} now  milliseconds
   * @returns {number} milliseconds
   */
  at(first, length, now) {
    const offset = now - ((first + length) * 1000) / RATE;
    if (this._offset === null || offset < this._offset) {
      this._offset = offset;
      this._late = 0;
    } else if (offset > this._offset + PAUSE) {
      this._late += 1;
      if (this._late >= SURE) this._offset = offset;
    } else {
      this._late = 0;
      this._offset = Math.min(offset, this._offset + FOLLOW);
    }
    return this._offset + (first * 1000) / RATE;
  }
}
