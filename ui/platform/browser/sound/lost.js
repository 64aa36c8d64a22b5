// How much of one's own sound gets lost behind this page, as `client/src/call/lost.rs` has it: what
// the relay misses, without what the own queue threw away. Pure: time is passed in, in milliseconds.

import { Window } from '../../../protocol/losses.js';

/** For so long the worst that the own queue did counts: what the relay tells lags behind it. */
const REMEMBERED = 15_000;

export class Lost {
  constructor() {
    this._told = 0;
    this._own = new Window();
    this._dropped = 0;
    this._worst = 0;
    this._at = -Infinity;
  }

  /** The relay says how many of a hundred get lost. @param {number} percent */
  told(percent) {
    this._told = 10 * Math.min(100, percent);
  }

  /**
   * One more frame was made; so many were thrown away here so far. Answers how many of a hundred
   * get lost behind this page.
   * @param {number} now
   * @param {number} dropped
   */
  frame(now, dropped) {
    const own = Math.max(0, dropped - this._dropped);
    this._dropped = dropped;
    this._own.add(Math.max(1, own), own);
    const is = this._own.permille;
    if (this._worst <= is || now - this._at >= REMEMBERED) {
      this._worst = is;
      this._at = now;
    }
    // What the relay told holds until it is off by a quarter, or by two points.
    const taken = this._worst > 0 ? (this._worst * 4) / 3 + 20 : 0;
    return Math.round(Math.max(0, this._told - taken) / 10);
  }
}
