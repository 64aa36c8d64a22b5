// When a change is told: once it has settled, and no oftener than the relay takes it. What changes
// in between is told together. Pure: time is passed in, in milliseconds.

export class Said {
  /**
   * @param {object} limits
   * @param {number} limits.rate  a second, in the long run
   * @param {number} limits.burst  at once, after a pause
   * @param {number} limits.most  the longest that what goes on changing is waited for
   */
  constructor({ rate, burst, most }) {
    this._interval = 1000 / rate;
    this._ahead = (burst - 1) * this._interval;
    this._most = most;
    /** When the first change came that wasn't told yet. @type {number | null} */
    this._since = null;
    /** Where telling evenly would stand. */
    this._even = -Infinity;
  }

  /**
   * Something changed. Answers in how long it is to be told; a later change answers anew for both.
   * @param {number} now
   * @param {number} settle  milliseconds for it to settle
   */
  changed(now, settle) {
    this._since ??= now;
    const settled = Math.min(now + settle, this._since + Math.max(this._most, settle));
    return Math.max(0, settled - now, this._even - this._ahead - now);
  }

  /** It was told, or turned out to be as it was. @param {number} now @param {boolean} sent */
  told(now, sent) {
    this._since = null;
    if (sent) this._even = Math.max(this._even, now) + this._interval;
  }
}
