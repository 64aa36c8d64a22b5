// Pictures that wait for their sound. Pure: time is passed in, in milliseconds.

/** Pictures that wait at most: a third of a second; decoders lend out only so many. */
const MOST = 8;
/** Milliseconds that a picture waits at most; what says more isn't of the same moment. */
const LONGEST = 600;

/**
 * @template T
 * @typedef {{ picture: T, due: number }} Waiting
 */

/**
 * One sender's pictures, in order.
 * @template T
 */
export class Held {
  constructor() {
    /** @type {Waiting<T>[]} */
    this._waiting = [];
  }

  /** How many wait. */
  get length() {
    return this._waiting.length;
  }

  /**
   * A picture came, to be shown in so many milliseconds; `null`: nothing is heard of its sender.
   * @param {T} picture
   * @param {number | null} until
   * @param {number} now
   */
  put(picture, until, now) {
    const wait = until === null || until > LONGEST ? 0 : Math.max(0, until);
    // Behind those before it, whatever it says.
    const last = this._waiting[this._waiting.length - 1];
    this._waiting.push({ picture, due: Math.max(now + wait, wait === 0 ? now : last?.due ?? now) });
    if (wait === 0) for (const one of this._waiting) one.due = now;
  }

  /**
   * The pictures whose time has come, or for which there is no room, oldest first.
   * @param {number} now
   * @returns {T[]}
   */
  due(now) {
    let count = Math.max(0, this._waiting.length - MOST);
    while (count < this._waiting.length && this._waiting[count].due <= now) count += 1;
    return this._waiting.splice(0, count).map(({ picture }) => picture);
  }

  /** In how many milliseconds the next one is due; `null` when none waits. @param {number} now */
  next(now) {
    return this._waiting.length > 0 ? Math.max(0, this._waiting[0].due - now) : null;
  }

  /** All that wait, which are shown no more. @returns {T[]} */
  clear() {
    return this._waiting.splice(0).map(({ picture }) => picture);
  }
}
