// Frames sealed from one participant to the others, as `protocol/src/sealed.rs` has them, where the
// layout and the reasons stand.

import { HeaderError, MAX_FRAME, MAX_REFERENCES, MEDIA_V1, MIN_HEADER, parse, write } from './frame.js';
import { AES_128_GCM_SHA256_128, MAX_OVERHEAD, Opener as SFrameOpener, Sealer as SFrameSealer, SFrameError } from './sframe.js';

const VERSION = 0x10;
/** In the first byte: no header went with the frame in clear. */
const BARE = 0x08;
/** What stands before the encoded frame, without its references; and where their number stands. */
const LEAST = 16;
const COUNT = 15;
/** The largest encoded frame that can be sealed. */
export const MAX_PAYLOAD = MAX_FRAME - LEAST - 2 * MAX_REFERENCES - MAX_OVERHEAD;
const NO_METADATA = new Uint8Array(0);

/**
 * @typedef {import('./frame.js').Header} Header
 * @typedef {'h264' | 'vp8' | 'jpeg' | 'opus'} Codec
 * @typedef {{ member: number, epoch: number, track: number }} Kid  whose key it is, since which change of keys, for what
 * @typedef {{ header: Header } | { sender: number, track: number, key: boolean }} Hint  what is known from outside: the
 *   header in clear, or only whose frames of which track are expected, and whether it says that it is a key frame
 */

/** The codecs by their number in the first byte. @type {readonly string[]} */
const CODECS = ['h264', 'vp8', 'jpeg', 'opus'];

/** @typedef {'track' | 'too_large' | 'form' | 'header' | 'disagree'} Problem */
/** @typedef {'sender' | 'track' | 'codec' | 'references' | 'layer' | 'sequence' | 'timestamp'} Field */

/** Why a frame wasn't sealed, or was refused. */
export class SealedError extends Error {
  /**
   * @param {Problem} problem
   * @param {Field | null} [field]  in what the two sides disagree
   */
  constructor(problem, field = null) {
    super(`sealed frame: ${problem}${field ? ` (${field})` : ''}`);
    /** @type {Problem} */
    this.problem = problem;
    this.field = field;
  }
}

/** A key's number on the wire. @param {Kid} kid */
export function kidNumber({ member, epoch, track }) {
  return (BigInt(member) << 24n) | (BigInt(epoch) << 8n) | BigInt(track);
}

/**
 * Reads a key's number. Throws an `SFrameError` for one that is nobody's.
 * @param {bigint} number
 * @returns {Kid}
 */
export function kidOf(number) {
  const member = number >> 24n;
  if (member > 0xffffffffn) throw new SFrameError('no_key');
  return { member: Number(member), epoch: Number((number >> 8n) & 0xffffn), track: Number(number & 0xffn) };
}

/** Seals one track. The one owner of its key's counter, on whatever carriers its frames go. */
export class Sealer {
  /**
   * @param {Kid} kid
   * @param {Codec} codec
   * @param {CryptoKey} base  from `baseKey` of `sframe.js`
   */
  static async of(kid, codec, base) {
    return new Sealer(kid, codec, await SFrameSealer.of(AES_128_GCM_SHA256_128, kidNumber(kid), base));
  }

  /**
   * Takes what {@link Sealer.of} made.
   * @param {Kid} kid
   * @param {Codec} codec
   * @param {SFrameSealer} sframe
   */
  constructor(kid, codec, sframe) {
    this.kid = kid;
    this.codec = codec;
    this._sframe = sframe;
  }

  /**
   * Seals an encoded frame: the payload to send under this header. Sender, chunk and level of the
   * header don't matter.
   * @param {Header} header
   * @param {'header' | 'nothing'} clear  what of the header goes with it in clear: all of it, as on `ws`;
   *   or nothing, as in RTP
   * @param {Uint8Array} payload
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async seal(header, clear, payload) {
    if (header.track !== this.kid.track) throw new SealedError('track');
    if (payload.length > MAX_PAYLOAD) throw new SealedError('too_large');
    const whole = write({ ...header, sender: 0, chunk: 0, chunks: 1, level: null }, NO_METADATA);
    const plaintext = new Uint8Array(LEAST + 2 * header.references.length + payload.length);
    plaintext[0] = VERSION | (clear === 'nothing' ? BARE : 0) | CODECS.indexOf(this.codec);
    // Without type and length, sender, and chunk.
    plaintext.set(whole.subarray(2, 4), 1);
    plaintext.set(whole.subarray(8, 20), 3);
    plaintext.set(whole.subarray(24), COUNT);
    plaintext.set(payload, LEAST + 2 * header.references.length);
    return this._sframe.seal(NO_METADATA, plaintext);
  }
}

/** Opens frames of all the others. */
export class Opener {
  constructor() {
    this._sframe = new SFrameOpener(AES_128_GCM_SHA256_128);
  }

  /**
   * Takes a key. One that was removed must never be given again.
   * @param {Kid} kid
   * @param {CryptoKey} base
   */
  add(kid, base) {
    this._sframe.add(kidNumber(kid), base);
  }

  /** Forgets a key; says whether it was there. @param {Kid} kid */
  remove(kid) {
    return this._sframe.remove(kidNumber(kid));
  }

  /**
   * Opens the payload of a frame of a track that was announced with this codec: its true header, whole
   * in one chunk, with the level that stands in clear, and the encoded frame. Throws a `SealedError` or
   * an `SFrameError`.
   * @param {Hint} hint
   * @param {Codec} codec
   * @param {Uint8Array<ArrayBuffer>} sealed
   * @returns {Promise<{ header: Header, payload: Uint8Array<ArrayBuffer> }>}
   */
  async open(hint, codec, sealed) {
    const { kid: number, plaintext } = await this._sframe.open(NO_METADATA, sealed);
    const kid = kidOf(number);
    const { bare, codec: inCodec, header, offset } = inside(plaintext);
    const clear = 'header' in hint ? hint.header : null;
    const slot = 'header' in hint ? { ...hint.header, key: hint.header.references.length === 0 } : hint;
    agree('sender', slot.sender === kid.member);
    agree('track', slot.track === kid.track && slot.track === header.track);
    agree('codec', codec === inCodec);
    agree('references', slot.key === (header.references.length === 0));
    if (clear && !bare) {
      agree('references', clear.references.join() === header.references.join());
      agree('layer', clear.layer.spatial === header.layer.spatial && clear.layer.temporal === header.layer.temporal);
      agree('sequence', clear.sequence === header.sequence);
      agree('timestamp', clear.timestamp === header.timestamp);
    }
    return { header: { ...header, sender: kid.member, level: clear?.level ?? null }, payload: plaintext.subarray(offset) };
  }
}

/**
 * @param {Field} field
 * @param {boolean} same
 */
function agree(field, same) {
  if (!same) throw new SealedError('disagree', field);
}

/**
 * What was sealed, and where the encoded frame begins.
 * @param {Uint8Array} plaintext
 */
function inside(plaintext) {
  if (plaintext.length === 0) throw new SealedError('header');
  const codec = CODECS[plaintext[0] & ~BARE & 0x0f];
  if ((plaintext[0] & 0xf0) !== VERSION || codec === undefined) throw new SealedError('form');
  if (plaintext.length < LEAST || plaintext[COUNT] > MAX_REFERENCES) throw new SealedError('header');
  const offset = LEAST + 2 * plaintext[COUNT];
  if (plaintext.length < offset) throw new SealedError('header');
  // What isn't inside: type and length, nobody as the sender, and one chunk.
  const whole = new Uint8Array(MIN_HEADER + offset - LEAST);
  whole.set([MEDIA_V1, whole.length]);
  whole.set(plaintext.subarray(1, 3), 2);
  whole.set(plaintext.subarray(3, COUNT), 8);
  whole[23] = 1;
  whole.set(plaintext.subarray(COUNT, offset), 24);
  try {
    return { bare: (plaintext[0] & BARE) !== 0, codec, header: parse(whole).header, offset };
  } catch (error) {
    if (error instanceof HeaderError) throw new SealedError('header');
    throw error;
  }
}
