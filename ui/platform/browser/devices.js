// The cameras of a browser: which there are, which was chosen, and the own picture before a call.

import { find, keep, kept } from '../chosen.js';
import { available, Camera } from './camera.js';
import { framesOf } from './frames.js';
import { Pace } from './pace.js';
import { Painter } from './painter.js';
import { ticker } from './ticker.js';

/** @typedef {import('../types').Cameras} Cameras */
/** @typedef {import('../types').PreviewEvent} PreviewEvent */
/** @typedef {import('../../generated').Size} Size */

/** Pictures a second that one sees of oneself: enough to comb one's hair by. */
const RATE = 20;
/** Milliseconds for a change of devices to settle: a plug makes several events. */
const SETTLE = 300;

export class Devices {
  constructor() {
    /** @type {import('../types').Camera[]} */
    this._cameras = [];
    /** @type {Set<(cameras: Cameras) => void>} */
    this._listeners = new Set();
    /** Cameras that are in use: a preview's, a call's. @type {Set<Camera>} */
    this._users = new Set();
    /** The camera that pictures come from. @type {string | null} */
    this._using = null;
    this._known = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._settling = undefined;
    navigator.mediaDevices?.addEventListener?.('devicechange', () => {
      clearTimeout(this._settling);
      this._settling = setTimeout(() => this._changed(), SETTLE);
    });
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
    const camera = this._cameras.find((one) => one.id === id);
    if (!camera) return;
    keep(camera);
    for (const user of this._users) user.change();
    this._tell();
  }

  /** The camera that was chosen. Before a browser tells of its cameras, as it was called then. */
  wish() {
    const wish = kept();
    return (this._cameras.length > 0 ? find(this._cameras, wish) : wish)?.id ?? null;
  }

  /** @param {string} id */
  has(id) {
    return this._cameras.some((one) => one.id === id);
  }

  /**
   * A camera that follows what is chosen, until `letGo`.
   * @param {ConstructorParameters<typeof Camera>[0]} events
   */
  camera(events) {
    const camera = new Camera({
      ...events,
      track: (track) => {
        if (track) {
          this._using = track.getSettings().deviceId ?? null;
          // Names are told only to who may use a camera.
          this.look();
        }
        events.track(track);
      },
    }, this);
    this._users.add(camera);
    return camera;
  }

  /** @param {Camera} camera */
  letGo(camera) {
    camera.off();
    this._users.delete(camera);
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

  /** Asks the browser which cameras there are. */
  async look() {
    if (!available()) return this._tell();
    try {
      const devices = await navigator.mediaDevices.enumerateDevices();
      // Without leave to use one, a browser tells of a camera without id and name.
      this._cameras = devices.filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId)
        .map(({ deviceId, label }) => ({ id: deviceId, name: label }));
    } catch {
      this._cameras = [];
    }
    return this._tell();
  }

  async _changed() {
    await this.look();
    for (const user of this._users) user.plugged();
  }

  _now() {
    const chosen = this._using && this.has(this._using) && !this._wishedOther() ? this._using : this.wish();
    return { cameras: this._cameras.slice(), chosen: chosen ?? this._cameras[0]?.id ?? null };
  }

  /** Whether another camera is chosen than pictures came from last. */
  _wishedOther() {
    const wish = this.wish();
    return wish !== null && wish !== this._using;
  }

  _tell() {
    this._known = true;
    const now = this._now();
    for (const on of [...this._listeners]) on(now);
  }
}
