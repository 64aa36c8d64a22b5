// Whether somebody speaks, from how loud each frame is. Pure.

import { SILENCE } from '../../../protocol/sound.js';

/** dB above the room's own noise at which somebody speaks: a whisper is as much above a quiet room. */
const ABOVE = 9;
/** dBov below which nothing counts as speaking: what microphones make by themselves. */
const LEAST = -62;
/** Frames that a word lasts beyond its last loud one: closures and breaths within words are shorter (200 ms). */
const HANG = 10;
/** dB a frame by which the noise is believed to rise: 5 dB a second, so that no word becomes noise. */
const RISE = 0.1;
/** Part of the way that it falls with each frame. */
const FALL = 0.3;
/** dBov of a quiet room, before anything was heard. */
const QUIET = -60;

/** Says of each frame whether somebody speaks in it. */
export class Activity {
  constructor() {
    this._noise = QUIET;
    this._hang = 0;
  }

  /** @param {number} dbov  of a frame of 20 ms */
  frame(dbov) {
    const heard = Math.max(dbov, -SILENCE);
    if (heard < this._noise) this._noise += (heard - this._noise) * FALL;
    else this._noise = Math.min(heard, this._noise + RISE);
    if (heard > LEAST && heard > this._noise + ABOVE) this._hang = HANG;
    else if (this._hang > 0) this._hang -= 1;
    return this._hang > 0;
  }
}

/** Milliseconds of speaking, among the last second's, after which a muted person is told. */
const INSISTS = 400;
/** Milliseconds for which it stays told. */
const TOLD = 3000;

/** Whether somebody who is muted speaks, as if to be heard. */
export class Unheard {
  constructor() {
    this._spoken = 0;
    this._until = -Infinity;
  }

  /**
   * @param {boolean} voice  whether somebody speaks in this frame
   * @param {number} length  its milliseconds
   * @param {number} now  milliseconds
   */
  frame(voice, length, now) {
    this._spoken = voice ? Math.min(1000, this._spoken + length) : Math.max(0, this._spoken - length);
    if (this._spoken >= INSISTS) this._until = now + TOLD;
  }

  /** @param {number} now */
  told(now) {
    return now < this._until;
  }

  /** Muted or not any more: it begins anew. */
  begin() {
    this._spoken = 0;
    this._until = -Infinity;
  }
}
