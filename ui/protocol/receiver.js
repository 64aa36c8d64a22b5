// Which frames of a track can be decoded, and when a key frame must be asked for. A frame that
// refers to one that never arrived would paint rubbish: it is dropped here.

/**
 * How far back a reference is followed, in frames. Encoders refer to the frame before or, with
 * temporal layers, a few back; a long-term reference reaches further than this only after seconds.
 */
const WINDOW = 128;

/**
 * The least time between two requests for a key frame of one track, in milliseconds: a key frame
 * needs a way there, an encoding and a way back, and costs four times a common frame.
 */
export const KEY_FRAME_INTERVAL = 500;

/** @typedef {import('./frame.js').Header} Header */

/** One track as one receiver gets it. */
export class Track {
  constructor() {
    /** Sequence numbers that went to the decoder, newest last. @type {number[]} */
    this._decoded = [];
    this._last = -1;
    this._needsKey = true;
    this._asked = -Infinity;
    /** Frames that arrived. */
    this.received = 0;
    /** Frames that couldn't be decoded. */
    this.dropped = 0;
  }

  /**
   * Whether the frame can be decoded now. The caller decodes it if so.
   * @param {Pick<Header, 'sequence' | 'references' | 'layer'>} header
   * @returns {boolean}
   */
  accept({ sequence, references, layer }) {
    this.received += 1;
    // A frame from before: a repetition, or one that was overtaken.
    if (sequence <= this._last) return this._drop();
    this._last = sequence;
    if (references.length === 0) {
      this._decoded = [sequence];
    } else {
      if (!references.every((distance) => this._decoded.includes(sequence - distance))) {
        // A loss that matters to the base layer shows in the base layer.
        if (layer.temporal === 0) this._needsKey = true;
        return this._drop();
      }
      this._decoded.push(sequence);
      if (this._decoded.length > WINDOW) this._decoded.shift();
    }
    // An encoder may also repair a loss by referring to an older frame that did arrive.
    this._needsKey = false;
    return true;
  }

  /** The decoder lost its state (an error, garbage, an overload): only a key frame helps. */
  lost() {
    this._needsKey = true;
    this._decoded = [];
    this.dropped += 1;
  }

  /** Whether nothing can be decoded until a key frame comes. */
  get waiting() {
    return this._needsKey;
  }

  /**
   * Whether to ask for a key frame now; answers yes at most once an interval. A track of which
   * nothing arrived yet isn't asked for: the relay does that when it starts to forward.
   * @param {number} now  milliseconds
   * @returns {boolean}
   */
  ask(now) {
    if (!this._needsKey || this.received === 0 || now - this._asked < KEY_FRAME_INTERVAL) return false;
    this._asked = now;
    return true;
  }

  _drop() {
    this.dropped += 1;
    return false;
  }
}
