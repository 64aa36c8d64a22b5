// What a frame refers to, by its temporal layer. Pure.

/**
 * Numbers the frames of one track. In two temporal layers (L1T2) the base refers to the base
 * frame before, the upper layer to the base below it, and nothing refers to the upper layer.
 */
export class References {
  constructor() {
    this._base = 0;
    /** The next frame's sequence number. */
    this.next = 0;
  }

  /**
   * Takes the next number.
   * @param {boolean} key
   * @param {number | null} temporal  its layer; `null` if the encoder doesn't tell, and any frame
   *   may refer to the one before
   * @returns {{ sequence: number, temporal: number, references: number[] }}
   */
  take(key, temporal) {
    const sequence = this.next;
    this.next = sequence + 1;
    const upper = !key && temporal !== null && temporal > 0;
    // The number before, unless it is known that the base is referred to.
    const to = temporal === null ? sequence - 1 : this._base;
    if (!upper) this._base = sequence;
    const references = key || sequence === 0 ? [] : [sequence - to];
    return { sequence, temporal: upper ? temporal : 0, references };
  }
}
