// Moving pictures by WebCodecs, out and in.

import { BITRATE } from './codecs.js';
import { turned } from './frames.js';
import { fit, Pace, stepFor } from './pace.js';

/** @typedef {import('./codecs.js').Format} Format */
/** @typedef {import('./frames.js').Picture} Picture */

/** The longest side of a picture, in pixels. */
const LONGEST = 640;
/** Frames a second at most. */
const RATE = 30;
/** Frames in the encoder at most; the newest that comes then is let go, the next is newer. */
const MAX_ENCODING = 2;
/** Frames in the decoder at most: more than a burst after a pause of the network. */
const MAX_DECODING = 30;

/**
 * The size of the pictures made of a camera's.
 * @param {number} width
 * @param {number} height
 */
export const videoSize = (width, height) => fit(width, height, LONGEST);

export class Encoder {
  /**
   * @param {Format} format
   * @param {boolean} layers  in two temporal layers
   * @param {object} events
   * @param {(payload: Uint8Array, key: boolean, timestamp: number, temporal: number | null) => void} events.frame
   *   a frame is ready; `temporal` is its layer, `null` if the encoder doesn't tell
   * @param {() => void} events.failed  this browser can't, whatever it said
   */
  constructor(format, layers, events) {
    this._format = format;
    this._layers = layers;
    this._events = events;
    /** @type {VideoEncoder | null} */
    this._encoder = null;
    this._width = 0;
    this._height = 0;
    this._bitrate = BITRATE;
    this._step = 1;
    /** The largest place that shows the picture. @type {{ width: number, height: number } | undefined} */
    this._wanted = undefined;
    this._key = true;
    this._failures = 0;
    this._pace = new Pace(RATE);
    /** For pictures that must be made smaller. @type {HTMLCanvasElement | null} */
    this._canvas = null;
  }

  /** The next frame is to be a key frame. */
  requestKey() {
    this._key = true;
  }

  /** @param {number} bitrate  bits a second */
  setBitrate(bitrate) {
    this._bitrate = bitrate;
    if (this._encoder?.state === 'configured') this._configure(this._encoder);
  }

  /** @param {{ width: number, height: number }} size  the largest at which anybody shows it */
  setWanted(size) {
    this._wanted = size;
  }

  /**
   * Encodes the picture, if it is time for one and the encoder keeps up.
   * @param {Picture} picture
   * @param {number} width
   * @param {number} height
   * @param {number} timestamp  microseconds
   */
  offer(picture, width, height, timestamp) {
    if (this._encoder && this._encoder.encodeQueueSize >= MAX_ENCODING) return;
    if (!this._pace.due(timestamp / 1000)) return;
    try {
      const largest = videoSize(width, height);
      const step = stepFor(largest, this._wanted);
      const size = step === 1 ? largest : fit(width, height, LONGEST * step);
      const encoder = this._encoderFor(size.width, size.height, step);
      const frame = this._frameOf(picture, width, height, timestamp);
      try {
        encoder.encode(frame, { keyFrame: this._key });
        this._key = false;
      } finally {
        frame.close();
      }
    } catch {
      this._fail();
    }
  }

  close() {
    if (this._encoder && this._encoder.state !== 'closed') this._encoder.close();
    this._encoder = null;
    this._key = true;
  }

  /**
   * @param {Picture} picture
   * @param {number} width
   * @param {number} height
   * @param {number} timestamp
   */
  _frameOf(picture, width, height, timestamp) {
    // Chromium, the one that has frames without an element, scales in the encoder, off this thread.
    const scales = !('nodeName' in picture) || (width === this._width && height === this._height);
    if (scales && !turned(picture)) {
      return new VideoFrame(picture, { timestamp });
    }
    this._canvas ??= document.createElement('canvas');
    if (this._canvas.width !== this._width || this._canvas.height !== this._height) {
      this._canvas.width = this._width;
      this._canvas.height = this._height;
    }
    this._canvas.getContext('2d', { alpha: false })?.drawImage(picture, 0, 0, this._width, this._height);
    return new VideoFrame(this._canvas, { timestamp });
  }

  /**
   * @param {number} width
   * @param {number} height
   * @param {number} step
   */
  _encoderFor(width, height, step) {
    if (this._encoder?.state === 'configured' && this._width === width && this._height === height) {
      return this._encoder;
    }
    this.close();
    this._width = width;
    this._height = height;
    this._step = step;
    const encoder = new VideoEncoder({
      output: (chunk, metadata) => {
        if (this._encoder === encoder) this._output(chunk, metadata);
      },
      error: () => {
        if (this._encoder === encoder) this._fail();
      },
    });
    this._encoder = encoder;
    this._configure(encoder);
    return encoder;
  }

  /** @param {VideoEncoder} encoder */
  _configure(encoder) {
    // Of half the sides a picture needs a third of the bits.
    const bitrate = Math.round(this._bitrate * this._step ** 1.5);
    encoder.configure(this._format.encoder(this._width, this._height, bitrate, this._layers));
  }

  /**
   * @param {EncodedVideoChunk} chunk
   * @param {EncodedVideoChunkMetadata & { svc?: { temporalLayerId?: number } }} [metadata]
   */
  _output(chunk, metadata) {
    const payload = new Uint8Array(chunk.byteLength);
    chunk.copyTo(payload);
    const key = chunk.type === 'key';
    if (!this._format.fits(payload, key)) return this._fail();
    this._failures = 0;
    return this._events.frame(payload, key, chunk.timestamp, metadata?.svc?.temporalLayerId ?? null);
  }

  /** An encoder that fails is begun anew, and given up when that fails as well. */
  _fail() {
    this.close();
    this._failures += 1;
    if (this._failures >= 3) this._events.failed();
  }
}

export class Decoder {
  /**
   * @param {Format} format
   * @param {object} events
   * @param {(frame: VideoFrame, width: number, height: number) => void} events.picture  the receiver closes it
   * @param {() => void} events.failed  the decoder lost its state: only a key frame helps
   */
  constructor(format, events) {
    this._format = format;
    this._events = events;
    /** @type {VideoDecoder | null} */
    this._decoder = null;
  }

  /**
   * Decodes a frame whose references were decoded. Answers false when it couldn't be taken, and
   * only a key frame helps.
   * @param {Uint8Array} payload
   * @param {boolean} key
   * @param {number} timestamp  microseconds
   */
  decode(payload, key, timestamp) {
    if (!this._decoder || this._decoder.state !== 'configured') {
      if (!key) return false;
      this._create();
    }
    const decoder = /** @type {VideoDecoder | null} */ (this._decoder);
    if (!decoder) return false;
    if (decoder.decodeQueueSize >= MAX_DECODING) {
      this.close();
      return false;
    }
    try {
      decoder.decode(new EncodedVideoChunk({ type: key ? 'key' : 'delta', timestamp, data: payload }));
      return true;
    } catch {
      this.close();
      return false;
    }
  }

  close() {
    if (this._decoder && this._decoder.state !== 'closed') this._decoder.close();
    this._decoder = null;
  }

  _create() {
    this.close();
    try {
      const decoder = new VideoDecoder({
        output: (frame) => {
          if (this._decoder === decoder) this._events.picture(frame, frame.displayWidth, frame.displayHeight);
          else frame.close();
        },
        error: () => {
          if (this._decoder !== decoder) return;
          this._decoder = null;
          this._events.failed();
        },
      });
      decoder.configure(this._format.decoder);
      this._decoder = decoder;
    } catch {
      this._decoder = null;
    }
  }
}
