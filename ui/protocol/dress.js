// What WebRTC's packetisers must see of a frame that is sealed, as `protocol/src/sealed/dress.rs` has
// it, where the reasons stand. Pure.

/** @typedef {import('./sealed.js').Codec} Codec */

const START = [0, 0, 0, 1];
const SPS = [0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb0, 0x0f, 0x08, 0x84, 0x6a];
const PPS = [0x68, 0xce, 0x3c, 0x80];
const KEY_SLICE = [0x65, 0x88, 0x80];
const DELTA_SLICE = [0x41, 0x9a, 0x80];
/** What stands before the sealed bytes of a key frame, and of another. */
const H264_KEY = [...START, ...SPS, ...START, ...PPS, ...START, ...KEY_SLICE];
const H264_DELTA = [...START, ...DELTA_SLICE];
/** What ends the sealed bytes, and what keeps two zeros apart from a byte of at most this value. */
const END = 0x80;
const ESCAPE = 3;

const VP8_KEY = [0xf0, 0x07, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];
const VP8_DELTA = [0x11];

/** @typedef {'start' | 'nal'} Problem */

/** Why bytes aren't a dressed frame. */
export class DressError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(`not a dressed frame: ${problem}`);
    /** @type {Problem} */
    this.problem = problem;
  }
}

/**
 * Puts around a sealed frame what the codec's packetiser must see.
 * @param {Codec} codec
 * @param {boolean} key  whether it is a key frame
 * @param {Uint8Array<ArrayBuffer>} sealed
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function dress(codec, key, sealed) {
  if (codec === 'h264') return escaped(key ? H264_KEY : H264_DELTA, sealed);
  if (codec !== 'vp8') return sealed;
  const start = key ? VP8_KEY : VP8_DELTA;
  const dressed = new Uint8Array(start.length + sealed.length);
  dressed.set(start);
  dressed.set(sealed, start.length);
  return dressed;
}

/**
 * Takes off what `dress` put around. Throws a `DressError`.
 * @param {Codec} codec
 * @param {Uint8Array<ArrayBuffer>} payload
 * @returns {{ key: boolean, sealed: Uint8Array<ArrayBuffer> }}
 */
export function undress(codec, payload) {
  if (codec === 'h264') return undressH264(payload);
  if (codec !== 'vp8') return { key: true, sealed: payload };
  if (payload.length === 0) throw new DressError('start');
  const key = (payload[0] & 1) === 0;
  const start = key ? VP8_KEY : VP8_DELTA;
  if (!beginsWith(payload, start)) throw new DressError('start');
  return { key, sealed: payload.subarray(start.length) };
}

/**
 * @param {Uint8Array} bytes
 * @param {readonly number[]} start
 */
function beginsWith(bytes, start) {
  return start.every((byte, at) => bytes[at] === byte);
}

/**
 * @param {readonly number[]} start
 * @param {Uint8Array} sealed
 */
function escaped(start, sealed) {
  // At worst every second byte needs an escape.
  const out = new Uint8Array(start.length + sealed.length + (sealed.length >> 1) + 2);
  out.set(start);
  let length = start.length;
  let zeros = 0;
  for (let at = 0; at <= sealed.length; at += 1) {
    const byte = at < sealed.length ? sealed[at] : END;
    if (zeros === 2 && byte <= ESCAPE) {
      out[length] = ESCAPE;
      length += 1;
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length] = byte;
    length += 1;
  }
  // A copy, so that nothing holds more memory than it shows.
  return out.slice(0, length);
}

/** @param {Uint8Array} payload */
function undressH264(payload) {
  let at = payload.length - 3;
  while (at >= 0 && !(payload[at] === 0 && payload[at + 1] === 0 && payload[at + 2] === 1)) at -= 1;
  if (at < 0) throw new DressError('start');
  const nal = payload.subarray(at + 3);
  const key = beginsWith(nal, KEY_SLICE);
  if (!key && !beginsWith(nal, DELTA_SLICE)) throw new DressError('start');
  const sealed = new Uint8Array(nal.length);
  let length = 0;
  let zeros = 0;
  for (const byte of nal.subarray(KEY_SLICE.length)) {
    if (zeros === 2 && byte <= ESCAPE) {
      if (byte !== ESCAPE) throw new DressError('nal');
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    sealed[length] = byte;
    length += 1;
  }
  if (length === 0 || sealed[length - 1] !== END) throw new DressError('nal');
  return { key, sealed: sealed.subarray(0, length - 1) };
}
