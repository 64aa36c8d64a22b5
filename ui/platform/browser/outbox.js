// What waits to go out: encoded frames between the encoders and the socket. The socket's own
// buffer is a pipe that nothing can overtake, so only little is put into it at a time; what waits
// here can still be dropped, and control and sound get between chunks. Pure: time is passed in.

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

/** Milliseconds that sound may wait, as at the relay: older sound would only delay all that follows. */
export const SOUND_PATIENCE = 400;
/** Milliseconds of waiting from which on sound should be sent in fewer bits. */
const SOUND_WAITS = 100;

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
    /** Frames of sound, each one message. @type {{ message: Uint8Array<ArrayBuffer>, since: number }[]} */
    this._sound = [];
    /** Tracks whose next frame must be a key frame. @type {Set<number>} */
    this._needsKey = new Set();
    /** Frames that were dropped for a line too slow. */
    this.dropped = 0;
    /** Of them, frames of sound. */
    this.droppedSound = 0;
  }

  /** How many frames wait. */
  get length() {
    return this._waiting.length + this._sound.length;
  }

  /**
   * Takes a frame of sound, which goes before all pictures. Answers 'congested' when sound waits.
   * @param {number} now  milliseconds
   * @param {Header} header
   * @param {Uint8Array} payload
   * @returns {'taken' | 'congested'}
   */
  sound(now, header, payload) {
    while (this._sound.length > 0 && now - this._sound[0].since > SOUND_PATIENCE) {
      this._sound.shift();
      this.dropped += 1;
      this.droppedSound += 1;
    }
    this._sound.push({ message: write({ ...header, chunk: 0, chunks: 1 }, payload), since: now });
    return now - this._sound[0].since > SOUND_WAITS ? 'congested' : 'taken';
  }

  /** Muted: what of the sound still waits isn't sent. */
  hush() {
    this._sound = [];
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
   * @param {boolean} [full]  the line behind it is full: sound only
   * @returns {Uint8Array<ArrayBuffer> | null}
   */
  next(buffered, full = false) {
    const sound = buffered < CHUNK ? this._sound.shift() : undefined;
    if (sound) return sound.message;
    if (full) return null;
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

  /** No pictures are sent any more: what waits of them is dropped, the rest of one that was begun too. */
  withdraw() {
    this.dropped += this._waiting.length;
    this._waiting = [];
  }

  /** The connection broke: what waits is lost. */
  clear() {
    this.dropped += this.length;
    this.droppedSound += this._sound.length;
    this._waiting = [];
    this._sound = [];
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
