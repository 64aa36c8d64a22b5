// So many a second, and as many at once after a pause. Pure: time is passed in, in milliseconds.

export class Allowance {
  /** @param {number} rate  a second, and at once */
  constructor(rate) {
    this._rate = rate;
    this._left = rate;
    this._at = -Infinity;
  }

  /** Whether one more is allowed. @param {number} now */
  take(now) {
    this._left = Math.min(this._rate, this._left + Math.max(0, ((now - this._at) * this._rate) / 1000));
    this._at = now;
    if (this._left < 1) return false;
    this._left -= 1;
    return true;
  }
}
