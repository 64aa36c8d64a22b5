// Which way media takes, and when a better one is tried. Pure: time is passed in.
//
// A call begins over its WebSocket, which works at once; UDP is tried behind its back, and taken when
// it is up. One that fails is tried again ever more seldom, so that a network without UDP costs
// nothing.

/** Milliseconds until a way that isn't up counts as failed. */
export const LIMIT = 8000;
/** The first wait before another try, and the longest, in milliseconds. */
const FIRST = 5000;
const LONGEST = 300_000;
/** Milliseconds that a way must have held for its end to count as the first failure. */
const HELD = 60_000;

/** @typedef {Exclude<import('../../../generated').Step, 'unknown'>} Step */
/** Why media doesn't go by UDP; PROTOCOL.md, `way`. @typedef {Exclude<import('../../../generated').Why, 'unknown'>} Why */

/**
 * The step that media is on, and why it isn't on a better one.
 * @param {{ up: boolean, frames: boolean, moving: boolean, offered: boolean, why: Why }} now  `up`: UDP
 *   is; `frames`: the connection takes media; `moving`: this browser has a codec for moving pictures;
 *   `offered`: the relay has UDP; `why`: what the ladder says
 * @returns {{ step: Step, why: Why }}
 */
export function stepOf({ up, frames, moving, offered, why }) {
  if (up) return { step: 'webrtc', why: 'none' };
  const step = frames ? (moving ? 'frames' : 'jpeg') : 'none';
  return { step, why: why !== 'missing' && !offered ? 'off' : why };
}

export class Ladder {
  /** @param {boolean} possible  whether this browser has WebRTC at all */
  constructor(possible) {
    this._possible = possible;
    /** @type {'waiting' | 'trying' | 'up'} */
    this._state = 'waiting';
    /** When the state began, and when the next try is due. */
    this._since = -Infinity;
    this._due = -Infinity;
    this._wait = FIRST;
    /** @type {Why} */
    this.why = possible ? 'trying' : 'missing';
  }

  /** The way of media now. @returns {'webrtc' | 'websocket'} */
  get way() {
    return this._state === 'up' ? 'webrtc' : 'websocket';
  }

  /**
   * Whether to try now; if so, a try begins.
   * @param {number} now
   */
  tries(now) {
    if (!this._possible || this._state !== 'waiting' || now < this._due) return false;
    this._state = 'trying';
    this._since = now;
    return true;
  }

  /**
   * Whether a try has taken too long.
   * @param {number} now
   */
  late(now) {
    return this._state === 'trying' && now - this._since > LIMIT;
  }

  /** It is up. @param {number} now */
  up(now) {
    this._state = 'up';
    this._since = now;
    this.why = 'none';
  }

  /**
   * It failed, or is gone.
   * @param {number} now
   * @param {Why} why
   */
  failed(now, why) {
    const held = this._state === 'up' && now - this._since >= HELD;
    if (held) this._wait = FIRST;
    this._state = 'waiting';
    this._since = now;
    this._due = now + this._wait;
    this._wait = Math.min(LONGEST, this._wait * 2);
    this.why = why;
  }

  /** The network is another one: what failed on the old one is tried again at once. */
  changed() {
    this._due = -Infinity;
    this._wait = FIRST;
  }
}
