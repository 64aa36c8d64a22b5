// The sound of one call: what is said, what is heard, and what the page is told of both.

import { Engine } from './engine.js';
import { Hearing } from './hearing.js';
import { Talk } from './talk.js';

/** @typedef {import('../../types').CallEvent} CallEvent */
/** @typedef {import('../../types').MicState} MicState */
/** @typedef {import('../input.js').InputState} InputState */
/** @typedef {import('../../../protocol/frame.js').Header} Header */

/**
 * @typedef {object} Ways
 * @property {(event: CallEvent) => void} event  for the page
 * @property {() => void} announce  what could be sent is another
 * @property {(header: Header, payload: Uint8Array) => 'taken' | 'congested'} frame  sends a frame
 * @property {() => number} dropped  how many frames were thrown away so far, for a line too slow
 * @property {() => void} hush  frames that wait to be sent are thrown away
 */

export class Sound {
  /**
   * @param {import('../devices.js').Devices} devices
   * @param {boolean} microphone  whether it is opened at once
   * @param {Ways} ways
   */
  constructor(devices, microphone, ways) {
    this._devices = devices;
    this._ways = ways;
    this._closed = false;
    this._muted = !microphone;
    /** @type {InputState} */
    this._input = 'off';
    /** @type {MicState} */
    this._state = 'off';
    /** What the page was told of the speaker last. */
    this._speaker = '';
    const { engine } = devices;
    /** Whether there could be sound here at all. */
    this.possible = Engine.possible;
    this._talk = new Talk(engine, {
      announce: ways.announce,
      frame: ways.frame,
      dropped: ways.dropped,
      drop: ways.hush,
      failed: () => {
        this._input = 'failed';
        this._tell();
      },
    });
    this._talk.mute(this._muted);
    this.hearing = new Hearing(this.possible ? engine : null, () => this._levels());
    this._unwatch = engine.watch((state) => ways.event({ type: 'sound', state }));
    this._microphone = devices.microphone({
      state: (state) => {
        this._input = state;
        this._tell();
      },
      track: (track) => {
        this._talk.track(this.possible ? track : null);
        if (track) ways.event({ type: 'device', device: 'microphone', name: track.label });
      },
    });
    this._unlist = devices.watch(() => this._heardFrom(devices.speakerName));
    if (microphone) this._microphone.on();
  }

  /** What could be sent. */
  get tracks() {
    return this._talk.tracks;
  }

  /**
   * The tracks that the relay wants from now on.
   * @param {readonly { track: number }[]} tracks
   */
  send(tracks) {
    this._talk.wanted(tracks.some(({ track }) => track === this._talk.number));
  }

  /**
   * The relay says how many of a hundred packets of a track get lost.
   * @param {number} track
   * @param {number} percent
   */
  loss(track, percent) {
    if (track === this._talk.number) this._talk.loss(percent);
  }

  /**
   * The relay tells who is there, and all else anew.
   * @param {readonly import('../../../generated').Member[]} others
   */
  told(others) {
    this._talk.toldAnew();
    this.hearing.told(others);
  }

  /**
   * What is said goes this way from now on; `null`: as frames.
   * @param {((track: MediaStreamTrack | null) => void) | null} way
   */
  way(way) {
    this._talk.way(way);
  }

  /** Muted at once; opened, if it isn't, to be heard. @param {boolean} on */
  async microphone(on) {
    this._muted = !on;
    this._talk.mute(!on);
    this._tell();
    if (on) await this._microphone.on();
  }

  /** From a touch: what the browser held back begins. */
  async touch() {
    this._talk.touch();
    await this._devices.engine.touch();
  }

  close() {
    if (this._closed) return;
    this._closed = true;
    this._devices.letGo(this._microphone);
    this._talk.close();
    this.hearing.close();
    this._unwatch();
    this._unlist();
  }

  /** @param {string} name */
  _heardFrom(name) {
    if (name === this._speaker) return;
    this._speaker = name;
    this._ways.event({ type: 'device', device: 'speaker', name });
  }

  _tell() {
    const state = this._input === 'on' && this._muted ? 'muted' : this._input;
    if (state === this._state || this._closed) return;
    this._state = state;
    this._ways.event({ type: 'microphone', state });
  }

  _levels() {
    this._ways.event({
      type: 'levels', own: Math.round(this._talk.level()), talkingMuted: this._talk.unheard, members: this.hearing.levels,
    });
  }
}
