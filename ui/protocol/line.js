// When a sender stops sending its picture, because its line doesn't carry even the least of it, and
// tries again: as `protocol/src/line.rs` does. Pure: time is passed in, in milliseconds.

/** @typedef {import('../generated').Carries} Carries */

/** Without pictures for this long they are missing; a stall of a moment is none. */
const MISSING = 4000;
/** Pictures that came for this long without a break came steadily; what comes for less is a try. */
const STEADY = 5000;
/** What is gone again within this time wasn't steady. */
const RELAPSE = 60_000;
/** A paused picture is tried again after this long, and each time that the try fails after twice that… */
const RETRY = 10_000;
/** …at most. */
const MOST_RETRY = 120_000;
/** A try without pictures for this long has failed. */
const FAILED = 1000;

export class Pause {
  constructor() {
    /** @type {'sends' | 'paused' | 'tries'} */
    this._step = 'sends';
    /** Since when it is paused. */
    this._since = 0;
    /** Since when pictures are missing: breaks shorter than `STEADY` don't end it. @type {number | null} */
    this._missing = null;
    /** Since when they come. @type {number | null} */
    this._coming = null;
    /** When a try last did well. */
    this._back = -Infinity;
    this._patience = RETRY;
  }

  /** Whether the picture is sent now. */
  get sends() {
    return this._step !== 'paused';
  }

  /** What people are told that the line carries: a try isn't told before it does well. @returns {Carries} */
  get carries() {
    return this._step === 'sends' ? 'pictures' : 'sound';
  }

  /**
   * Looks at the line, some times a second. Answers whether anything changed by that.
   * @param {number} now
   * @param {boolean} carries  whether it carries what is sent of the picture now
   */
  turn(now, carries) {
    if (this._step === 'paused') {
      if (now - this._since < this._patience) return false;
      this._step = 'tries';
      this._missing = null;
      this._coming = null;
      return true;
    }
    this._look(now, carries);
    const trying = this._step === 'tries';
    if (this._coming === null && this._missing !== null && now - this._missing >= (trying ? FAILED : MISSING)) {
      const again = trying || now - this._back < RELAPSE;
      this._patience = again ? Math.min(2 * this._patience, MOST_RETRY) : RETRY;
      this._step = 'paused';
      this._since = now;
      return true;
    }
    if (!trying || this._coming === null || now - this._coming < STEADY) return false;
    this._step = 'sends';
    this._back = now;
    return true;
  }

  /** @param {number} now @param {boolean} carries */
  _look(now, carries) {
    if (carries) {
      this._coming ??= now;
      if (now - this._coming >= STEADY) this._missing = null;
    } else {
      this._coming = null;
      this._missing ??= now;
    }
  }
}
