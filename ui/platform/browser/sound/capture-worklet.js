// The microphone's samples, in frames, off the page's thread. While muted they stay here: only how
// loud they are is told.

import { FRAME, loudness, RATE } from '../../../protocol/sound.js';
import { Activity } from './activity.js';
import { Resampler } from './resample.js';

/**
 * What the page says: from now on samples are handed out, marked with this number; `null`: none are.
 * @typedef {{ turn: number | null }} Told
 * @typedef {{ dbov: number, voice: boolean, turn: number | null, first: number, samples?: Float32Array }} Captured
 */

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this._resampler = sampleRate === RATE ? null : new Resampler(sampleRate);
    this._activity = new Activity();
    this._block = new Float32Array(FRAME);
    this._filled = 0;
    /** Samples up to the block. */
    this._first = 0;
    /** @type {number | null} */
    this._turn = null;
    this.port.onmessage = ({ data }) => {
      // What was taken up before belongs to the turn before: it is thrown away.
      this._turn = /** @type {Told} */ (data).turn;
      this._first += this._filled;
      this._filled = 0;
    };
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const [channel] = inputs[0];
    if (!channel) return true;
    const samples = this._resampler ? this._resampler.run(channel) : channel;
    let at = 0;
    while (at < samples.length) {
      const taken = Math.min(FRAME - this._filled, samples.length - at);
      this._block.set(samples.subarray(at, at + taken), this._filled);
      this._filled += taken;
      at += taken;
      if (this._filled === FRAME) this._tell();
    }
    return true;
  }

  _tell() {
    const dbov = loudness(this._block);
    const voice = this._activity.frame(dbov);
    /** @type {Captured} */
    const captured = { dbov, voice, turn: this._turn, first: this._first };
    if (this._turn === null) {
      this.port.postMessage(captured);
    } else {
      const samples = this._block;
      this._block = new Float32Array(FRAME);
      this.port.postMessage({ ...captured, samples }, [samples.buffer]);
    }
    this._first += FRAME;
    this._filled = 0;
  }
}

registerProcessor('visita-capture', Capture);
