// One sender's sound, from decoded frames to samples to be played: what does as the jitter buffer's
// plan says, as `media/src/sound/jitter/buffer.rs` does with a decoder. Pure: time is passed in.

import { Plan } from '../../../protocol/jitter.js';
import { decibels, FRAME, RATE, SILENCE } from '../../../protocol/sound.js';
import { Concealment, FADE, HISTORY, putIn, takeOut } from './stretch.js';

/** Samples of a block: 10 ms, what the plan decides about. */
const BLOCK = FRAME / 2;
/** Two places must be this much alike for a piece to be taken out or put in… */
const ALIKE = 0.9;
/** …and for each time that none were, a little less. */
const LESS_ALIKE = 0.15;
/** How much of its way to the wanted volume a sample goes: there in 20 ms, without a click. */
const GLIDE = 1 / 300;

/** What was done since the voice began. @typedef {{ received: number, late: number, left_out: number, copied: number, concealed_us: number, stretched_us: number, target_us: number, jumps: number }} Stats */

export class Voice {
  constructor() {
    /** @type {Plan<Float32Array | null>} */
    this._plan = new Plan();
    /** What lies ready. @type {Float32Array} */
    this._ready = new Float32Array(0);
    /** What is being played, and how far. @type {Float32Array} */
    this._block = new Float32Array(0);
    this._at = 0;
    /** What was played last, and what was put behind what lies ready last. */
    this._played = new Float32Array(HISTORY);
    this._tail = new Float32Array(HISTORY);
    /** @type {Concealment | null} */
    this._made = null;
    this._unlike = 0;
    /** Whether nothing of it is heard. */
    this._silent = true;
    /** The sender's time when the block begins. @type {number | null} */
    this._time = null;
    this._gain = 1;
    this._wanted = 1;
    this._power = 0;
    this._counted = 0;
    this._received = 0;
    this._stretched = 0;
  }

  /** @param {number} volume  0 to 1 */
  set volume(volume) {
    this._wanted = volume;
  }

  /**
   * A frame was decoded, or says that silence begins (without samples).
   * @param {number} sequence
   * @param {number} time  microseconds on the sender's clock
   * @param {Float32Array | null} samples  a frame's
   * @param {number} now  microseconds
   * @param {boolean} [copy]  whether it came only with a newer one, which is put after it
   */
  put(sequence, time, samples, now, copy = false) {
    if (samples && samples.length !== FRAME) return;
    const packet = { sequence, time, silence: samples === null, payload: samples };
    if (copy) {
      this._plan.copy(packet, now);
      return;
    }
    this._received += 1;
    this._plan.packet(packet, now);
  }

  /**
   * Adds the next samples to what others play.
   * @param {Float32Array} into
   * @param {number} first  the number of its first sample since the player began
   */
  add(into, first) {
    for (let n = 0; n < into.length; n += 1) {
      if (this._at === this._block.length) this._next(Math.floor(((first + n) * 1e6) / RATE));
      this._gain += (this._wanted - this._gain) * GLIDE;
      const sample = this._block[this._at];
      this._at += 1;
      this._power += sample * sample;
      into[n] += sample * this._gain;
    }
    this._counted += into.length;
  }

  /** The sender's time that is played next, in microseconds; `null` while nothing of it is. */
  get heard() {
    return this._time === null ? null : this._time + microseconds(this._at);
  }

  /** Whether nothing of it is heard, or its volume is down. */
  get unheard() {
    return this._silent || this._gain < 0.001;
  }

  /** How loud it was since it was asked last, in dBov, before the volume. */
  level() {
    const level = this._counted ? decibels(this._power / this._counted) : -SILENCE;
    this._power = 0;
    this._counted = 0;
    return level;
  }

  /** @returns {Stats} */
  stats() {
    const { late, left_out, copied, concealed_us, repaired_us, jumps } = this._plan.counts;
    return {
      received: this._received, late, left_out, copied, jumps,
      // Nothing is repaired here, since browsers' decoders don't: it is made up too.
      concealed_us: concealed_us + repaired_us,
      stretched_us: microseconds(this._stretched), target_us: this._plan.target,
    };
  }

  /** The next block. @param {number} now */
  _next(now) {
    // Each turn adds at least a block to what lies ready, so it ends.
    for (;;) {
      const decision = this._plan.decide(now, microseconds(this._ready.length));
      switch (decision.what) {
        case 'decode':
          this._decode(decision.packet.payload);
          continue;
        case 'repair':
        case 'conceal':
          this._makeUp(FRAME);
          continue;
        case 'accelerate':
          this._stretch(takeOut(this._ready, this._alike));
          break;
        case 'expand':
          this._stretch(putIn(this._played, this._ready, this._alike));
          break;
        case 'hold':
        case 'silence':
          this._makeUp(BLOCK);
          break;
        case 'nothing':
          this._end();
          return;
        default:
      }
      break;
    }
    this._time = this._plan.moment(microseconds(this._ready.length));
    this._silent = false;
    this._play(this._ready.slice(0, BLOCK));
    this._ready = this._ready.slice(BLOCK);
  }

  /** There is nobody: what still lies ready, or made up from it, fades out. */
  _end() {
    this._time = null;
    const block = new Float32Array(BLOCK);
    if (!this._silent) {
      this._made ??= new Concealment(this._tail);
      this._made.stop();
      const rest = this._ready.length > 0 ? this._ready : this._made.take(BLOCK);
      for (let n = 0; n < Math.min(BLOCK, rest.length); n += 1) block[n] = rest[n] * (1 - n / Math.min(BLOCK, rest.length));
      this._silent = true;
      this._made = null;
      this._ready = new Float32Array(0);
      this._tail.fill(0);
    }
    this._play(block);
  }

  get _alike() {
    return ALIKE - LESS_ALIKE * this._unlike;
  }

  /** @param {Float32Array | null} made */
  _stretch(made) {
    this._unlike = made ? 0 : this._unlike + 1;
    if (!made) return;
    this._stretched += Math.abs(made.length - this._ready.length);
    this._ready = made;
  }

  /** @param {Float32Array | null} frame */
  _decode(frame) {
    if (!frame) {
      this._makeUp(FRAME);
      return;
    }
    // From what was made up, or from nothing, into what is real.
    if (this._made || this._silent) {
      const before = this._made ? this._made.take(FADE) : new Float32Array(FADE);
      for (let n = 0; n < FADE; n += 1) {
        const share = n / FADE;
        frame[n] = frame[n] * share + before[n] * (1 - share);
      }
      this._made = null;
    }
    this._append(frame);
  }

  /** @param {number} count */
  _makeUp(count) {
    this._made ??= new Concealment(this._tail);
    this._append(this._made.take(count));
  }

  /** @param {Float32Array} samples */
  _append(samples) {
    const all = new Float32Array(this._ready.length + samples.length);
    all.set(this._ready);
    all.set(samples, this._ready.length);
    this._ready = all;
    keep(this._tail, samples);
  }

  /** @param {Float32Array} block */
  _play(block) {
    this._block = block;
    this._at = 0;
    keep(this._played, block);
  }
}

/** Microseconds of samples, as whole as the plan counts. @param {number} samples */
function microseconds(samples) {
  return Math.floor((samples * 125) / 6);
}

/**
 * The last samples of a stream: these came now.
 * @param {Float32Array} kept
 * @param {Float32Array} samples  no more than are kept
 */
function keep(kept, samples) {
  kept.copyWithin(0, samples.length);
  kept.set(samples, kept.length - samples.length);
}
