// The true headers of frames that a browser's own encoder made for RTP: numbered here, since RTP's
// numbers are the carrier's, and timed on the page's clock. Pure.

import { MAX_LAYER, MAX_REFERENCES } from '../../protocol/frame.js';

/** RTP's timestamps have 32 bits. */
const WRAP = 2 ** 32;
/** RTP's clocks (RFC 7587, RFC 7741, RFC 6184): ticks a second. */
const SOUND_HZ = 48_000;
const PICTURE_HZ = 90_000;
/** How much of a frame's lateness goes into the mean: over two seconds of pictures, a second of sound. */
const SHARE = 1 / 64;
/** Microseconds from which on a frame isn't late but another clock's. */
const ANOTHER_CLOCK = 500_000;
/** How far back a reference is followed, in frames; as far as one may reach. */
const REACH = 255;

/** @typedef {import('../../protocol/frame.js').Header} Header */

/**
 * What a browser says of an encoded frame.
 * @typedef {object} Encoded
 * @property {string} [type]  `key` or `delta` of pictures, nothing of sound
 * @property {number} timestamp  RTP's
 * @property {RTCEncodedVideoFrameMetadata} metadata
 */

/** One track's headers. */
export class TrueHeaders {
  /**
   * @param {number} track
   * @param {boolean} sound
   */
  constructor(track, sound) {
    this._track = track;
    this._hz = sound ? SOUND_HZ : PICTURE_HZ;
    /** The next frame's place in the track. */
    this._sequence = 0;
    /** The last frame's RTP timestamp, without wrapping. @type {number | null} */
    this._rtp = null;
    /** What its clock has to be put forward by, in microseconds. */
    this._offset = 0;
    this._time = 0;
    /** The last frames, newest last: the browser's number for each, and ours. @type {{ id: number | undefined, sequence: number, spatial: number }[]} */
    this._last = [];
  }

  /**
   * The next frame's header.
   * @param {Encoded} frame
   * @param {number} now  microseconds on the page's clock
   * @returns {Header}
   */
  next({ type, timestamp, metadata }, now) {
    const layer = { spatial: layerOf(metadata.spatialIndex), temporal: layerOf(metadata.temporalIndex) };
    // What a track that begins with a delta frame began with was never sealed: it is missing.
    if (type === 'delta' && this._last.length === 0) this._sequence += 1;
    const sequence = this._sequence;
    const references = type === 'delta' ? this._references(metadata, layer.spatial) : [];
    this._sequence += 1;
    this._last.push({ id: metadata.frameId, sequence, spatial: layer.spatial });
    if (this._last.length > REACH) this._last.shift();
    return {
      sender: 0, track: this._track, layer, sequence, timestamp: this._timeOf(timestamp, now), chunk: 0, chunks: 1, references,
    };
  }

  /**
   * What a delta frame refers to: what its browser says, else the frame before it in its layer.
   * @param {Encoded['metadata']} metadata
   * @param {number} spatial
   */
  _references({ dependencies = [] }, spatial) {
    const known = dependencies.map((id) => this._last.find((frame) => frame.id === id));
    const said = known.flatMap((frame) => (frame ? [this._sequence - frame.sequence] : []));
    if (said.length > 0 && said.length === dependencies.length && said.length <= MAX_REFERENCES) {
      return said.sort((one, other) => one - other);
    }
    const before = this._last.filter((frame) => frame.spatial === spatial).pop();
    return [before ? this._sequence - before.sequence : 1];
  }

  /**
   * When a frame was captured: RTP's clock, put on the page's by how late frames come on the mean.
   * @param {number} timestamp
   * @param {number} now
   */
  _timeOf(timestamp, now) {
    const last = this._rtp ?? timestamp;
    // The nearest to the last one, forwards or back.
    const ahead = (((timestamp - last) % WRAP) + WRAP) % WRAP;
    this._rtp = last + (ahead < WRAP / 2 ? ahead : ahead - WRAP);
    const rtp = (this._rtp * 1_000_000) / this._hz;
    const late = now - (rtp + this._offset);
    this._offset += Math.abs(late) > ANOTHER_CLOCK ? late : late * SHARE;
    this._time = Math.max(this._time, Math.round(rtp + this._offset));
    return this._time;
  }
}

/** @param {number | undefined} index */
function layerOf(index) {
  return Math.min(index ?? 0, MAX_LAYER);
}
