// The audio device of the page: one context at our rate for everything that is heard, and what
// browsers do to it. It rests until a touch (autoplay rules), systems take it away for phone calls,
// and it is given back when nobody needs it.

import { RATE } from '../../../protocol/sound.js';

/** @typedef {import('../../types').SoundState} SoundState */
/** What some browsers' contexts have besides. @typedef {{ sinkId: string, setSinkId(id: string): Promise<void> }} Sinks */

/** Milliseconds that a context may take to start before it counts as held back until a touch… */
const START = 700;
/** …and where the browser says that it isn't: Firefox takes a second on a busy machine. */
const START_ALLOWED = 2500;
/** What counts as a touch, for one browser or another. */
const TOUCHES = ['pointerdown', 'pointerup', 'touchend', 'keydown'];
/** Seconds of a test tone, its pitch, and how loud it is: clear, and not startling at night. */
const TONE = { seconds: 1.2, hertz: 523, gain: 0.12 };

export class Engine {
  constructor() {
    /** @type {AudioContext | null} */
    this._context = null;
    /** @type {Promise<AudioContext> | null} */
    this._ready = null;
    this._users = 0;
    /** @type {Set<(state: SoundState) => void>} */
    this._listeners = new Set();
    /** @type {SoundState | null} */
    this._state = null;
    /** Whether it ran before: then it isn't held back but was taken away. */
    this._ran = false;
    /** The chosen speaker; empty for the system's own choice. */
    this._speaker = '';
    /** Where the context can't be told its speaker: an element that can. @type {HTMLAudioElement | null} */
    this._element = null;
    /** Everything that is heard comes through here. @type {GainNode | null} */
    this._output = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._starting = undefined;
    this._onVisible = () => {
      if (!document.hidden && this._context && this._context.state !== 'running') this._start(this._context);
    };
    this._onTouch = () => void this.touch();
  }

  /** Whether there could be sound at all: browsers hide worklets from insecure pages. */
  static get possible() {
    return window.isSecureContext && typeof AudioWorkletNode === 'function';
  }

  /** Whether a speaker can be chosen. */
  static get choosesSpeaker() {
    return 'setSinkId' in AudioContext.prototype || 'setSinkId' in HTMLMediaElement.prototype;
  }

  /** How the sound is; `null` while nobody uses it. */
  get state() {
    return this._state;
  }

  /** Whether something would be heard now, as far as the browser says, without another touch. */
  get sounds() {
    return Engine.possible && (this._context ? this._context.state === 'running' : allowed());
  }

  /**
   * Tells how the sound is, now and from now on.
   * @param {(state: SoundState) => void} on
   * @returns {() => void}
   */
  watch(on) {
    this._listeners.add(on);
    if (this._state) on(this._state);
    return () => {
      this._listeners.delete(on);
    };
  }

  /**
   * Uses the device, until `release`. Answers the context with our worklets' modules in it.
   * @returns {Promise<AudioContext>}
   */
  acquire() {
    this._users += 1;
    this._ready ??= this._open();
    return this._ready;
  }

  release() {
    this._users -= 1;
    if (this._users > 0) return;
    const context = this._context;
    clearTimeout(this._starting);
    document.removeEventListener('visibilitychange', this._onVisible);
    this._awaitTouch(false);
    this._element?.pause();
    this._context = this._ready = this._element = this._output = this._state = null;
    this._ran = false;
    if (context) {
      context.onstatechange = null;
      context.close().catch(() => {});
    }
  }

  /** What is to be heard is connected here. @param {AudioNode} node */
  connect(node) {
    if (this._output) node.connect(this._output);
  }

  /** From a touch: starts what the browser held back. */
  async touch() {
    const context = this._context;
    if (!context) return;
    this._element?.play().catch(() => {});
    try {
      await context.resume();
    } catch {
      // Closed meanwhile, or still held back: the state says so.
    }
    this._changed(context);
  }

  /** @param {string} id  empty for the system's own choice */
  async speaker(id) {
    this._speaker = id;
    await this._direct();
  }

  /** A short tone from the chosen speaker. */
  async tone() {
    const context = await this.acquire();
    await this.touch();
    const gain = context.createGain();
    const oscillator = context.createOscillator();
    const from = context.currentTime;
    oscillator.frequency.value = TONE.hertz;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(TONE.gain, from + 0.05);
    gain.gain.setValueAtTime(TONE.gain, from + TONE.seconds - 0.3);
    gain.gain.linearRampToValueAtTime(0, from + TONE.seconds);
    oscillator.connect(gain);
    this.connect(gain);
    oscillator.onended = () => {
      gain.disconnect();
      this.release();
    };
    oscillator.start();
    oscillator.stop(from + TONE.seconds);
  }

  /** @returns {Promise<AudioContext>} */
  async _open() {
    const context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' });
    this._context = context;
    this._output = context.createGain();
    this._output.connect(context.destination);
    context.onstatechange = () => this._changed(context);
    document.addEventListener('visibilitychange', this._onVisible);
    this._start(context);
    const worklets = ['./capture-worklet.js', './player-worklet.js'];
    await Promise.all([this._direct(), ...worklets.map((module) => context.audioWorklet.addModule(new URL(module, import.meta.url)))]);
    return context;
  }

  /** @param {AudioContext} context */
  _start(context) {
    context.resume().then(() => this._changed(context), () => {});
    clearTimeout(this._starting);
    this._starting = setTimeout(() => this._changed(context, true), allowed() ? START_ALLOWED : START);
    this._changed(context);
  }

  /**
   * @param {AudioContext} context
   * @param {boolean} [late]  it had time to start
   */
  _changed(context, late = false) {
    if (this._context !== context) return;
    if (context.state === 'running') {
      clearTimeout(this._starting);
      this._ran = true;
      this._awaitTouch(false);
      this._enter('on');
      return;
    }
    if (!this._ran && !late) return;
    this._awaitTouch(true);
    this._enter(this._ran ? 'interrupted' : 'blocked');
    // What the system took away it may have given back already.
    if (this._ran && !late && !document.hidden) context.resume().catch(() => {});
  }

  /** While nothing is heard any touch of the page will do. @param {boolean} on */
  _awaitTouch(on) {
    for (const touch of TOUCHES) {
      if (on) document.addEventListener(touch, this._onTouch, { capture: true, passive: true });
      else document.removeEventListener(touch, this._onTouch, { capture: true });
    }
  }

  /** @param {SoundState} state */
  _enter(state) {
    if (state === this._state) return;
    this._state = state;
    for (const on of [...this._listeners]) on(state);
  }

  /** Sends the sound to the chosen speaker; one that is gone is the system's choice again. */
  async _direct() {
    const context = /** @type {AudioContext & Partial<Sinks> | null} */ (this._context);
    if (!context) return;
    try {
      if (context.setSinkId) {
        if (context.sinkId !== this._speaker) await context.setSinkId(this._speaker);
      } else if (this._speaker || this._element) {
        await this._throughElement(context);
      }
    } catch {
      // Unplugged, or not allowed any more: what was used goes on.
    }
  }

  /** @param {AudioContext} context */
  async _throughElement(context) {
    if (!this._element) {
      if (!('setSinkId' in HTMLMediaElement.prototype)) return;
      const stream = context.createMediaStreamDestination();
      this._element = new Audio();
      this._element.srcObject = stream.stream;
      this._output?.disconnect();
      this._output?.connect(stream);
      this._element.play().catch(() => {});
    }
    await this._element.setSinkId(this._speaker);
  }
}

/** Whether the browser lets sound begin without another touch, as far as it says. */
function allowed() {
  const asked = /** @type {Navigator & { getAutoplayPolicy?(kind: string): string }} */ (navigator);
  if (asked.getAutoplayPolicy) return asked.getAutoplayPolicy('audiocontext') === 'allowed';
  return asked.userActivation?.hasBeenActive ?? false;
}
