// SFrame (RFC 9605) with AES-GCM, as `protocol/src/sframe.rs` has it, where the layout and the reasons
// stand. Keys are WebCrypto's own and can't be taken out of it again.

/** The tag behind each ciphertext, in bytes. */
const TAG = 16;
/** How many bytes a sealed frame has more than its plaintext, at most. */
export const MAX_OVERHEAD = 17 + TAG;
/** How many frames one key seals. */
export const MAX_FRAMES = 1n << 24n;
/** The most keys that an `Opener` holds. */
export const MAX_KEYS = 1024;
/** The largest number that fits into the config byte. */
const SHORT = 7n;
/** A nonce's bytes. */
const NONCE = 12;
/** How far back counters are remembered. */
const REMEMBERED = 128n;
const ALL_REMEMBERED = (1n << REMEMBERED) - 1n;
const LAST = (1n << 64n) - 1n;

/**
 * A cipher suite of RFC 9605, section 4.5.
 * @typedef {{ id: number, hash: string, bits: number }} Suite
 */

/** The one that Visita uses. @type {Suite} */
export const AES_128_GCM_SHA256_128 = { id: 4, hash: 'SHA-256', bits: 128 };
/** @type {Suite} */
export const AES_256_GCM_SHA512_128 = { id: 5, hash: 'SHA-512', bits: 256 };

/** @typedef {'truncated' | 'not_minimal' | 'exhausted' | 'no_key' | 'replayed' | 'forged' | 'known' | 'too_many'} Problem */

/** Why a frame wasn't sealed or opened, or a key wasn't taken. */
export class SFrameError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(`SFrame: ${problem}`);
    /** @type {Problem} */
    this.problem = problem;
  }
}

/**
 * The key that a sealing or opening key is derived from; the caller wipes the bytes.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<CryptoKey>}
 */
export function baseKey(bytes) {
  return crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey', 'deriveBits']);
}

/**
 * The bytes of a number behind the config byte.
 * @param {bigint} number
 */
function extra(number) {
  let length = 0;
  if (number > SHORT) for (let rest = number; rest > 0n; rest >>= 8n) length += 1;
  return length;
}

/**
 * SFrame's header: which key, and its counter.
 * @param {bigint} kid
 * @param {bigint} ctr
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeHeader(kid, ctr) {
  const lengths = [extra(kid), extra(ctr)];
  const header = new Uint8Array(1 + lengths[0] + lengths[1]);
  let at = 1;
  [kid, ctr].forEach((number, index) => {
    const length = lengths[index];
    header[0] = (header[0] << 4) | (length === 0 ? Number(number) : 8 | (length - 1));
    for (let place = length - 1; place >= 0; place -= 1) {
      header[at] = Number((number >> BigInt(8 * place)) & 0xffn);
      at += 1;
    }
  });
  return header;
}

/**
 * Reads the header that the bytes begin with, and where it ends. Throws an `SFrameError`.
 * @param {Uint8Array} bytes
 * @returns {{ kid: bigint, ctr: bigint, offset: number }}
 */
export function parseHeader(bytes) {
  if (bytes.length === 0) throw new SFrameError('truncated');
  let offset = 1;
  const [kid, ctr] = [bytes[0] >> 4, bytes[0] & 0x0f].map((field) => {
    if ((field & 8) === 0) return BigInt(field);
    const length = (field & 7) + 1;
    if (bytes.length - offset < length) throw new SFrameError('truncated');
    let number = 0n;
    for (const byte of bytes.subarray(offset, offset + length)) number = (number << 8n) | BigInt(byte);
    if (extra(number) !== length) throw new SFrameError('not_minimal');
    offset += length;
    return number;
  });
  return { kid, ctr, offset };
}

/** @typedef {{ cipher: CryptoKey, salt: Uint8Array<ArrayBuffer> }} Key */

/**
 * A key as RFC 9605, section 4.4.2, derives it.
 * @param {Suite} suite
 * @param {bigint} kid
 * @param {CryptoKey} base
 * @param {'encrypt' | 'decrypt'} use
 * @returns {Promise<Key>}
 */
async function derive({ id, hash, bits }, kid, base, use) {
  const hkdf = (/** @type {string} */ what) => {
    const text = new TextEncoder().encode(`SFrame 1.0 Secret ${what} `);
    const info = new Uint8Array(text.length + 10);
    info.set(text);
    const view = new DataView(info.buffer, text.length);
    view.setBigUint64(0, kid);
    view.setUint16(8, id);
    return { name: 'HKDF', hash, salt: new Uint8Array(0), info };
  };
  const [cipher, salt] = await Promise.all([
    crypto.subtle.deriveKey(hkdf('key'), base, { name: 'AES-GCM', length: bits }, false, [use]),
    crypto.subtle.deriveBits(hkdf('salt'), base, 8 * NONCE),
  ]);
  return { cipher, salt: new Uint8Array(salt) };
}

/**
 * AES-GCM's parameters for one frame.
 * @param {Key} key
 * @param {bigint} ctr
 * @param {Uint8Array<ArrayBuffer>} additionalData
 */
function gcm({ salt }, ctr, additionalData) {
  const iv = salt.slice();
  const view = new DataView(iv.buffer);
  view.setBigUint64(NONCE - 8, view.getBigUint64(NONCE - 8) ^ ctr);
  return { name: 'AES-GCM', iv, additionalData, tagLength: 8 * TAG };
}

/**
 * @param {Uint8Array} first
 * @param {Uint8Array} second
 * @returns {Uint8Array<ArrayBuffer>}
 */
function joined(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** The one owner of a key's counter: made once for a key, in one place. */
export class Sealer {
  /**
   * @param {Suite} suite
   * @param {bigint} kid
   * @param {CryptoKey} base  from `baseKey`
   * @param {bigint} [ctr]  where another owner, which is gone, would have gone on
   */
  static async of(suite, kid, base, ctr = 0n) {
    return new Sealer(kid, await derive(suite, kid, base, 'encrypt'), ctr);
  }

  /**
   * Takes what {@link Sealer.of} derived.
   * @param {bigint} kid
   * @param {Key} key
   * @param {bigint} ctr
   */
  constructor(kid, key, ctr) {
    this._kid = kid;
    this._key = key;
    this._next = ctr;
  }

  /**
   * Seals a frame, and binds `metadata`, which isn't sent, to it.
   * @param {Uint8Array} metadata
   * @param {Uint8Array<ArrayBuffer>} plaintext
   */
  async seal(metadata, plaintext) {
    const ctr = this._next;
    if (ctr >= MAX_FRAMES) throw new SFrameError('exhausted');
    // Before anything is waited for: two frames that are sealed at once have two counters.
    this._next += 1n;
    const header = writeHeader(this._kid, ctr);
    const parameters = gcm(this._key, ctr, joined(header, metadata));
    return joined(header, new Uint8Array(await crypto.subtle.encrypt(parameters, this._key.cipher, plaintext)));
  }
}

/** Which counters of one key came already. */
class Window {
  constructor() {
    /** One above the highest. */
    this._end = 0n;
    /** Bit n: whether `end - 1 - n` came. */
    this._came = 0n;
  }

  /** Whether the counter came, or is too old to tell. @param {bigint} ctr */
  saw(ctr) {
    if (ctr >= this._end) return ctr === LAST;
    const back = this._end - 1n - ctr;
    return back >= REMEMBERED || ((this._came >> back) & 1n) === 1n;
  }

  /** The counter came. @param {bigint} ctr */
  mark(ctr) {
    if (ctr >= this._end) {
      const shift = ctr + 1n - this._end;
      this._came = shift < REMEMBERED ? (this._came << shift) & ALL_REMEMBERED : 0n;
      this._end = ctr + 1n;
    }
    this._came |= 1n << (this._end - 1n - ctr);
  }
}

/** Keys to open frames with, each with what came of it already. */
export class Opener {
  /** @param {Suite} suite */
  constructor(suite) {
    this._suite = suite;
    /** @type {Map<bigint, { key: Promise<Key>, replay: Window }>} */
    this._keys = new Map();
  }

  /**
   * Takes a key, from `baseKey`; frames can be given at once. Who removed one must not give it again:
   * what came of it is forgotten.
   * @param {bigint} kid
   * @param {CryptoKey} base
   */
  add(kid, base) {
    if (this._keys.has(kid)) throw new SFrameError('known');
    if (this._keys.size >= MAX_KEYS) throw new SFrameError('too_many');
    const key = derive(this._suite, kid, base, 'decrypt');
    // Who opens a frame with it is told; until then nobody needs to know.
    key.catch(() => {});
    this._keys.set(kid, { key, replay: new Window() });
  }

  /** Forgets a key; says whether it was there. @param {bigint} kid */
  remove(kid) {
    return this._keys.delete(kid);
  }

  /**
   * Opens a frame that was sealed with this metadata. Throws an `SFrameError`.
   * @param {Uint8Array} metadata
   * @param {Uint8Array<ArrayBuffer>} sealed
   * @returns {Promise<{ kid: bigint, ctr: bigint, plaintext: Uint8Array<ArrayBuffer> }>}
   */
  async open(metadata, sealed) {
    const { kid, ctr, offset } = parseHeader(sealed);
    const entry = this._keys.get(kid);
    if (!entry) throw new SFrameError('no_key');
    if (entry.replay.saw(ctr)) throw new SFrameError('replayed');
    if (sealed.length - offset < TAG) throw new SFrameError('truncated');
    const key = await entry.key;
    const parameters = gcm(key, ctr, joined(sealed.subarray(0, offset), metadata));
    let plaintext;
    try {
      plaintext = await crypto.subtle.decrypt(parameters, key.cipher, sealed.subarray(offset));
    } catch {
      throw new SFrameError('forged');
    }
    // Only now, and once more: a forged frame mustn't move the window, and the same frame may have
    // been opened meanwhile.
    if (entry.replay.saw(ctr)) throw new SFrameError('replayed');
    entry.replay.mark(ctr);
    return { kid, ctr, plaintext: new Uint8Array(plaintext) };
  }
}
