// Over what control goes: WebSockets where they work, plain requests where a browser or a network
// refuses them. Pure, and one for the whole life of a page: what was found out holds for the next
// call as well.

/** @typedef {'ws' | 'https'} Way */

/** Attempts with a way that worked before, until the other one is tried: a relay that is away says nothing about it. */
const LOYAL = 2;

export class Ways {
  constructor() {
    /** The way that worked last. @type {Way | null} */
    this._works = null;
    /** Attempts since then that didn't. */
    this._failed = 0;
  }

  /** The way of the next attempt. @returns {Way} */
  get next() {
    const first = this._works ?? 'ws';
    const tries = this._works ? LOYAL : 1;
    const other = first === 'ws' ? 'https' : 'ws';
    return this._failed % (tries + 1) < tries ? first : other;
  }

  /** Whether there is another way to be tried, so that waiting for this one has a shorter end. */
  get doubtful() {
    return this._works === null;
  }

  /** @param {Way} way  the relay answered over it */
  worked(way) {
    this._works = way;
    this._failed = 0;
  }

  /**
   * An attempt got no answer. Answers whether the next one goes another way, which needn't wait.
   * Several users share this: what another one found out meanwhile isn't counted again.
   * @param {Way} way
   */
  failed(way) {
    if (way !== this.next) return true;
    this._failed += 1;
    return this.next !== way && this._failed === 1;
  }
}
