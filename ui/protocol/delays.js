// How late a sender's sound packets come, and how late to play so that nearly all are there: the
// same whole numbers as `media/src/sound/jitter/delays.rs`, where the reasons of the constants
// stand. Pure. All times are in microseconds.

/** How often it is asked what to play. */
export const TICK = 10_000;
/** Packets are judged by half-seconds: one late packet holds up those behind it. */
const SPAN = 500_000;
/** Half a minute is remembered. */
const REMEMBERED = 60;
/** The fastest way of a packet is looked for among so many of the last half-seconds. */
const FASTEST_OF = 5;
/** One half-second of so many may be worse than what is aimed at, and one in any case. */
const LEFT_OUT_OF = 20;
/** The least to wait, and the most: beyond it a conversation is none, and holes are better. */
const LEAST = 20_000;
const MOST = 400_000;
/** What is aimed at in the first two seconds, unless it is known to be too little. */
const FIRST = 40_000;
const FIRST_SPANS = 4;

/** What was seen of the packets' delays. */
export class Delays {
  constructor() {
    /** @type {{ number: number, fastest: number, slowest: number, late: number }[]} */
    this._spans = [];
    this._target = FIRST;
    /** How long the fastest packet of the last seconds took; `null` before any came. @type {number | null} */
    this.fastest = null;
  }

  /**
   * A packet took so long, between two clocks: the difference alone says nothing.
   * @param {number} arrival
   * @param {number} transit
   */
  add(arrival, transit) {
    const number = Math.floor(arrival / SPAN);
    const last = this._spans[this._spans.length - 1];
    if (last && last.number >= number) {
      last.fastest = Math.min(last.fastest, transit);
      last.slowest = Math.max(last.slowest, transit);
    } else {
      if (this._spans.length === REMEMBERED) this._spans.shift();
      this._spans.push({ number, fastest: transit, slowest: transit, late: 0 });
    }
    const newest = this._spans[this._spans.length - 1];
    let fastest = newest.fastest;
    for (let at = this._spans.length - 1; at >= 0 && this._spans[at].number + FASTEST_OF > newest.number; at -= 1) {
      fastest = Math.min(fastest, this._spans[at].fastest);
    }
    this.fastest = fastest;
    // What was late only against what is out of sight by now wasn't late: the way had become longer.
    for (let at = this._spans.length - 1; at >= 0 && this._spans[at].number + FASTEST_OF > newest.number; at -= 1) {
      const span = this._spans[at];
      span.late = Math.min(span.late, Math.max(0, span.slowest - fastest));
    }
    newest.late = Math.max(0, newest.slowest - fastest);
    this._aim();
  }

  /** How much later than the fastest packet to play. */
  get target() {
    return this._target;
  }

  _aim() {
    const lates = this._spans.map(({ late }) => late).sort((a, b) => b - a);
    const late = lates[Math.max(1, Math.floor(lates.length / LEFT_OUT_OF))] ?? 0;
    // A packet that comes right after a tick is first seen at the next.
    const target = Math.min(MOST, Math.max(LEAST, late + TICK));
    this._target = lates.length < FIRST_SPANS ? Math.max(target, FIRST) : target;
  }
}
