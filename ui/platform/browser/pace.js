// How often and how large. Pure: time is passed in.

/** Lets through at most so many a second, evenly as far as what comes is even. */
export class Pace {
  /** @param {number} rate  a second */
  constructor(rate) {
    this._interval = 1000 / rate;
    this._next = -Infinity;
  }

  /**
   * Whether it is time for the next.
   * @param {number} now  milliseconds
   */
  due(now) {
    // A quarter early is in time: a camera's frames come on a raster of their own.
    if (now < this._next - this._interval / 4) return false;
    this._next = Math.max(this._next, now - this._interval / 2) + this._interval;
    return true;
  }
}

/** Milliseconds between two steps down: what the step before did must show first. */
const DOWN_INTERVAL = 500;
/** Milliseconds without congestion before a step up. */
const UP_INTERVAL = 2000;
/** The lowest rate, as a part of the highest: below it a face can't be read. */
const LOWEST = 0.2;

/** The bitrate that the line takes: a third less on congestion, a tenth more while it is well. */
export class Rate {
  /** @param {number} highest  bits a second */
  constructor(highest) {
    this._highest = highest;
    this._changed = -Infinity;
    /** Bits a second. */
    this.bitrate = highest;
  }

  /** Whether it can't become lower. */
  get isLeast() {
    return this.bitrate <= Math.round(this._highest * LOWEST);
  }

  /**
   * The line didn't keep up. Answers whether the rate changed.
   * @param {number} now  milliseconds
   */
  congested(now) {
    if (now - this._changed < DOWN_INTERVAL) return false;
    return this._set(now, this.bitrate * 0.67);
  }

  /**
   * The line is well. Answers whether the rate changed.
   * @param {number} now  milliseconds
   */
  well(now) {
    if (now - this._changed < UP_INTERVAL) return false;
    return this._set(now, this.bitrate * 1.1);
  }

  /**
   * @param {number} now
   * @param {number} wanted
   */
  _set(now, wanted) {
    const bitrate = Math.round(Math.min(this._highest, Math.max(this._highest * LOWEST, wanted)));
    if (bitrate === this.bitrate) return false;
    this.bitrate = bitrate;
    this._changed = now;
    return true;
  }
}

/**
 * The largest size with sides in the picture's proportion, none longer than `longest`, both even.
 * Never larger than the picture.
 * @param {number} width
 * @param {number} height
 * @param {number} longest
 */
export function fit(width, height, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const even = (/** @type {number} */ side) => Math.max(2, 2 * Math.round((side * scale) / 2));
  return {
    width: Math.min(even(width), Math.max(2, width - (width % 2))),
    height: Math.min(even(height), Math.max(2, height - (height % 2))),
  };
}

/**
 * Sizes that are encoded, as parts of the largest: each step is worth its own key frame.
 */
const STEPS = [1, 0.75, 0.5];
/** A picture a little smaller than its place isn't seen to be. */
const NEARLY = 0.9;

/**
 * The part of the largest size that is enough for whoever shows the picture.
 * @param {{ width: number, height: number }} largest
 * @param {{ width: number, height: number } | undefined} wanted  the largest place that it must cover
 */
export function stepFor(largest, wanted) {
  if (!wanted || !(wanted.width > 0) || !(wanted.height > 0)) return 1;
  const needed = NEARLY * Math.max(wanted.width / largest.width, wanted.height / largest.height);
  return STEPS.filter((step) => step >= needed).pop() ?? 1;
}
