// Which codecs of moving pictures this browser has, each direction by itself.

import { hasParameterSets, isAnnexB } from './annex-b.js';

/** Bits a second that a picture of 640×360 is worth. */
export const BITRATE = 600_000;

/**
 * A codec as WebCodecs has it.
 * @typedef {object} Format
 * @property {Moving} codec
 * @property {(width: number, height: number, bitrate: number, layers: boolean) => VideoEncoderConfig} encoder
 *   how it is encoded: for a call, `bitrate` in bits a second, and where `layers` in two temporal ones
 * @property {VideoDecoderConfig} decoder
 * @property {(payload: Uint8Array, key: boolean) => boolean} fits  whether others can decode what
 *   the encoder made
 */

/** @typedef {'h264' | 'vp8'} Moving */

/**
 * What a browser can. Of each direction, the best first.
 * @typedef {object} Codecs
 * @property {{ codec: Moving, layers: boolean }[]} encodes  `layers`: in two temporal ones, so that a
 *   slow receiver can be given every second frame
 * @property {Moving[]} decodes
 */

/** Constrained Baseline, level 3.1: 1280×720 at 30 a second. */
const H264 = 'avc1.42e01f';

/**
 * @param {string} codec
 * @param {number} width
 * @param {number} height
 * @param {number} bitrate
 * @param {boolean} layers
 * @returns {VideoEncoderConfig}
 */
const encoder = (codec, width, height, bitrate, layers) => ({
  codec,
  width,
  height,
  bitrate,
  framerate: 30,
  latencyMode: 'realtime',
  ...(layers ? { scalabilityMode: 'L1T2' } : {}),
});

/** @type {Record<Moving, Format>} */
export const FORMATS = {
  h264: {
    codec: 'h264',
    // The parameter sets are in the stream; Annex B has no description.
    encoder: (...given) => ({ ...encoder(H264, ...given), avc: { format: 'annexb' } }),
    decoder: { codec: H264, optimizeForLatency: true },
    fits: (payload, key) => isAnnexB(payload) && (!key || hasParameterSets(payload)),
  },
  vp8: {
    codec: 'vp8',
    encoder: (...given) => encoder('vp8', ...given),
    decoder: { codec: 'vp8', optimizeForLatency: true },
    fits: isVp8,
  },
};

/**
 * Whether a frame begins as VP8 does (RFC 6386, section 9.1).
 * @param {Uint8Array} payload
 * @param {boolean} key
 */
function isVp8(payload, key) {
  if (payload.length < 4 || ((payload[0] & 1) === 0) !== key) return false;
  return !key || (payload[3] === 0x9d && payload[4] === 0x01 && payload[5] === 0x2a);
}

/**
 * Asks the browser. Never throws.
 * @returns {Promise<Codecs>}
 */
export async function probe() {
  const formats = [FORMATS.h264, FORMATS.vp8];
  const answers = await Promise.all(formats.map(async (format) => {
    const [encodes, layers, decodes] = await Promise.all([canEncode(format, false), canEncode(format, true), canDecode(format)]);
    return { codec: format.codec, encodes, layers, decodes };
  }));
  return {
    encodes: answers.filter(({ encodes }) => encodes).map(({ codec, layers }) => ({ codec, layers })),
    decodes: answers.filter(({ decodes }) => decodes).map(({ codec }) => codec),
  };
}

/**
 * @param {Format} format
 * @param {boolean} layers
 */
async function canEncode(format, layers) {
  if (typeof VideoEncoder !== 'function' || typeof VideoFrame !== 'function') return false;
  try {
    const { supported, config } = await VideoEncoder.isConfigSupported(format.encoder(640, 360, BITRATE, layers));
    // A browser that doesn't know the mode leaves it out of what it understood.
    return supported === true && (!layers || config?.scalabilityMode === 'L1T2');
  } catch {
    return false;
  }
}

/** @param {Format} format */
async function canDecode(format) {
  if (typeof VideoDecoder !== 'function' || typeof EncodedVideoChunk !== 'function') return false;
  try {
    return (await VideoDecoder.isConfigSupported(format.decoder)).supported === true;
  } catch {
    return false;
  }
}
