// Whether pictures are asked for, by whether anybody can see them. Pure: time is passed in, in
// milliseconds.

/**
 * A page that went out of sight goes on asking for so long: who glances at another tab comes back to
 * a picture that moves, and to no key frame. Longer would cost the others' lines for nobody.
 */
export const UNSEEN_MS = 3_000;

export class Sight {
  /** @param {boolean} seen */
  constructor(seen) {
    /** Since when nobody sees it; null while somebody does. @type {number | null} */
    this._since = seen ? null : -Infinity;
  }

  /**
   * The page came into sight, or went out of it. Answers in how many ms what is asked for changes by it.
   * @param {boolean} seen
   * @param {number} now
   */
  turned(seen, now) {
    if (seen) {
      this._since = null;
      return 0;
    }
    this._since ??= now;
    return Math.max(0, this._since + UNSEEN_MS - now);
  }

  /** The system stops the page: nothing runs any more that could say so later. */
  frozen() {
    this._since = -Infinity;
  }

  /** @param {number} now */
  asks(now) {
    return this._since === null || now - this._since < UNSEEN_MS;
  }
}
