// The camera where the system gives it to web views alone (Android): the page captures, and hands
// the pictures to Rust, which encodes and sends them. Rust says when (src-tauri/src/frames/captured.rs).

import { framesOf, turned } from '../browser/frames.js';
import { Pace } from '../browser/pace.js';
import { ticker } from '../browser/ticker.js';

/** @typedef {import('../browser/devices.js').Devices} Devices */
/** @typedef {import('../browser/frames.js').Picture} Picture */
/** @typedef {import('./frames.js').Frames} Frames */

/** Pictures a second, as the camera is asked for. */
const RATE = 30;
/** Bytes before the pixels. */
const HEADER = 8;
/** @type {Record<string, number>} */
const FORMATS = { I420: 0, NV12: 1, RGBA: 2 };

export class Capture {
  /**
   * @param {Devices} devices
   * @param {Frames} frames
   */
  constructor(devices, frames) {
    this._way = frames.captures((on) => this.want(on));
    this._pace = new Pace(RATE);
    this._copying = false;
    /** @type {ReturnType<typeof framesOf> | null} */
    this._frames = null;
    /** @type {(() => void) | null} */
    this._quiet = null;
    this._camera = devices.camera({
      state: (state) => this._way.state(state),
      track: (track) => {
        this._frames?.stop();
        this._frames = track && framesOf(track, (picture, width, height) => void this._take(picture, width, height));
      },
    });
  }

  /** Rust wants pictures, or no more. @param {boolean} on */
  want(on) {
    if (on) {
      this._quiet ??= ticker(() => this._frames?.nudge());
      this._camera.on();
    } else {
      this._quiet?.();
      this._quiet = null;
      this._camera.off();
    }
  }

  /**
   * @param {Picture} picture  only good until this gives the turn away
   * @param {number} width
   * @param {number} height
   */
  async _take(picture, width, height) {
    // What can't be sent now is old when it can.
    if (this._copying || !this._way.free() || !this._pace.due(performance.now())) return;
    this._copying = true;
    try {
      this._way.picture(await pixels(picture, width, height));
    } catch (error) {
      console.error('capture', error);
    } finally {
      this._copying = false;
    }
  }
}

/**
 * A picture's pixels as a message.
 * @param {Picture} picture
 * @param {number} width
 * @param {number} height
 */
async function pixels(picture, width, height) {
  if (typeof VideoFrame !== 'function') return drawn(picture, width, height);
  const frame = 'clone' in picture ? picture.clone() : new VideoFrame(picture);
  try {
    if (turned(frame)) return drawn(frame, width, height);
    const rect = frame.visibleRect;
    // Anything else (a texture, above all) the web view turns into RGBA, or we do by drawing.
    const format = frame.format && frame.format in FORMATS ? frame.format : 'RGBA';
    const options = format === frame.format ? {} : { format: /** @type {any} */ (format) };
    const message = new ArrayBuffer(HEADER + frame.allocationSize(options));
    await frame.copyTo(new Uint8Array(message, HEADER), options);
    return headed(message, format, rect?.width ?? frame.codedWidth, rect?.height ?? frame.codedHeight);
  } catch {
    return drawn(frame, width, height);
  } finally {
    frame.close();
  }
}

/** @type {HTMLCanvasElement | null} */
let canvas = null;

/**
 * @param {CanvasImageSource} picture
 * @param {number} width
 * @param {number} height
 */
function drawn(picture, width, height) {
  canvas ??= document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const message = new ArrayBuffer(HEADER + data.length);
  new Uint8Array(message, HEADER).set(data);
  return headed(message, 'RGBA', width, height);
}

/**
 * @param {ArrayBuffer} message
 * @param {string} format
 * @param {number} width
 * @param {number} height
 */
function headed(message, format, width, height) {
  const header = new DataView(message);
  header.setUint8(0, 1);
  header.setUint8(1, FORMATS[format]);
  header.setUint16(2, width);
  header.setUint16(4, height);
  return message;
}
