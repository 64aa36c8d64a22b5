// Opus, out and in: by WebCodecs where the browser has it, else by libopus in WebAssembly.

import { durationOf, FRAME, FRAME_MS, RATE } from '../../../protocol/sound.js';

/** Frames in an encoder or decoder at most; what comes beyond is let go, late as it would be. */
const MAX_QUEUE = 50;
/** How hard the encoder tries, 0 to 10: above it costs more than it brings on a tablet. */
const COMPLEXITY = 5;
/** Percent of loss that the packets are made for: what in-band correction needs to be put in. */
const LOSS = 5;
/** Microseconds of a frame. */
const STEP = FRAME_MS * 1000;
/** Decoders that fail in a row before any frame was decoded, until WebCodecs counts as unable. */
export const HOPELESS = 3;

/**
 * How Opus is encoded here: for voices. Without pauses (DTX): browsers don't say which frames they
 * left out, and a receiver couldn't tell a pause from a loss.
 * @param {number} bitrate  bits a second
 * @returns {AudioEncoderConfig}
 */
const encoderConfig = (bitrate) => ({
  codec: 'opus',
  sampleRate: RATE,
  numberOfChannels: 1,
  bitrate,
  bitrateMode: 'variable',
  opus: /** @type {OpusEncoderConfig} */ ({
    application: 'voip', signal: 'voice', format: 'opus', frameDuration: STEP, complexity: COMPLEXITY,
    packetlossperc: LOSS, useinbandfec: true, usedtx: false,
  }),
});

/** @type {AudioDecoderConfig} */
const DECODER_CONFIG = { codec: 'opus', sampleRate: RATE, numberOfChannels: 1 };

/** @typedef {(packet: Uint8Array, number: number) => void} OnPacket  the frame's number, as it was given */
/** @typedef {{ encode(samples: Float32Array, number: number): void, bitrate(bits: number): void, close(): void }} Encoder */
/** @typedef {(samples: Float32Array, number: number) => void} OnSamples */
/** @typedef {{ decode(packet: Uint8Array, number: number): void, close(): void }} Decoder */
/** @typedef {{ encodes: boolean, decodes: boolean }} Native  what WebCodecs does here */

/** @type {Promise<Native> | null} */
let native = null;

/**
 * Which directions WebCodecs has. Asked once; never throws.
 * @returns {Promise<Native>}
 */
export function probe() {
  native ??= Promise.all([
    supported(() => AudioEncoder.isConfigSupported(encoderConfig(24_000)), 'AudioEncoder', 'AudioData'),
    supported(() => AudioDecoder.isConfigSupported(DECODER_CONFIG), 'AudioDecoder', 'EncodedAudioChunk'),
  ]).then(([encodes, decodes]) => ({ encodes, decodes }));
  return native;
}

/** WebCodecs doesn't do what it says here: libopus does from now on. @param {'encodes' | 'decodes'} way */
export function without(way) {
  native = probe().then((known) => ({ ...known, [way]: false }));
}

/**
 * @param {() => Promise<{ supported?: boolean }>} ask
 * @param {string[]} names  that must be there
 */
async function supported(ask, ...names) {
  if (!names.every((name) => name in globalThis)) return false;
  try {
    return (await ask()).supported === true;
  } catch {
    return false;
  }
}

/**
 * @param {number} bitrate  bits a second
 * @param {OnPacket} packet
 * @param {() => void} failed  nothing comes any more
 * @returns {Promise<Encoder>}
 */
export async function encoder(bitrate, packet, failed) {
  return (await probe()).encodes ? webEncoder(bitrate, packet, failed) : wasmEncoder(bitrate, packet);
}

/**
 * @param {OnSamples} samples
 * @param {() => void} failed  nothing comes any more
 * @returns {Promise<Decoder>}
 */
export async function decoder(samples, failed) {
  return (await probe()).decodes ? webDecoder(samples, failed) : wasmDecoder(samples);
}

/**
 * @param {number} bitrate
 * @param {OnPacket} packet
 * @param {() => void} failed
 * @returns {Encoder}
 */
function webEncoder(bitrate, packet, failed) {
  const made = new AudioEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      // Some encoders put their delay before the first time.
      packet(bytes, Math.round(chunk.timestamp / STEP));
    },
    error: failed,
  });
  made.configure(encoderConfig(bitrate));
  return {
    encode(samples, number) {
      if (made.state !== 'configured' || made.encodeQueueSize >= MAX_QUEUE) return;
      const data = new AudioData({
        format: 'f32-planar', sampleRate: RATE, numberOfFrames: FRAME, numberOfChannels: 1, timestamp: number * STEP,
        data: /** @type {Float32Array<ArrayBuffer>} */ (samples),
      });
      made.encode(data);
      data.close();
    },
    bitrate(bits) {
      if (made.state === 'configured') made.configure(encoderConfig(bits));
    },
    close() {
      if (made.state !== 'closed') made.close();
    },
  };
}

/**
 * @param {OnSamples} samples
 * @param {() => void} failed
 * @returns {Decoder}
 */
function webDecoder(samples, failed) {
  const made = new AudioDecoder({
    output: (data) => {
      const out = new Float32Array(data.numberOfFrames);
      data.copyTo(out, { planeIndex: 0, format: 'f32-planar' });
      const number = Math.round(data.timestamp / STEP);
      data.close();
      samples(out, number);
    },
    error: failed,
  });
  made.configure(DECODER_CONFIG);
  return {
    decode(packet, number) {
      if (made.state !== 'configured' || made.decodeQueueSize >= MAX_QUEUE || durationOf(packet) !== FRAME_MS) return;
      made.decode(new EncodedAudioChunk({ type: 'key', timestamp: number * STEP, duration: STEP, data: packet }));
    },
    close() {
      if (made.state !== 'closed') made.close();
    },
  };
}

const libopus = () => import('../../../vendor/libopus/index.js');

/**
 * @param {number} bitrate
 * @param {OnPacket} packet
 * @returns {Promise<Encoder>}
 */
async function wasmEncoder(bitrate, packet) {
  const { Application, createEncoder, Signal } = await libopus();
  const made = await createEncoder({
    sampleRate: RATE, channels: 1, frameSize: FRAME, application: Application.Voip, signal: Signal.Voice,
    bitrate, complexity: COMPLEXITY, fec: true, packetLossPercent: LOSS, dtx: false, vbr: true,
  });
  return {
    encode: (samples, number) => packet(made.encodeFloat(samples), number),
    bitrate: (bits) => made.setBitrate(bits),
    close: () => made.free(),
  };
}

/**
 * @param {OnSamples} samples
 * @returns {Promise<Decoder>}
 */
async function wasmDecoder(samples) {
  const { createDecoder } = await libopus();
  const made = await createDecoder({ sampleRate: RATE, channels: 1 });
  return {
    decode(packet, number) {
      if (durationOf(packet) !== FRAME_MS) return;
      let out;
      try {
        out = made.decodeFloat(packet);
      } catch {
        // What isn't Opus inside is left out; the decoder goes on.
        return;
      }
      samples(out, number);
    },
    close: () => made.free(),
  };
}
