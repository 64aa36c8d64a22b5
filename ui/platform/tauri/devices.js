// The cameras of this device: Rust lists and opens them, and the pictures come as all others do.

import { find, keep, kept } from '../chosen.js';
import { channel, invoke } from './ipc.js';
import { Live } from './live.js';
import { SELF } from './frames.js';

/** @typedef {import('../types').Camera} Camera */
/** @typedef {import('../types').Cameras} Cameras */
/** @typedef {import('../types').PreviewEvent} PreviewEvent */
/** @typedef {import('./frames.js').Frames} Frames */

export class Devices {
  /** @param {Frames} frames */
  constructor(frames) {
    this._frames = frames;
    /** @type {Live<Cameras>} */
    this._live = new Live('watch_cameras');
    /** @type {Camera[]} */
    this._cameras = [];
    /** @type {((event: PreviewEvent) => void) | null} */
    this._previewing = null;
    this._seen = '';
    // Rust is told before anything is opened; it takes another camera where this one isn't there.
    const wish = kept();
    if (wish) invoke('choose_camera', { id: wish.id }).catch(() => {});
  }

  /** @param {(cameras: Cameras) => void} on */
  watch(on) {
    return this._live.watch((now) => {
      this._cameras = now.cameras;
      on(now);
    });
  }

  /** @param {string} id */
  choose(id) {
    const camera = find(this._cameras, { id, name: '' });
    if (camera) keep(camera);
    invoke('choose_camera', { id }).catch((error) => console.error('choose_camera', error));
  }

  /**
   * @param {(event: PreviewEvent) => void} on
   * @returns {import('../types').Preview}
   */
  preview(on) {
    this._previewing = on;
    this._seen = '';
    const open = () => invoke('preview_start', {
      on: channel((event) => {
        if (this._previewing === on) on(event);
      }),
    }).catch((error) => console.error('preview_start', error));
    open();
    return {
      show: (canvas, size) => this._frames.show(SELF, canvas, size),
      again: () => void open(),
      stop: () => {
        if (this._previewing !== on) return;
        this._previewing = null;
        invoke('preview_stop').catch((error) => console.error('preview_stop', error));
      },
    };
  }

  /**
   * An own picture was painted.
   * @param {number} width
   * @param {number} height
   */
  painted(width, height) {
    if (!this._previewing || this._seen === `${width}x${height}`) return;
    this._seen = `${width}x${height}`;
    this._previewing({ type: 'picture', width, height });
  }
}
