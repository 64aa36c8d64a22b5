// When to try again.

/** The first pause, in milliseconds: a blip of the wireless network is over by then. */
const FIRST = 250;
/** The longest pause, in milliseconds: nobody waits longer for a picture that could be back. */
const LONGEST = 4000;

/** Pauses between attempts, doubling. */
export class BackOff {
  constructor() {
    this._next = FIRST;
  }

  /** The pause before the next attempt, in milliseconds. */
  next() {
    const pause = this._next;
    this._next = Math.min(LONGEST, pause * 2);
    return pause;
  }

  /** An attempt succeeded. */
  reset() {
    this._next = FIRST;
  }
}
