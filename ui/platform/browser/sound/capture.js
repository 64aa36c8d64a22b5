// From a microphone's track to frames of samples with their times. Muting holds back what the
// worklet has, what is on its way from there, and so all that was heard since.

import { FRAME } from '../../../protocol/sound.js';
import { CaptureClock } from './clock.js';

/** @typedef {import('./engine.js').Engine} Engine */
/** @typedef {import('./capture-worklet.js').Captured} Captured */

/**
 * @typedef {object} Events
 * @property {(samples: Float32Array, time: number, dbov: number, voice: boolean) => void} frame  to be
 *   sent; `time`: when it was heard, milliseconds on the page's clock
 * @property {(dbov: number, voice: boolean) => void} level  of each frame, muted or not
 */

export class Capture {
  /**
   * @param {Engine} engine
   * @param {MediaStreamTrack} track
   * @param {boolean} open  whether frames are wanted from the start
   * @param {Events} events
   */
  constructor(engine, track, open, events) {
    this._engine = engine;
    this._events = events;
    this._closed = false;
    /** Which turn of being open this is: frames of another one are thrown away. */
    this._turn = 0;
    this._open = open;
    this._clock = new CaptureClock();
    /** @type {AudioWorkletNode | null} */
    this._node = null;
    /** @type {MediaStreamAudioSourceNode | null} */
    this._source = null;
    /** A context of the browser's own rate, where it doesn't convert. @type {AudioContext | null} */
    this._own = null;
    /** Settles when frames can come, or when none ever will. */
    this.started = this._start(new MediaStream([track]));
  }

  /** Frames are handed out from now on, or from now on no more. @param {boolean} open */
  open(open) {
    if (open === this._open) return;
    this._open = open;
    this._turn += 1;
    this._tell();
  }

  close() {
    if (this._closed) return;
    this._closed = true;
    this._open = false;
    if (this._node) this._node.port.onmessage = null;
    this._source?.disconnect();
    this._node?.disconnect();
    this._own?.close().catch(() => {});
    this._engine.release();
  }

  /** @param {MediaStream} stream */
  async _start(stream) {
    const context = await this._engine.acquire();
    if (this._closed) return;
    let source;
    try {
      source = context.createMediaStreamSource(stream);
    } catch (error) {
      // Firefox doesn't convert between a microphone's rate and a context's.
      if (!(error instanceof DOMException) || error.name !== 'NotSupportedError') throw error;
      source = await this._ownContext(stream);
      if (this._closed) return;
    }
    this._source = source;
    const node = new AudioWorkletNode(source.context, 'visita-capture', {
      numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit', channelInterpretation: 'speakers',
    });
    this._node = node;
    node.port.onmessage = ({ data }) => this._captured(/** @type {Captured} */ (data));
    this._tell();
    source.connect(node);
  }

  /** @param {MediaStream} stream */
  async _ownContext(stream) {
    const context = new AudioContext({ latencyHint: 'interactive' });
    this._own = context;
    context.resume().catch(() => {});
    await context.audioWorklet.addModule(new URL('./capture-worklet.js', import.meta.url));
    return context.createMediaStreamSource(stream);
  }

  /** From a touch. */
  touch() {
    this._own?.resume().catch(() => {});
  }

  _tell() {
    this._node?.port.postMessage({ turn: this._open ? this._turn : null });
  }

  /** @param {Captured} captured */
  _captured({ dbov, voice, turn, first, samples }) {
    const time = this._clock.at(first, FRAME, performance.now());
    this._events.level(dbov, voice);
    if (!samples || !this._open || turn !== this._turn) return;
    this._events.frame(samples, time, dbov, voice);
  }
}
