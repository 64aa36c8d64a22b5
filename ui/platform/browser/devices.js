// The cameras, microphones and speakers of a browser: which there are, which were chosen, and the
// own picture and sound before a call.

import { find, keep, kept, process, processes } from '../chosen.js';
import { Camera } from './camera.js';
import { framesOf } from './frames.js';
import { available } from './input.js';
import { DEFAULT, Microphone } from './microphone.js';
import { Pace } from './pace.js';
import { Painter } from './painter.js';
import { check } from './sound/check.js';
import { Engine } from './sound/engine.js';
import { signal } from './sound/signal.js';
import { ticker } from './ticker.js';

/** @typedef {import('../types').Cameras} Cameras */
/** @typedef {import('../types').PreviewEvent} PreviewEvent */
/** @typedef {import('./input.js').Input} Input */
/** @typedef {import('../../generated').Size} Size */

/** Pictures a second that one sees of oneself: enough to comb one's hair by. */
const RATE = 20;
/** Milliseconds for a change of devices to settle: a plug makes several events. */
const SETTLE = 300;

/** The devices of one kind, and which of them is taken. */
class Kind {
  /**
   * @param {import('../chosen.js').Kind} key
   * @param {MediaDeviceKind} kind
   */
  constructor(key, kind) {
    this._key = key;
    this._kind = kind;
    /** @type {import('../types').Camera[]} */
    this.list = [];
    /** The one in use. @type {string | null} */
    this.using = null;
  }

  /** @param {MediaDeviceInfo[]} devices */
  look(devices) {
    // Without leave to use one, a browser tells of a device without id and name; and of one that is
    // for telephone calls twice.
    this.list = devices.filter(({ kind, deviceId }) => kind === this._kind && deviceId && deviceId !== 'communications')
      .map(({ deviceId, label }) => ({ id: deviceId, name: label }));
  }

  /**
   * @param {string} id
   * @returns {boolean} whether there is one
   */
  choose(id) {
    const device = this.list.find((one) => one.id === id);
    if (device) keep(device, this._key);
    return device !== undefined;
  }

  /** The one that was chosen. Before a browser tells of its devices, as it was called then. */
  wish() {
    const wish = kept(this._key);
    return (this.list.length > 0 ? find(this.list, wish) : wish)?.id ?? null;
  }

  /** @param {string} id */
  has(id) {
    return this.list.some((one) => one.id === id);
  }

  /** What it is called; empty while that isn't told. @param {string} id */
  nameOf(id) {
    return this.list.find((one) => one.id === id)?.name ?? '';
  }

  /** The one that is taken, or would be. */
  get taken() {
    const wish = this.wish();
    const kept = this.using && this.has(this.using) && (wish === null || wish === this.using) ? this.using : wish;
    return kept ?? this.list[0]?.id ?? null;
  }
}

export class Devices {
  constructor() {
    /** What is heard comes out here. */
    this.engine = new Engine();
    this._cameras = new Kind('camera', 'videoinput');
    this._microphones = new Kind('microphone', 'audioinput');
    this._speakers = new Kind('speaker', 'audiooutput');
    /** @type {Set<(cameras: Cameras) => void>} */
    this._listeners = new Set();
    /** Cameras and microphones that are in use: a preview's, a call's. @type {Set<Input>} */
    this._users = new Set();
    this._known = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._settling = undefined;
    navigator.mediaDevices?.addEventListener?.('devicechange', () => {
      clearTimeout(this._settling);
      this._settling = setTimeout(() => this._changed(), SETTLE);
    });
    this._direct();
  }

  /**
   * @param {(cameras: Cameras) => void} on
   * @returns {() => void}
   */
  watch(on) {
    this._listeners.add(on);
    if (this._known) on(this._now());
    else this.look();
    return () => {
      this._listeners.delete(on);
    };
  }

  /** @param {string} id */
  choose(id) {
    if (!this._cameras.choose(id)) return;
    this._change(Camera);
    this._tell();
  }

  /** @param {string} id */
  chooseMicrophone(id) {
    if (!this._microphones.choose(id)) return;
    this._change(Microphone);
    this._tell();
  }

  /** @param {string} id */
  chooseSpeaker(id) {
    if (!this._speakers.choose(id)) return;
    this._direct();
    this._tell();
  }

  /** Whether the browser helps the sound: echo, noise, gain. @param {boolean} on */
  process(on) {
    process(on);
    this._change(Microphone);
    this._tell();
  }

  /**
   * A camera that follows what is chosen, until `letGo`.
   * @param {import('./input.js').Events} events
   */
  camera(events) {
    const camera = new Camera(this._used(events, this._cameras), this._cameras);
    this._users.add(camera);
    return camera;
  }

  /**
   * A microphone that follows what is chosen, until `letGo`.
   * @param {import('./input.js').Events} events
   */
  microphone(events) {
    const kind = this._microphones;
    const choice = {
      wish: () => kind.wish(), has: (/** @type {string} */ id) => kind.has(id), nameOf: (/** @type {string} */ id) => kind.nameOf(id), processes,
    };
    const microphone = new Microphone(this._used(events, kind), choice);
    this._users.add(microphone);
    return microphone;
  }

  /** What the speaker in use is called; empty while a browser doesn't tell which it is. */
  get speakerName() {
    return this._speakers.nameOf(this._speakers.wish() ?? DEFAULT);
  }

  /** @param {Input} input */
  letGo(input) {
    input.off();
    this._users.delete(input);
  }

  /**
   * @param {(event: import('../types').SoundCheckEvent) => void} on
   * @returns {import('../types').SoundCheck}
   */
  listen(on) {
    return check(this, on);
  }

  tone() {
    this.engine.tone().catch(() => {
      // Without any speaker there is no tone.
    });
  }

  /** @param {import('../types').Signal} which */
  signal(which) {
    signal(this.engine, which).catch(() => {
      // Without any speaker there is none.
    });
  }

  /**
   * @param {(event: PreviewEvent) => void} on
   * @returns {import('../types').Preview}
   */
  preview(on) {
    const painter = new Painter();
    let seen = '';
    const screen = painter.screen((width, height) => {
      if (seen === `${width}x${height}`) return;
      seen = `${width}x${height}`;
      on({ type: 'picture', width, height });
    });
    const pace = new Pace(RATE);
    /** @type {ReturnType<typeof framesOf> | null} */
    let frames = null;
    const camera = this.camera({
      state: (state) => on({ type: 'camera', state }),
      track: (track) => {
        frames?.stop();
        frames = track && framesOf(track, (picture, width, height) => {
          if (!screen.shown || !pace.due(performance.now())) return;
          screen.put('clone' in picture ? picture.clone() : picture, width, height);
        });
        seen = '';
      },
    });
    const quiet = ticker(() => frames?.nudge());
    camera.on();
    return {
      show(canvas, size) {
        screen.add(canvas, size);
        return {
          resize: (/** @type {Size} */ to) => screen.add(canvas, to),
          stop: () => screen.remove(canvas),
        };
      },
      again: () => void camera.on(),
      stop: () => {
        this.letGo(camera);
        quiet();
        screen.close();
      },
    };
  }

  /** Asks the browser which devices there are. */
  async look() {
    if (!available()) return this._tell();
    /** @type {MediaDeviceInfo[]} */
    let devices = [];
    try {
      devices = await navigator.mediaDevices.enumerateDevices();
    } catch {
      // There are none, as far as this page may know.
    }
    this._cameras.look(devices);
    this._microphones.look(devices);
    this._speakers.look(Engine.choosesSpeaker ? devices : []);
    return this._tell();
  }

  /**
   * @param {import('./input.js').Events} events
   * @param {Kind} kind
   * @returns {import('./input.js').Events}
   */
  _used(events, kind) {
    return {
      ...events,
      track: (track) => {
        if (track) {
          kind.using = track.getSettings().deviceId ?? null;
          // Names are told only to who may use a device.
          this.look();
        }
        events.track(track);
      },
    };
  }

  /** @param {typeof Camera | typeof Microphone} kind */
  _change(kind) {
    for (const user of this._users) if (user instanceof kind) user.change();
  }

  /** Sends the sound to the chosen speaker, or to the system's own choice while that isn't there. */
  _direct() {
    this.engine.speaker(this._speakers.wish() ?? '');
  }

  async _changed() {
    await this.look();
    this._direct();
    for (const user of this._users) user.plugged();
  }

  /** @returns {Cameras} */
  _now() {
    return {
      cameras: this._cameras.list.slice(), chosen: this._cameras.taken,
      microphones: this._microphones.list.slice(), microphone: this._microphones.taken,
      speakers: this._speakers.list.slice(), speaker: this._speakers.taken,
      processes: processes(),
    };
  }

  _tell() {
    this._known = true;
    const now = this._now();
    for (const on of [...this._listeners]) on(now);
  }
}
