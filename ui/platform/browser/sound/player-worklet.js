// Everybody's sound, mixed and limited, on the audio device's own thread.

import { RATE } from '../../../protocol/sound.js';
import { Limiter } from './mix.js';
import { Voice } from './voice.js';

/** Samples of a quantum, as the Web Audio API has it. */
const QUANTUM = 128;
/** Samples between two reports: ten a second. */
const REPORT = RATE / 10;
/** Voices at most; a room has fewer people. */
const MAX_VOICES = 64;

/**
 * @typedef {{ type: 'frame', id: number, sequence: number, time: number, samples: Float32Array | null, copy: boolean }
 *   | { type: 'forget', id: number } | { type: 'volume', id: number, volume: number }} Told
 * What is heard of whom: at the context's sample `frame` the sender's time `heard` (microseconds).
 * @typedef {{ id: number, heard: number | null, level: number, stats: import('./voice.js').Stats }} Heard
 * @typedef {{ frame: number, voices: Heard[] }} Report
 */

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    /** @type {Map<number, Voice>} */
    this._voices = new Map();
    /** Voices that fade away. @type {Set<Voice>} */
    this._leaving = new Set();
    this._limiter = new Limiter(QUANTUM, RATE);
    this._mix = new Float32Array(QUANTUM);
    this._reported = 0;
    this.port.onmessage = ({ data }) => this._told(/** @type {Told} */ (data));
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, outputs) {
    const mix = this._mix.length === outputs[0][0].length ? this._mix : (this._mix = new Float32Array(outputs[0][0].length));
    mix.fill(0);
    for (const voice of this._voices.values()) voice.add(mix, currentFrame);
    for (const voice of this._leaving) {
      voice.add(mix, currentFrame);
      if (voice.unheard) this._leaving.delete(voice);
    }
    this._limiter.run(mix);
    for (const channel of outputs[0]) channel.set(mix);
    if (currentFrame - this._reported >= REPORT) this._report();
    return true;
  }

  /** @param {Told} told */
  _told(told) {
    let voice = this._voices.get(told.id);
    if (told.type === 'forget') {
      this._voices.delete(told.id);
      if (!voice || this._leaving.size >= MAX_VOICES) return;
      voice.volume = 0;
      this._leaving.add(voice);
      return;
    }
    if (!voice) {
      if (this._voices.size >= MAX_VOICES) return;
      voice = new Voice();
      this._voices.set(told.id, voice);
    }
    if (told.type === 'volume') voice.volume = told.volume;
    else voice.put(told.sequence, told.time, told.samples, Math.floor((currentFrame * 1e6) / RATE), told.copy);
  }

  _report() {
    this._reported = currentFrame;
    const voices = [...this._voices].map(([id, voice]) => ({ id, heard: voice.heard, level: voice.level(), stats: voice.stats() }));
    // What a voice gives next is heard behind this quantum and the one that the limiter holds.
    this.port.postMessage(/** @type {Report} */ ({ frame: currentFrame + 2 * QUANTUM, voices }));
  }
}

registerProcessor('visita-player', Player);
