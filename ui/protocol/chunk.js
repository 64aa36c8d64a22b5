// Frames in chunks: cut so that control and sound get between, and put together again.

import { MAX_CHUNKS, MAX_FRAME, MIN_HEADER, write } from './frame.js';

/** @typedef {import('./frame.js').Header} Header */

/**
 * Cuts a frame into messages of at most `size` payload bytes each.
 * Throws a `RangeError` for a frame that the wire can't carry.
 * @param {Header} header  its `chunk` and `chunks` don't matter
 * @param {Uint8Array} payload
 * @param {number} size  bytes of payload a chunk
 * @returns {Uint8Array<ArrayBuffer>[]}
 */
export function split(header, payload, size) {
  const chunks = chunksOf(payload.length, size);
  if (chunks === 0) throw new RangeError('the wire does not carry that frame in such chunks');
  return Array.from({ length: chunks }, (_, chunk) =>
    write({ ...header, chunk, chunks }, payload.subarray(chunk * size, (chunk + 1) * size)));
}

/**
 * How many chunks of `size` bytes a frame of `bytes` makes; 0 if the wire doesn't carry it so.
 * @param {number} bytes
 * @param {number} size
 */
export function chunksOf(bytes, size) {
  if (bytes > MAX_FRAME || size < 1) return 0;
  const chunks = Math.max(1, Math.ceil(bytes / size));
  return chunks <= MAX_CHUNKS ? chunks : 0;
}

/**
 * The most payload bytes of a chunk whose whole message is at most `message` bytes.
 * @param {number} message
 * @param {number} references
 */
export const payloadIn = (message, references) => message - MIN_HEADER - 2 * references;

/**
 * Puts one track's chunks together again. Chunks of a frame arrive in order (every carrier of
 * chunks is ordered); a chunk that doesn't fit the frame at hand ends it. Holds at most one
 * frame, of at most `MAX_FRAME` bytes.
 */
export class Assembler {
  constructor() {
    /** @type {Header | null} */
    this._header = null;
    /** @type {Uint8Array[]} */
    this._parts = [];
    this._bytes = 0;
    /** Frames that were begun and never finished, or that were too large. */
    this.dropped = 0;
  }

  /**
   * Takes a chunk. Answers the whole frame when this was its last chunk.
   * @param {Header} header
   * @param {Uint8Array} payload  kept until the frame is whole; must not change
   * @returns {{ header: Header, payload: Uint8Array } | null}
   */
  push(header, payload) {
    if (header.chunks === 1) {
      this._abandon();
      if (payload.length <= MAX_FRAME) return { header, payload };
      this.dropped += 1;
      return null;
    }
    if (header.chunk === 0) {
      this._abandon();
      this._header = header;
    } else if (!this._header || !continues(this._header, header, this._parts.length)) {
      this._abandon();
      return null;
    }
    this._parts.push(payload);
    this._bytes += payload.length;
    if (this._bytes > MAX_FRAME) {
      this._abandon();
      return null;
    }
    if (this._parts.length < header.chunks) return null;
    const whole = new Uint8Array(this._bytes);
    let at = 0;
    for (const part of this._parts) {
      whole.set(part, at);
      at += part.length;
    }
    const frame = { header: { ...header, chunk: 0, chunks: 1 }, payload: whole };
    this._clear();
    return frame;
  }

  _abandon() {
    if (this._header) this.dropped += 1;
    this._clear();
  }

  _clear() {
    this._header = null;
    this._parts = [];
    this._bytes = 0;
  }
}

/**
 * Whether `next` is the chunk at `index` of the frame that `first` began.
 * @param {Header} first
 * @param {Header} next
 * @param {number} index
 */
function continues(first, next, index) {
  return next.sequence === first.sequence
    && next.track === first.track
    && next.sender === first.sender
    && next.timestamp === first.timestamp
    && next.layer.spatial === first.layer.spatial
    && next.layer.temporal === first.layer.temporal
    && next.chunks === first.chunks
    && next.chunk === index
    && next.references.length === first.references.length
    && next.references.every((distance, at) => distance === first.references[at])
    && next.level?.dbov === first.level?.dbov
    && next.level?.voice === first.level?.voice;
}
