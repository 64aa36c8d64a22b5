// A call: the client in Rust runs it; here its events are kept for who listens later.

import { channel, invoke } from './ipc.js';
import { SELF } from './frames.js';
import { roomCode } from '../room-code.js';

/** @typedef {import('../types').CallEvent} CallEvent */
/** @typedef {import('../types').CallHandle} CallHandle */
/** @typedef {import('../types').JoinOptions} JoinOptions */
/** @typedef {import('../types').MemberId} MemberId */
/** @typedef {import('./frames.js').Frames} Frames */

/** Milliseconds without a picture after which a member's picture stands still. */
const STALLED = 2000;

/** @implements {CallHandle} */
export class Call {
  /**
   * @param {JoinOptions} options
   * @param {Frames} frames
   * @param {() => Promise<void>} ask  for the microphone, where the system wants to be asked
   * @param {() => void} ended
   */
  constructor(options, frames, ask, ended) {
    this._frames = frames;
    this._ask = ask;
    this._ended = ended;
    this._over = false;
    /** @type {CallEvent[]} */
    this._log = [];
    /** @type {Set<(event: CallEvent) => void>} */
    this._listeners = new Set();
    /** @type {Map<number, { state: 'moving' | 'stalled' | 'undecodable', at: number, width: number, height: number }>} */
    this._pictures = new Map();
    this._watching = setInterval(() => this._watch(), STALLED / 4);
    this._tell({ type: 'connection', state: 'connecting' });
    /** @type {Promise<number | null>} */
    this._id = this._join(options);
  }

  /** @param {(event: CallEvent) => void} on */
  subscribe(on) {
    for (const event of this._log) on(event);
    this._listeners.add(on);
    return () => {
      this._listeners.delete(on);
    };
  }

  /** @param {string} text */
  chat(text) {
    // Rust refuses what can't be sent, with the code that the relay would have answered.
    this._do('chat', { text }).catch((code) => this._tell({ type: 'relay', message: { type: 'error', code } }));
  }

  code() {
    return roomCode((on) => this.subscribe(on), () => {
      this._do('make_code', {}).catch(over);
    });
  }

  /** @param {boolean} on */
  async camera(on) {
    await this._do('set_camera', { on });
  }

  /** @param {boolean} on */
  async microphone(on) {
    if (on) await this._ask();
    await this._do('set_microphone', { on }).catch(over);
  }

  /** A loudspeaker that failed is tried again; a web view holds nothing back here. */
  async hear() {
    await this._do('hear', {}).catch(over);
  }

  /**
   * @param {MemberId} member
   * @param {number} volume
   */
  volume(member, volume) {
    this._do('set_volume', { member, volume }).catch(over);
  }

  /**
   * @param {MemberId | 'self'} member
   * @param {HTMLCanvasElement} canvas
   * @param {import('../../generated').Size} size
   */
  show(member, canvas, size) {
    return this._frames.show(member === 'self' ? SELF : member, canvas, size);
  }

  async leave() {
    // A call that is over already can't be left; either way it is over.
    await this._do('leave', {}).catch(() => {});
    this._end();
  }

  /**
   * A picture was painted.
   * @param {number} member
   * @param {number} width
   * @param {number} height
   */
  painted(member, width, height) {
    const before = this._pictures.get(member);
    const at = performance.now();
    this._pictures.set(member, { state: 'moving', at, width, height });
    if (before?.state === 'moving' && before.width === width && before.height === height) return;
    this._tell({ type: 'picture', member: name(member), state: 'moving', width, height });
  }

  _watch() {
    const now = performance.now();
    for (const [member, picture] of this._pictures) {
      // What isn't shown isn't sent either.
      if (!this._frames.shows(member)) picture.at = now;
      if (picture.state !== 'moving' || now - picture.at < STALLED) continue;
      picture.state = 'stalled';
      const { width, height } = picture;
      this._tell({ type: 'picture', member: name(member), state: 'stalled', width, height });
    }
  }

  /**
   * @param {JoinOptions} options
   * @returns {Promise<number | null>}
   */
  async _join(options) {
    if (options.microphone) await this._ask();
    try {
      return await invoke('join', { options, on: channel((event) => this._tell(event)) });
    } catch (code) {
      this._tell({ type: 'connection', state: 'ended', code: /** @type {any} */ (code) });
      return null;
    }
  }

  /**
   * @param {string} command
   * @param {object} args
   */
  async _do(command, args) {
    const call = await this._id;
    if (call !== null) await invoke(command, { call, ...args });
  }

  /** @param {CallEvent} event */
  _tell(event) {
    if (this._over) return;
    // Only Rust sees that a picture comes and can't be opened; one that is painted later can again.
    if (event.type === 'picture' && event.state === 'undecodable' && event.member !== 'self') {
      this._pictures.set(event.member, { state: event.state, at: performance.now(), width: 0, height: 0 });
    }
    // How loud it was is of no use to who comes later.
    if (event.type !== 'levels') this._log.push(event);
    for (const on of [...this._listeners]) on(event);
    if (event.type === 'connection' && event.state === 'ended') this._end();
  }

  _end() {
    if (this._over) return;
    this._over = true;
    clearInterval(this._watching);
    this._ended();
  }
}

/** In a call that is over nobody hears, and nobody is heard. */
function over() {}

/**
 * @param {number} member
 * @returns {MemberId | 'self'}
 */
function name(member) {
  return member === SELF ? 'self' : member;
}
