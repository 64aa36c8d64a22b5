// The JPEG track: for who can decode nothing else. Every picture stands alone.

import { fit, Pace, stepFor } from './pace.js';

/** @typedef {import('./frames.js').Picture} Picture */

/** The longest side of a picture, in pixels: JPEG needs seven times the bits of H.264. */
const LONGEST = 480;
/** Pictures a second at most. */
const RATE = 12;
/** JPEG's quality: below it faces show blocks, above it only the size grows. */
const QUALITY = 0.6;
/** The largest picture that is decoded, in pixels: a lie in a header mustn't take the memory. */
const MAX_PIXELS = 1920 * 1920;

/**
 * The size of the pictures made of a camera's.
 * @param {number} width
 * @param {number} height
 */
export const jpegSize = (width, height) => fit(width, height, LONGEST);

/** Makes JPEG pictures, one at a time; a picture that comes too early is skipped. */
export class JpegEncoder {
  /**
   * @param {(payload: Uint8Array, timestamp: number) => void} frame  a picture is ready
   */
  constructor(frame) {
    this._frame = frame;
    this._pace = new Pace(RATE);
    this._busy = false;
    this._closed = false;
    /** The largest place that shows the picture. @type {{ width: number, height: number } | undefined} */
    this._wanted = undefined;
    /** @type {OffscreenCanvas | HTMLCanvasElement | null} */
    this._canvas = null;
    /** @type {OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D | null} */
    this._context = null;
  }

  /** @param {{ width: number, height: number }} size  the largest at which anybody shows it */
  setWanted(size) {
    this._wanted = size;
  }

  /**
   * Encodes the picture, if it is time for one.
   * @param {Picture} picture
   * @param {number} width
   * @param {number} height
   * @param {number} timestamp  microseconds
   */
  offer(picture, width, height, timestamp) {
    if (this._busy || this._closed || !this._pace.due(timestamp / 1000)) return;
    const step = stepFor(jpegSize(width, height), this._wanted);
    const size = fit(width, height, LONGEST * step);
    const context = this._contextOf(size.width, size.height);
    if (!context) return;
    context.drawImage(picture, 0, 0, size.width, size.height);
    this._busy = true;
    this._encode().then(
      (payload) => {
        this._busy = false;
        if (payload && !this._closed) this._frame(payload, timestamp);
      },
      () => {
        this._busy = false;
      },
    );
  }

  close() {
    this._closed = true;
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  _contextOf(width, height) {
    if (!this._canvas) {
      this._canvas = typeof OffscreenCanvas === 'function' && 'convertToBlob' in OffscreenCanvas.prototype
        ? new OffscreenCanvas(width, height)
        : document.createElement('canvas');
      // The picture is read back each time: keep it out of the graphics card.
      this._context = /** @type {CanvasRenderingContext2D | null} */ (
        this._canvas.getContext('2d', { alpha: false, willReadFrequently: true }));
      if (!this._context && !(this._canvas instanceof HTMLCanvasElement)) {
        // Safari 16 has the class without its 2D context.
        this._canvas = document.createElement('canvas');
        this._context = this._canvas.getContext('2d', { alpha: false });
      }
    }
    if (this._canvas.width !== width || this._canvas.height !== height) {
      this._canvas.width = width;
      this._canvas.height = height;
    }
    return this._context;
  }

  /** @returns {Promise<Uint8Array | null>} */
  async _encode() {
    const canvas = this._canvas;
    if (!canvas) return null;
    const type = 'image/jpeg';
    const blob = canvas instanceof HTMLCanvasElement
      ? await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => canvas.toBlob(resolve, type, QUALITY))
      : await canvas.convertToBlob({ type, quality: QUALITY });
    return blob && new Uint8Array(await blob.arrayBuffer());
  }
}

/** Decodes JPEG pictures, one at a time; of those that come meanwhile the newest wins. */
export class JpegDecoder {
  /**
   * @param {object} events
   * @param {(image: ImageBitmap | HTMLImageElement, width: number, height: number, timestamp: number) => void} events.picture
   * @param {() => void} events.failed  a picture wasn't one
   */
  constructor(events) {
    this._events = events;
    /** @type {{ payload: Uint8Array, timestamp: number } | null} */
    this._next = null;
    this._busy = false;
    this._closed = false;
  }

  /**
   * @param {Uint8Array} payload
   * @param {number} timestamp  microseconds
   */
  decode(payload, timestamp) {
    this._next = { payload, timestamp };
    if (!this._busy) this._run();
  }

  close() {
    this._closed = true;
    this._next = null;
  }

  async _run() {
    this._busy = true;
    while (this._next && !this._closed) {
      const { payload, timestamp } = this._next;
      this._next = null;
      try {
        const size = sizeInHeader(payload);
        if (!size || size.width * size.height > MAX_PIXELS) throw new Error('not a picture to show');
        const image = await imageOf(new Blob([/** @type {BlobPart} */ (payload)], { type: 'image/jpeg' }));
        if (this._closed) close(image);
        else this._events.picture(image, image.width, image.height, timestamp);
      } catch {
        if (!this._closed) this._events.failed();
      }
    }
    this._busy = false;
  }
}

/** @param {ImageBitmap | HTMLImageElement} image */
function close(image) {
  if ('close' in image) image.close();
}

/**
 * @param {Blob} blob
 * @returns {Promise<ImageBitmap | HTMLImageElement>}
 */
async function imageOf(blob) {
  if (typeof createImageBitmap === 'function') return createImageBitmap(blob);
  const image = new Image();
  const url = URL.createObjectURL(blob);
  try {
    image.src = url;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * The size that a JPEG file's frame header tells; `null` if there is none.
 * @param {Uint8Array} bytes
 * @returns {{ width: number, height: number } | null}
 */
export function sizeInHeader(bytes) {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    // SOF0 to SOF15 hold the size, but for DHT, JPG and DAC, which lie among them.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      const height = (bytes[at + 5] << 8) | bytes[at + 6];
      const width = (bytes[at + 7] << 8) | bytes[at + 8];
      return width > 0 && height > 0 ? { width, height } : null;
    }
    if (length < 2) return null;
    at += 2 + length;
  }
  return null;
}
