// What this participant says: microphone, frames, Opus, and how loud it is.

import { copies, primaryBits, Repeater } from '../../../protocol/red.js';
import { FRAME_MS, Meter, SILENCE } from '../../../protocol/sound.js';
import { Unheard } from './activity.js';
import { Capture } from './capture.js';
import { Lost } from './lost.js';
import { encoder, without } from './opus.js';
import { SOUND_TRACK } from '../rtc/lane.js';

/** @typedef {import('../../../generated').Track} Track */
/** @typedef {import('../../../protocol/frame.js').Header} Header */
/** @typedef {import('../../../protocol/frame.js').Level} Level */
/** @typedef {import('./engine.js').Engine} Engine */

/** The microphone, behind the camera's tracks. */
export const TRACK = 2;
/** Bits a second, repeated ones included: full band for a voice, and what is enough to be understood. */
const BITRATE = 28_000;
const LEAST = 16_000;
/** Milliseconds between two changes: each makes the encoder begin anew. */
const STEADY = 10_000;
/** Frames whose levels wait for the encoder. */
const MAX_ENCODING = 64;
/** Failures of WebCodecs before libopus does it. */
const MAX_FAILURES = 3;

/**
 * @typedef {object} Ways
 * @property {() => void} announce  what could be sent is another from now on
 * @property {(header: Header, payload: Uint8Array) => 'taken' | 'congested'} frame  sends a frame
 * @property {() => number} dropped  how many frames were thrown away so far, for a line too slow
 * @property {() => void} drop  frames that wait to be sent are thrown away
 * @property {() => void} failed  nothing can be captured
 */

export class Talk {
  /**
   * @param {Engine} engine
   * @param {Ways} ways
   */
  constructor(engine, ways) {
    this._engine = engine;
    this._ways = ways;
    /** @type {MediaStreamTrack | null} */
    this._track = null;
    /** @type {Capture | null} */
    this._capture = null;
    this._muted = false;
    /** Where the sound goes that isn't made of frames. @type {((track: MediaStreamTrack | null) => void) | null} */
    this._way = null;
    /** The microphone for that way, silenced while nothing is to be heard. @type {MediaStreamTrack | null} */
    this._out = null;
    /** Whether anybody listens. */
    this._wanted = false;
    /** The next frame's number, of the whole session. */
    this._sequence = 0;
    this._bitrate = BITRATE;
    this._changed = -Infinity;
    /** How many packets a frame repeats. */
    this._copies = 0;
    this._repeater = new Repeater();
    this._lost = new Lost();
    this._announced = false;
    /** Which encoder's packets count. @type {{ made: import('./opus.js').Encoder | null, levels: Map<number, { time: number, level: Level }>, next: number } | null} */
    this._encoding = null;
    this._failures = 0;
    this._meter = new Meter();
    this._unheard = new Unheard();
    this._level = -SILENCE;
    /** Frames that were sent. */
    this.sent = 0;
  }

  /** What is announced: nothing while muted. @returns {Track[]} */
  get tracks() {
    return this._track && !this._muted ? [{ id: this.number, source: 'microphone', codec: 'opus', layers: [] }] : [];
  }

  /** Its track's number. */
  get number() {
    return this._way ? SOUND_TRACK : TRACK;
  }

  /** The sound goes this way from now on; `null`: as frames. @param {((track: MediaStreamTrack | null) => void) | null} way */
  way(way) {
    this._way?.(null);
    this._way = way;
    this._wanted = false;
    this._copy();
    this._gate();
    this._announce();
  }

  /** How loud the microphone was since this was asked last, in dBov. */
  level() {
    const level = this._level;
    this._level = -SILENCE;
    return level;
  }

  /** Whether somebody speaks who is muted. */
  get unheard() {
    return this._muted && this._track !== null && this._unheard.told(performance.now());
  }

  /** The microphone's track from now on, `null` for none. @param {MediaStreamTrack | null} track */
  track(track) {
    this._capture?.close();
    this._capture = null;
    this._stop();
    this._track = track;
    this._copy();
    this._unheard.begin();
    if (track) {
      const capture = new Capture(this._engine, track, this._sending && !this._way, {
        frame: (samples, time, dbov, voice) => this._frame(samples, time, this._meter.frame(dbov, voice)),
        level: (dbov, voice) => {
          this._level = Math.max(this._level, dbov);
          if (this._muted) this._unheard.frame(voice, FRAME_MS, performance.now());
        },
      });
      this._capture = capture;
      capture.started.catch(() => {
        if (this._capture !== capture) return;
        this.track(null);
        this._ways.failed();
      });
    }
    this._announce();
  }

  /** Muted, or heard again, at once. @param {boolean} muted */
  mute(muted) {
    if (muted === this._muted) return;
    this._muted = muted;
    this._unheard.begin();
    this._gate();
    this._announce();
  }

  /** The relay says how many of a hundred packets get lost. @param {number} percent */
  loss(percent) {
    this._lost.told(percent);
  }

  /** The relay tells all anew. */
  toldAnew() {
    this._lost.told(0);
  }

  /** Whether the relay wants the sound. @param {boolean} wanted */
  wanted(wanted) {
    if (wanted === this._wanted) return;
    this._wanted = wanted;
    this._gate();
  }

  /** From a touch. */
  touch() {
    this._capture?.touch();
  }

  close() {
    this._capture?.close();
    this._capture = null;
    this._track = null;
    this._copy();
    this._stop();
  }

  get _sending() {
    return !this._muted && this._wanted && this._track !== null;
  }

  _announce() {
    const announced = this.tracks.length > 0;
    // The relay counts from here on.
    if (announced && !this._announced) this._lost.told(0);
    this._announced = announced;
    this._ways.announce();
  }

  _gate() {
    this._capture?.open(this._sending && !this._way);
    if (this._out) this._out.enabled = this._sending;
    this._way?.(this._sending ? this._out : null);
    if (!this._sending) this._stop();
  }

  /** The microphone's track for a way of its own: one that can be silenced without silencing the meter. */
  _copy() {
    this._out?.stop();
    this._out = this._way && this._track ? this._track.clone() : null;
    if (!this._out) return;
    this._out.enabled = this._sending;
    this._way?.(this._sending ? this._out : null);
  }

  /** Nothing that was captured before is sent any more. */
  _stop() {
    this._encoding?.made?.close();
    this._encoding = null;
    this._meter = new Meter();
    this._repeater.forget();
    this._ways.drop();
  }

  /**
   * @param {Float32Array} samples
   * @param {number} time  milliseconds
   * @param {Level} level
   */
  _frame(samples, time, level) {
    const encoding = (this._encoding ??= this._begin());
    const { made, levels } = encoding;
    if (!made) return;
    const number = encoding.next;
    encoding.next += 1;
    levels.set(number, { time, level });
    if (levels.size > MAX_ENCODING) levels.delete(/** @type {number} */ (levels.keys().next().value));
    try {
      made.encode(samples, number);
    } catch {
      this._failed(encoding);
    }
  }

  _begin() {
    /** @type {NonNullable<Talk['_encoding']>} */
    const encoding = { made: null, levels: new Map(), next: 0 };
    encoder(primaryBits(this._bitrate, this._copies), (packet, number) => {
      const known = encoding.levels.get(number);
      encoding.levels.delete(number);
      if (known && this._encoding === encoding && this._sending) this._send(packet, known);
    }, () => this._failed(encoding)).then((made) => {
      if (this._encoding === encoding) encoding.made = made;
      else made.close();
    }, () => this._failed(encoding));
    return encoding;
  }

  /**
   * @param {Uint8Array} packet
   * @param {{ time: number, level: Level }} of
   */
  _send(packet, { time, level }) {
    this._failures = 0;
    const sequence = this._sequence;
    this._sequence += 1;
    this.sent += 1;
    const timestamp = Math.max(0, Math.round(time * 1000));
    const taken = this._ways.frame({
      sender: 0, track: TRACK, layer: { spatial: 0, temporal: 0 }, sequence,
      timestamp, chunk: 0, chunks: 1, references: [], level,
    }, this._repeater.payload(timestamp, packet, this._copies));
    this._adapt(taken === 'congested' ? LEAST : BITRATE);
  }

  /** @param {number} bitrate */
  _adapt(bitrate) {
    const now = performance.now();
    const percent = this._lost.frame(now, this._ways.dropped());
    const settled = now - this._changed >= STEADY;
    const bits = bitrate < this._bitrate || settled ? bitrate : this._bitrate;
    const wanted = copies(this._copies, percent, bits);
    // More at once; fewer when it has settled, or where the bits don't hold them.
    const count = wanted > this._copies || settled || bits < this._bitrate ? wanted : this._copies;
    if (bits === this._bitrate && count === this._copies) return;
    this._bitrate = bits;
    this._copies = count;
    this._changed = now;
    this._encoding?.made?.bitrate(primaryBits(bits, count));
  }

  /** @param {Talk['_encoding']} encoding */
  _failed(encoding) {
    if (this._encoding !== encoding) return;
    this._encoding = null;
    encoding?.made?.close();
    this._failures += 1;
    // The next frame begins anew.
    if (this._failures === MAX_FAILURES) without('encodes');
    if (this._failures < 2 * MAX_FAILURES) return;
    this._failures = 0;
    this.track(null);
    this._ways.failed();
  }
}
