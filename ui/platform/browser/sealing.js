// Sealed frames, the page's side of `seal-worker.js`: which way this browser has of sealing what WebRTC
// carries, senders and receivers that go through the worker, and frames of the page's own. Without a key nothing is sent and nothing is shown.

/**
 * @typedef {import('../../protocol/sealed.js').Codec} Codec
 * @typedef {import('../../protocol/sealed.js').Kid} Kid
 * @typedef {import('../../protocol/frame.js').Header} Header
 * @typedef {import('./seal-worker.js').Counts} Counts
 * @typedef {import('./seal-worker.js').Options} Options
 * @typedef {{ readable: ReadableStream, writable: WritableStream }} Streams
 * @typedef {{ createEncodedStreams(): Streams }} Older  what senders and receivers have in older Chromium
 */

/**
 * How this browser lets what WebRTC carries be sealed, `null` for not at all: `script` is `RTCRtpScriptTransform`,
 * `streams` is `createEncodedStreams` of older Chromium, for which a connection must be made with
 * {@link connectionOptions}.
 * @returns {'script' | 'streams' | null}
 */
export function canSeal() {
  if (!globalThis.crypto?.subtle || !globalThis.RTCRtpSender || !globalThis.Worker) return null;
  if (globalThis.RTCRtpScriptTransform) return 'script';
  return 'createEncodedStreams' in RTCRtpSender.prototype ? 'streams' : null;
}

/** What an `RTCPeerConnection` whose frames are sealed is to be made with, besides its own options. */
export function connectionOptions() {
  return canSeal() === 'streams' ? { encodedInsertableStreams: true } : {};
}

/** Why the worker did not do what it was asked. */
export class SealingError extends Error {
  /** @param {string} problem */
  constructor(problem) {
    super(`sealing: ${problem}`);
    this.problem = problem;
  }
}

/** A page's keys, and the worker that has them. One for a page: its counters have one owner. */
export class Sealing {
  constructor() {
    this._way = canSeal();
    this._lanes = 0;
    this._requests = 0;
    /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
    this._waiting = new Map();
    this._worker = new Worker(new URL('./seal-worker.js', import.meta.url), { type: 'module' });
    this._worker.onmessage = ({ data: { n, value, problem } }) => {
      const { resolve, reject } = this._take(n);
      if (problem) reject(new SealingError(problem));
      else resolve(value);
    };
    this._worker.onerror = () => this._fail('no_worker');
    this._ask({ type: 'clock', origin: performance.timeOrigin }).catch(() => {});
  }

  /**
   * From now on the key's track is sealed with this key. A number can be given once.
   * @param {Kid} kid
   * @param {Codec} codec  of the track
   * @param {CryptoKey} key  from `baseKey` of `protocol/sframe.js`
   * @returns {Promise<void>}
   */
  sealWith(kid, codec, key) {
    return this._ask({ type: 'key', direction: 'seal', kid, codec, key });
  }

  /**
   * From now on frames of this key are opened.
   * @param {Kid} kid
   * @param {CryptoKey} key
   * @returns {Promise<void>}
   */
  openWith(kid, key) {
    return this._ask({ type: 'key', direction: 'open', kid, codec: 'opus', key });
  }

  /** No frame of this key is opened any more; it must never be given again. @param {Kid} kid */
  forget(kid) {
    return this._ask({ type: 'forget', kid });
  }

  /**
   * Seals what a sender sends. To be called before anything is sent.
   * @param {RTCRtpSender} sender
   * @param {{ track: number, codec: Codec }} options
   */
  sealSender(sender, { track, codec }) {
    return this._lane(sender, (id) => ({ id, direction: 'seal', track, codec }));
  }

  /**
   * Opens what a receiver receives. To be called in the task that made it (`addTransceiver`, or the
   * event `track`): Chromium passes a transform by that is set later.
   * @param {RTCRtpReceiver} receiver
   * @param {{ sender: number, track: number, codec: Codec }} options  whose frames of which track are expected
   */
  openReceiver(receiver, { sender, track, codec }) {
    return this._lane(receiver, (id) => ({ id, direction: 'open', sender, track, codec }));
  }

  /**
   * Seals a frame that goes over a carrier of the page's own, with its header in clear: the payload to
   * send under the header. Frames come back in the order in which they were given.
   * @param {Header} header
   * @param {Uint8Array<ArrayBuffer>} payload
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  seal(header, payload) {
    return this._ask({ type: 'seal', header, payload });
  }

  /**
   * Opens a frame that came over a carrier of the page's own, of a track that was announced with this
   * codec: its true header, and the encoded frame. In order, as `seal`.
   * @param {Header} header
   * @param {Codec} codec
   * @param {Uint8Array<ArrayBuffer>} sealed
   * @returns {Promise<{ header: Header, payload: Uint8Array<ArrayBuffer> }>}
   */
  open(header, codec, sealed) {
    return this._ask({ type: 'open', header, codec, sealed });
  }

  /** Ends it, with all keys. */
  close() {
    this._worker.terminate();
    this._fail('closed');
  }

  /**
   * @param {RTCRtpSender | RTCRtpReceiver} end
   * @param {(id: number) => Options} make
   */
  _lane(end, make) {
    this._lanes += 1;
    const id = this._lanes;
    const options = make(id);
    if (this._way === null) throw new SealingError('unsupported');
    if (this._way === 'script') {
      end.transform = new RTCRtpScriptTransform(this._worker, options);
    } else {
      const { readable, writable } = /** @type {Older} */ (/** @type {unknown} */ (end)).createEncodedStreams();
      this._ask({ type: 'streams', options, streams: { readable, writable } }, [readable, writable]).catch(() => {});
    }
    return {
      /**
       * Another track is sent, or another member's track comes.
       * @param {Partial<{ sender: number, track: number, codec: Codec }>} changes
       * @returns {Promise<void>}
       */
      change: (changes) => {
        Object.assign(options, changes);
        return this._ask({ type: 'change', options });
      },
      /** How many frames were sealed or opened, and refused. @returns {Promise<Counts | undefined>} */
      counts: () => this._ask({ type: 'counts', id }),
    };
  }

  /**
   * @param {import('./seal-worker.js').Request} request
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  _ask(request, transfer = []) {
    this._requests += 1;
    const n = this._requests;
    return new Promise((resolve, reject) => {
      this._waiting.set(n, { resolve, reject });
      this._worker.postMessage({ n, request }, transfer);
    });
  }

  /** @param {number} n */
  _take(n) {
    const waiting = this._waiting.get(n);
    this._waiting.delete(n);
    return waiting ?? { resolve() {}, reject() {} };
  }

  /** @param {string} problem */
  _fail(problem) {
    for (const n of [...this._waiting.keys()]) this._take(n).reject(new SealingError(problem));
  }
}
