// What waits to go out: encoded frames between the encoders and the socket. The socket's own
// buffer is a pipe that nothing can overtake, so only little is put into it at a time; what waits
// here can still be dropped, and control gets between chunks. Pure: time is passed in.

import { chunksOf, payloadIn, split } from '../../protocol/chunk.js';
import { write } from '../../protocol/frame.js';

/** Bytes of a chunk while the socket is behind: 13 ms of a line of 10 Mbit/s. */
export const CHUNK = 16 * 1024;
/** Bytes that go as one message when the socket is idle: any common frame. */
export const WHOLE = 64 * 1024;
/** Milliseconds that a picture may wait before those behind it are dropped. */
export const PATIENCE = 300;
/** Frames of one track that may wait: a third of a second. */
export const MAX_WAITING = 10;

/** @typedef {import('../../protocol/frame.js').Header} Header */

/**
 * @typedef {object} Waiting
 * @property {Header} header
 * @property {Uint8Array} payload
 * @property {number} since  when it came, milliseconds
 * @property {Uint8Array<ArrayBuffer>[] | null} messages  what is left to send, once begun
 */

export class Outbox {
  /** @param {number} maxMessage  the largest message that the relay takes, in bytes */
  constructor(maxMessage) {
    this._maxMessage = maxMessage;
    /** @type {Waiting[]} */
    this._waiting = [];
    /** Tracks whose next frame must be a key frame. @type {Set<number>} */
    this._needsKey = new Set();
    /** Frames that were dropped for a line too slow. */
    this.dropped = 0;
  }

  /** How many frames wait. */
  get length() {
    return this._waiting.length;
  }

  /**
   * Whether a frame of the track waits and hasn't been begun.
   * @param {number} track
   */
  holds(track) {
    return this._waiting.some(({ header }) => header.track === track);
  }

  /**
   * Whether the track goes on only with a key frame, and it would be sent at once.
   * @param {number} track
   */
  wantsKey(track) {
    return this._needsKey.has(track) && !this.holds(track);
  }

  /**
   * Takes a frame. Answers 'congested' when the line doesn't keep up: the frame or others of its
   * track were dropped, and the encoder should send less.
   * @param {number} now  milliseconds
   * @param {Header} header
   * @param {Uint8Array} payload
   * @returns {'taken' | 'congested'}
   */
  push(now, header, payload) {
    const key = header.references.length === 0;
    const { track } = header;
    if (chunksOf(payload.length, Math.min(CHUNK, this._roomFor(header))) === 0) {
      this.dropped += 1;
      if (!key) this._needsKey.add(track);
      return 'congested';
    }
    if (!key && this._needsKey.has(track)) {
      this.dropped += 1;
      return 'congested';
    }
    const mine = this._waiting.filter((frame) => frame.header.track === track);
    const late = mine.length >= MAX_WAITING || (mine.length > 0 && now - mine[0].since > PATIENCE);
    if (key) {
      // Nothing that waits is needed for it or after it.
      const before = this.dropped;
      this._dropWaiting(track);
      this._needsKey.delete(track);
      this._waiting.push({ header, payload, since: now, messages: null });
      return this.dropped > before ? 'congested' : 'taken';
    }
    if (late && header.layer.temporal > 0) {
      // Nothing refers to it.
      this.dropped += 1;
      return 'congested';
    }
    if (late) {
      this._dropWaiting(track);
      this._needsKey.add(track);
      this.dropped += 1;
      return 'congested';
    }
    this._waiting.push({ header, payload, since: now, messages: null });
    return 'taken';
  }

  /**
   * The next message to put into the socket, if any should be put there now.
   * @param {number} buffered  bytes in the socket's own buffer
   * @returns {Uint8Array<ArrayBuffer> | null}
   */
  next(buffered) {
    const frame = this._waiting[0];
    if (!frame || buffered >= CHUNK) return null;
    if (!frame.messages) {
      const room = this._roomFor(frame.header);
      const size = Math.min(room, buffered === 0 ? WHOLE : CHUNK);
      frame.messages = frame.payload.length <= size
        ? [write({ ...frame.header, chunk: 0, chunks: 1 }, frame.payload)]
        : split(frame.header, frame.payload, Math.min(CHUNK, room));
    }
    const message = frame.messages.shift() ?? null;
    if (frame.messages.length === 0) this._waiting.shift();
    return message;
  }

  /**
   * The most payload bytes of one message.
   * @param {Header} header
   */
  _roomFor(header) {
    return payloadIn(this._maxMessage, header.references.length);
  }

  /** The connection broke: what waits is lost. */
  clear() {
    this.dropped += this._waiting.length;
    this._waiting = [];
  }

  /**
   * Drops the track's frames that weren't begun; one that was goes to its end.
   * @param {number} track
   */
  _dropWaiting(track) {
    const kept = this._waiting.filter(({ header, messages }) => header.track !== track || messages);
    this.dropped += this._waiting.length - kept.length;
    this._waiting = kept;
  }
}
