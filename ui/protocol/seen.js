// Which of a sender's last packets came, and how: the same as `media/src/sound/jitter/seen.rs`. Pure.

/** So many numbers back are remembered. */
const REMEMBERED = 32;
/** A gap of more numbers isn't filled any more. */
const MOST_MISSED = 10;
const ALL = 0xffff_ffff;

/** What came. */
export class Seen {
  constructor() {
    /** The highest number that came. @type {number | null} */
    this.highest = null;
    /** Bit 0 is the highest number, bit 1 the one before it, and so on. */
    this._came = 0;
    /** Those that came only as a copy, with a newer one. */
    this._copied = 0;
  }

  /** A packet came by itself. Answers whether it is known by a copy. @param {number} sequence */
  packet(sequence) {
    this._upTo(sequence);
    const bit = this._bit(sequence);
    const known = (this._copied & bit) !== 0;
    this._came |= bit;
    this._copied &= ~bit;
    return known;
  }

  /** A copy came. Answers whether it is of one that didn't come. @param {number} sequence */
  copy(sequence) {
    // What was before the first, or before a long gap, isn't missed.
    if (this.highest === null || sequence - this.highest > MOST_MISSED) return false;
    this._upTo(sequence);
    const bit = this._bit(sequence);
    const missing = bit !== 0 && (this._came & bit) === 0;
    this._came |= bit;
    if (missing) this._copied |= bit;
    return missing;
  }

  /** @param {number} sequence */
  _upTo(sequence) {
    if (this.highest === null) {
      this.highest = sequence;
      this._came = ALL;
      return;
    }
    const more = sequence - this.highest;
    if (more <= 0) return;
    this.highest = sequence;
    if (more > MOST_MISSED) {
      this._came = ALL;
      this._copied = 0;
    } else {
      this._came <<= more;
      this._copied <<= more;
    }
  }

  /** None beyond what is remembered. @param {number} sequence */
  _bit(sequence) {
    const back = Math.max(0, (this.highest ?? 0) - sequence);
    return back < REMEMBERED ? 1 << back : 0;
  }
}
