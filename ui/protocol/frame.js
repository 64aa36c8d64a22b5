// The media lane's binary messages, as `protocol/src/frame.rs` writes them: a clear header for the
// relay, then payload bytes. All numbers are big-endian.

/** A header without references, in bytes. */
export const MIN_HEADER = 25;
/** The most references a frame can have. */
export const MAX_REFERENCES = 4;
/** The largest frame, in payload bytes. */
export const MAX_FRAME = 1 << 20;
/** The most chunks of a frame. */
export const MAX_CHUNKS = 1024;
/** The highest spatial and temporal layer. */
export const MAX_LAYER = 3;
/** The first byte of a media message of version 1. */
export const MEDIA_V1 = 0x10;

const TWO_32 = 2 ** 32;
/** The extension that holds a sound's level, and its size with the byte before it. */
const LEVEL = 1;
const LEVEL_EXTENSION = 2;

/**
 * How loud a sound frame is, and whether somebody speaks in it.
 * @typedef {object} Level
 * @property {number} dbov  whole dB: 0 = the loudest there is, -127 = silence
 * @property {boolean} voice
 */

/**
 * The clear header of a chunk.
 * @typedef {object} Header
 * @property {number} sender  who sent it, as the relay says; 0 on the way to the relay
 * @property {number} track  which of the sender's tracks
 * @property {{ spatial: number, temporal: number }} layer  which layer
 * @property {number} sequence  the frame's place in the track, from 0
 * @property {number} timestamp  when it was captured, microseconds on the sender's clock
 * @property {number} chunk  which chunk of the frame this is, from 0
 * @property {number} chunks  how many there are, at least 1
 * @property {readonly number[]} references  distances back in the sequence; none = key frame
 * @property {Level | null} [level]  how loud it is, if it is sound and its sender says so
 */

/** @typedef {'truncated' | 'type' | 'length' | 'references' | 'chunk' | 'layer' | 'extension'} Problem */

/** Why bytes aren't a chunk. */
export class HeaderError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(`not a media chunk: ${problem}`);
    /** @type {Problem} */
    this.problem = problem;
  }
}

/** @type {readonly number[]} */
const NO_REFERENCES = Object.freeze([]);

/**
 * Reads a chunk: its header, and where its payload begins. Throws a `HeaderError`.
 * @param {Uint8Array} message
 * @returns {{ header: Header, offset: number }}
 */
export function parse(message) {
  if (message.length > 0 && message[0] !== MEDIA_V1) throw new HeaderError('type');
  if (message.length < MIN_HEADER) throw new HeaderError('truncated');
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const length = view.getUint8(1);
  const count = view.getUint8(24);
  if (count > MAX_REFERENCES) throw new HeaderError('references');
  if (length < MIN_HEADER + 2 * count) throw new HeaderError('length');
  if (message.length < length) throw new HeaderError('truncated');
  const layer = { spatial: view.getUint8(3) >> 4, temporal: view.getUint8(3) & 0x0f };
  if (layer.spatial > MAX_LAYER || layer.temporal > MAX_LAYER) throw new HeaderError('layer');
  const sequence = view.getUint32(8);
  const chunk = view.getUint16(20);
  const chunks = view.getUint16(22);
  let references = NO_REFERENCES;
  if (count > 0) {
    references = Array.from({ length: count }, (_, index) => view.getUint16(MIN_HEADER + 2 * index));
    if (references.includes(0)) throw new HeaderError('references');
  }
  if (chunks === 0 || chunks > MAX_CHUNKS || chunk >= chunks) throw new HeaderError('chunk');
  if (references.some((distance) => distance > sequence)) throw new HeaderError('references');
  const header = {
    sender: view.getUint32(4),
    track: view.getUint8(2),
    layer,
    sequence,
    // Exact up to 2^53 microseconds: 285 years on the sender's clock.
    timestamp: view.getUint32(12) * TWO_32 + view.getUint32(16),
    chunk,
    chunks,
    references,
    level: levelOf(message, MIN_HEADER + 2 * count, length),
  };
  return { header, offset: length };
}

/**
 * Reads the extensions, each a byte `id << 4 | (length - 1)` and so many bytes; the id 0 is one
 * byte of padding. Those that aren't known are skipped, and of two levels the last one counts.
 * @param {Uint8Array} message
 * @param {number} at  where they begin
 * @param {number} end
 * @returns {Level | null}
 */
function levelOf(message, at, end) {
  let level = null;
  while (at < end) {
    const id = message[at] >> 4;
    const length = id === 0 ? 0 : (message[at] & 0x0f) + 1;
    if (at + 1 + length > end) throw new HeaderError('extension');
    if (id === LEVEL) {
      const byte = message[at + 1];
      // 0 and not minus zero, which isn't equal to it everywhere.
      level = { dbov: 0 - (byte & 0x7f), voice: byte >= 0x80 };
    }
    at += 1 + length;
  }
  return level;
}

/**
 * A chunk's bytes: its header, then `payload`.
 * @param {Header} header
 * @param {Uint8Array} payload
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function write(header, payload) {
  const { level } = header;
  const references = MIN_HEADER + 2 * header.references.length;
  const length = references + (level ? LEVEL_EXTENSION : 0);
  const message = new Uint8Array(length + payload.length);
  const view = new DataView(message.buffer);
  view.setUint8(0, MEDIA_V1);
  view.setUint8(1, length);
  view.setUint8(2, header.track);
  view.setUint8(3, (header.layer.spatial << 4) | header.layer.temporal);
  view.setUint32(4, header.sender);
  view.setUint32(8, header.sequence);
  view.setUint32(12, Math.floor(header.timestamp / TWO_32));
  view.setUint32(16, header.timestamp % TWO_32);
  view.setUint16(20, header.chunk);
  view.setUint16(22, header.chunks);
  view.setUint8(24, header.references.length);
  header.references.forEach((distance, index) => view.setUint16(MIN_HEADER + 2 * index, distance));
  if (level) {
    view.setUint8(references, LEVEL << 4);
    view.setUint8(references + 1, (level.voice ? 0x80 : 0) | -level.dbov);
  }
  message.set(payload, length);
  return message;
}
