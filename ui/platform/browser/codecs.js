// Which codecs this browser has, each direction by itself.

/** Constrained Baseline, level 3.1: 1280×720 at 30 a second. */
export const H264 = 'avc1.42e01f';

/** Bits a second that a picture of 640×360 is worth. */
export const BITRATE = 600_000;

/**
 * @typedef {object} Codecs
 * @property {boolean} encodeH264
 * @property {boolean} temporalLayers  whether H.264 is encoded in two temporal layers, so that a slow
 *   receiver can be given every second frame
 * @property {boolean} decodeH264
 */

/**
 * How H.264 is encoded here: for a call, with the parameter sets in the stream.
 * @param {number} width
 * @param {number} height
 * @param {number} bitrate  bits a second
 * @param {boolean} layers  in two temporal layers
 * @returns {VideoEncoderConfig}
 */
export const encoderConfig = (width, height, bitrate, layers) => ({
  codec: H264,
  width,
  height,
  bitrate,
  framerate: 30,
  latencyMode: 'realtime',
  avc: { format: 'annexb' },
  ...(layers ? { scalabilityMode: 'L1T2' } : {}),
});

/**
 * How H.264 is decoded: Annex B has no description.
 * @type {VideoDecoderConfig}
 */
export const DECODER_CONFIG = { codec: H264, optimizeForLatency: true };

/**
 * Asks the browser. Never throws.
 * @returns {Promise<Codecs>}
 */
export async function probe() {
  const [encodeH264, temporalLayers, decodeH264] = await Promise.all([canEncode(false), canEncode(true), canDecode()]);
  return { encodeH264, temporalLayers: encodeH264 && temporalLayers, decodeH264 };
}

/** @param {boolean} layers */
async function canEncode(layers) {
  if (typeof VideoEncoder !== 'function' || typeof VideoFrame !== 'function') return false;
  try {
    const { supported, config } = await VideoEncoder.isConfigSupported(encoderConfig(640, 360, BITRATE, layers));
    // A browser that doesn't know the mode leaves it out of what it understood.
    return supported === true && (!layers || config?.scalabilityMode === 'L1T2');
  } catch {
    return false;
  }
}

async function canDecode() {
  if (typeof VideoDecoder !== 'function' || typeof EncodedVideoChunk !== 'function') return false;
  try {
    return (await VideoDecoder.isConfigSupported(DECODER_CONFIG)).supported === true;
  } catch {
    return false;
  }
}
