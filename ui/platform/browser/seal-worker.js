// Seals what a page sends and opens what it receives, on WebRTC and on carriers of the page's own. It is the one owner of the counters of
// all keys that the page seals with; `sealing.js` is the page's side. What can't be sealed isn't sent,
// and what can't be opened isn't decoded.

import { DressError, dress, undress } from '../../protocol/dress.js';
import { kidNumber, Opener, SealedError, Sealer } from '../../protocol/sealed.js';
import { SFrameError } from '../../protocol/sframe.js';
import { TrueHeaders } from './true-headers.js';

/**
 * @typedef {import('../../protocol/sealed.js').Codec} Codec
 * @typedef {import('../../protocol/sealed.js').Kid} Kid
 * @typedef {import('../../protocol/frame.js').Header} Header
 * @typedef {{ id: number, direction: 'seal', track: number, codec: Codec }} Sealing
 * @typedef {{ id: number, direction: 'open', sender: number, track: number, codec: Codec }} Opening
 * @typedef {Sealing | Opening} Options  of one sender or receiver
 * @typedef {{ frames: number, refused: Record<string, number> }} Counts  frames that were sealed or opened, and
 *   those that weren't, by reason
 * @typedef {RTCEncodedVideoFrame | RTCEncodedAudioFrame} Encoded
 * @typedef {{ readable: ReadableStream<Encoded>, writable: WritableStream<Encoded> }} Streams
 * @typedef {{ type: 'key', direction: 'seal' | 'open', kid: Kid, codec: Codec, key: CryptoKey }
 *   | { type: 'forget', kid: Kid }
 *   | { type: 'clock', origin: number }
 *   | { type: 'seal', header: Header, payload: Uint8Array<ArrayBuffer> }
 *   | { type: 'open', header: Header, codec: Codec, sealed: Uint8Array<ArrayBuffer> }
 *   | { type: 'streams', options: Options, streams: Streams }
 *   | { type: 'change', options: Options }
 *   | { type: 'counts', id: number }} Request
 */

/** The sealer of each track. @type {Map<number, Promise<Sealer>>} */
const sealers = new Map();
/** The headers of each track, which go on over its keys. @type {Map<number, TrueHeaders>} */
const headers = new Map();
/** The numbers of all keys that were ever sealed with. @type {Set<bigint>} */
const spent = new Set();
const opener = new Opener();
/** The senders and receivers. @type {Map<number, { options: Options, counts: Counts }>} */
const lanes = new Map();
/** Frames of the page's own carriers, one after the other: WebCrypto may be done with a later one first. */
let turn = Promise.resolve();
/** The page's zero of time, in milliseconds. */
let origin = performance.timeOrigin;

/** @param {Options} options */
function lane(options) {
  const known = lanes.get(options.id);
  if (known) return known;
  /** @type {{ options: Options, counts: Counts }} */
  const made = { options, counts: { frames: 0, refused: {} } };
  lanes.set(options.id, made);
  return made;
}

/**
 * What a frame becomes under the options of now.
 * @param {Options} options
 * @param {Encoded} frame
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function turned(options, frame) {
  const metadata = frame.getMetadata();
  const { mimeType: mime, rtpTimestamp } = metadata;
  // A browser that changes codecs by itself: the page says it too, a moment later.
  if (mime && mime.toLowerCase().split('/')[1] !== options.codec) throw new SealedError('disagree', 'codec');
  const data = new Uint8Array(frame.data);
  if (options.direction === 'open') {
    const { key, sealed } = undress(options.codec, data);
    return (await opener.open({ sender: options.sender, track: options.track, key }, options.codec, sealed)).payload;
  }
  const sealer = await sealerOf(options.track);
  if (sealer.codec !== options.codec) throw new SealedError('disagree', 'codec');
  const now = (performance.timeOrigin - origin + performance.now()) * 1000;
  const type = 'type' in frame ? frame.type : undefined;
  const header = headersOf(options).next({ type, timestamp: rtpTimestamp ?? frame.timestamp, metadata }, now);
  const key = header.references.length === 0;
  return dress(options.codec, key, await sealer.seal(header, 'nothing', data));
}

/** @param {number} track */
async function sealerOf(track) {
  const sealer = await sealers.get(track);
  if (!sealer) throw new SFrameError('no_key');
  return sealer;
}

/**
 * Does it once what came before is done.
 * @template T
 * @param {() => Promise<T>} work
 */
function inTurn(work) {
  const done = turn.then(work);
  turn = done.then(() => {}, () => {});
  return done;
}

/** @param {Sealing} options */
function headersOf({ track, codec }) {
  const known = headers.get(track);
  if (known) return known;
  const made = new TrueHeaders(track, codec === 'opus');
  headers.set(track, made);
  return made;
}

/**
 * @param {Options} given
 * @param {Streams} streams
 */
function start(given, { readable, writable }) {
  const entry = lane(given);
  const transform = new TransformStream({
    /**
     * @param {Encoded} frame
     * @param {TransformStreamDefaultController<Encoded>} controller
     */
    async transform(frame, controller) {
      // Padding, which browsers tell as frames of sound.
      if (frame.data.byteLength === 0) return;
      const { counts } = entry;
      try {
        frame.data = exact(await turned(entry.options, frame));
        counts.frames += 1;
      } catch (error) {
        const reason = reasonOf(error);
        counts.refused[reason] = (counts.refused[reason] ?? 0) + 1;
        return;
      }
      controller.enqueue(frame);
    },
  });
  // They end with their sender or receiver.
  readable.pipeThrough(transform).pipeTo(writable).catch(() => {});
}

/** The bytes in a buffer of their own. @param {Uint8Array<ArrayBuffer>} bytes */
function exact(bytes) {
  return bytes.length === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
}

/**
 * @param {unknown} error
 * @returns {string}
 */
function reasonOf(error) {
  if (error instanceof SealedError) return error.field ?? error.problem;
  return error instanceof SFrameError || error instanceof DressError ? error.problem : 'internal';
}

/** @param {Request} request */
async function answer(request) {
  switch (request.type) {
    case 'key': {
      const { kid, codec, key } = request;
      if (request.direction === 'open') return opener.add(kid, key);
      if (spent.has(kidNumber(kid))) throw new SFrameError('known');
      spent.add(kidNumber(kid));
      const sealer = Sealer.of(kid, codec, key);
      sealers.set(kid.track, sealer);
      await sealer;
      return undefined;
    }
    case 'forget':
      return opener.remove(request.kid);
    case 'clock':
      origin = request.origin;
      return undefined;
    case 'seal':
      return inTurn(async () => (await sealerOf(request.header.track)).seal(request.header, 'header', request.payload));
    case 'open':
      return inTurn(() => opener.open({ header: request.header }, request.codec, request.sealed));
    case 'streams':
      return start(request.options, request.streams);
    case 'change':
      lane(request.options).options = request.options;
      return undefined;
    case 'counts':
      return lanes.get(request.id)?.counts;
  }
}

addEventListener('message', async ({ data: { n, request } }) => {
  try {
    postMessage({ n, value: await answer(request) });
  } catch (error) {
    postMessage({ n, problem: reasonOf(error) });
  }
});

addEventListener('rtctransform', (event) => {
  const { transformer } = /** @type {Event & { transformer: Streams & { options: Options } }} */ (event);
  start(transformer.options, transformer);
});
