// What to do with one sender's sound packets, every 10 ms: decides the same as
// `media/src/sound/jitter/plan.rs`, where the reasons of the constants stand; the recorded traces in
// `media/tests/traces` hold the two together. It knows numbers and times and never looks at sound.
// Pure. All times are in microseconds, whole.

import { Delays, TICK } from './delays.js';
import { Seen } from './seen.js';

export { TICK };
/** A packet's sound. */
export const PACKET = 20_000;

/** The most packets that wait: three seconds' worth. */
const MOST_WAITING = 150;
/** A packet that took so much longer or shorter than the one before belongs to another time… */
const JUMP = 2_000_000;
/** …and one whose number is so far away to another numbering. */
const JUMP_NUMBERS = 1_000;
/** Times of packets that follow each other may differ from a packet's length by so much. */
const SLACK = 10_000;
/** So much too late is caught up with by taking sound out, so much too early by putting some in. */
const TOO_LATE = 10_000;
const TOO_EARLY = 5_000;
/** The least time between two pieces taken out or put in. */
const STRETCH_EVERY = 100_000;
/** From so much too late on pieces may follow each other as fast as this. */
const HURRY = 100_000;
const HURRY_EVERY = 30_000;
/** From so much too late on nothing but leaving out helps. */
const SKIP = 500_000;
/** What must lie ready for a piece to be taken out, and be left then, in packets too. */
const ACCELERATE_NEEDS = 30_000;
const ACCELERATE_LEAVES = 40_000;
/** A hole of so much isn't filled packet by packet any more. */
const HOLE = 200_000;
/** A sender of whom nothing came for so long begins anew. */
const IDLE = 1_000_000;
/** Times beyond it are nonsense. */
const LAST_TIME = 2 ** 52;

/**
 * A packet as it came. `time`: when its first sample was captured, on the sender's clock; `silence`:
 * whether it says that silence begins, so that missing packets aren't missed.
 * @template T
 * @typedef {{ sequence: number, time: number, silence: boolean, payload: T }} Packet
 */

/**
 * What to do. The first three add sound to what lies ready, and it is asked again at once; each of
 * the others ends the tick with 10 ms being played: `decode` this packet; `repair`: decode what this
 * packet knows of the one before it, which is lost; `conceal`: make one up; `play` what lies ready;
 * `accelerate`, `expand`: and take a piece out, or put one in; `hold`: nothing came in time, make up
 * 10 ms; `silence`: the sender is silent; `nothing`: there is nobody.
 * @template T
 * @typedef {{ what: 'decode' | 'repair', packet: Packet<T> }
 *   | { what: 'conceal' | 'play' | 'accelerate' | 'expand' | 'hold' | 'silence' | 'nothing' }} Decision
 */

/** @type {Readonly<Record<'conceal' | 'play' | 'accelerate' | 'expand' | 'hold' | 'silence' | 'nothing', { what: any }>>} */
const SIMPLE = {
  conceal: { what: 'conceal' }, play: { what: 'play' }, accelerate: { what: 'accelerate' }, expand: { what: 'expand' },
  hold: { what: 'hold' }, silence: { what: 'silence' }, nothing: { what: 'nothing' },
};

/**
 * One sender's packets and what is known of their delays.
 * @template T
 */
export class Plan {
  constructor() {
    /** What was counted, over all times. */
    this.counts = { late: 0, double: 0, left_out: 0, concealed_us: 0, repaired_us: 0, copied: 0, jumps: 0 };
    this._stretched = 0;
    /** By number. @type {Packet<T>[]} */
    this._packets = [];
    this._delays = new Delays();
    /** @type {number | null} */
    this._lastTransit = null;
    this._seen = new Seen();
    this._playing = false;
    /** The number of the packet to decode next. @type {number | null} */
    this._next = null;
    /** Its time: that of the first sample that doesn't lie ready. */
    this._position = 0;
    /** Whether the last packet said that silence begins. */
    this._silent = false;
    /** How long nothing has come in time. */
    this._held = 0;
  }

  /**
   * A packet came, at this time on the receiver's clock.
   * @param {Packet<T>} packet
   * @param {number} arrival
   * @returns {'waits' | 'late' | 'double' | 'copied'}
   */
  packet(packet, arrival) {
    if (packet.time > LAST_TIME) {
      this.counts.left_out += 1;
      return 'late';
    }
    const transit = arrival - packet.time;
    if (this._isOfAnotherTime(packet.sequence, transit)) this._beginAnew();
    this._lastTransit = transit;
    const highest = this._seen.highest ?? packet.sequence;
    if (this._seen.packet(packet.sequence)) return 'copied';
    this._delays.add(arrival, transit);
    // The one between is repaired out of this one: it came with it, a packet's time later.
    if (packet.sequence - highest === 2) this._delays.add(arrival, transit + PACKET);
    if (this._next !== null && packet.sequence < this._next) {
      this.counts.late += 1;
      return 'late';
    }
    if (this._packets.some(({ sequence }) => sequence === packet.sequence)) {
      this.counts.double += 1;
      return 'double';
    }
    this._wait(packet);
    return 'waits';
  }

  /**
   * A copy of an older packet came with another one, which is handed in after it. Where its original
   * came it costs nothing; else it is as good, and as late as it came.
   * @param {Packet<T>} packet
   * @param {number} arrival
   */
  copy(packet, arrival) {
    if (packet.time > LAST_TIME) return;
    const transit = arrival - packet.time;
    if (this._isOfAnotherTime(packet.sequence, transit) || !this._seen.copy(packet.sequence)) return;
    this._delays.add(arrival, transit);
    const played = this._next !== null && packet.sequence < this._next;
    if (played || this._packets.some(({ sequence }) => sequence === packet.sequence)) return;
    this.counts.copied += 1;
    this._wait(packet);
  }

  /**
   * @param {number} sequence
   * @param {number} transit
   */
  _isOfAnotherTime(sequence, transit) {
    const jumped = this._lastTransit !== null && Math.abs(transit - this._lastTransit) > JUMP;
    return jumped || (this._next !== null && Math.abs(sequence - this._next) > JUMP_NUMBERS);
  }

  /** @param {Packet<T>} packet */
  _wait(packet) {
    const packets = this._packets;
    if (packets.length === MOST_WAITING) {
      packets.shift();
      this.counts.left_out += 1;
    }
    let at = packets.length;
    while (at > 0 && packets[at - 1].sequence > packet.sequence) at -= 1;
    packets.splice(at, 0, packet);
  }

  /**
   * What to do now, with so much sound lying ready.
   * @param {number} now
   * @param {number} ahead
   * @returns {Decision<T>}
   */
  decide(now, ahead) {
    if (!this._playing && !this._begins(now)) return SIMPLE.nothing;
    const due = this._due(now);
    let excess = this.late(now, ahead) - this.target;
    if (excess > SKIP && this._skip(due)) excess = this.late(now, ahead) - this.target;
    const rested = Math.max(0, now - this._stretched);
    const every = excess > HURRY ? HURRY_EVERY : STRETCH_EVERY;
    const accelerate = excess > TOO_LATE && rested >= every && this._waiting + ahead >= ACCELERATE_LEAVES;
    if (accelerate && ahead < ACCELERATE_NEEDS && this._nextFollows) return this._decode();
    if (ahead < TICK) return this._refill(due, ahead);
    if (accelerate && ahead >= ACCELERATE_NEEDS) {
      this._stretched = now;
      return SIMPLE.accelerate;
    }
    if (excess < -TOO_EARLY && rested >= STRETCH_EVERY) {
      this._stretched = now;
      return SIMPLE.expand;
    }
    return SIMPLE.play;
  }

  /**
   * How much later is played now than the fastest packet of the last seconds could be.
   * @param {number} now
   * @param {number} ahead
   */
  late(now, ahead) {
    const { fastest } = this._delays;
    return fastest === null ? 0 : now - (this._position - ahead) - fastest;
  }

  /** How much later it should be. */
  get target() {
    return this._delays.target;
  }

  /**
   * The time of the sample that is played now, on the sender's clock; `null` while nobody is heard.
   * @param {number} ahead
   * @returns {number | null}
   */
  playing(ahead) {
    return this._playing && !this._silent ? Math.max(0, this._position - ahead) : null;
  }

  /**
   * As `playing`, and through the sender's silences too, so that its pictures keep their wait.
   * @param {number} ahead
   * @returns {number | null}
   */
  moment(ahead) {
    return this._playing ? Math.max(0, this._position - ahead) : null;
  }

  _beginAnew() {
    this.counts.left_out += this._packets.length;
    this.counts.jumps += 1;
    this._packets = [];
    this._delays = new Delays();
    this._seen = new Seen();
    this._playing = false;
    this._next = null;
    this._silent = false;
    this._held = 0;
  }

  /** What was captured then is due now. @param {number} now */
  _due(now) {
    return now - (this._delays.fastest ?? 0) - this.target;
  }

  /** Whether the first packet has waited for long enough, or somebody who stopped goes on. @param {number} now */
  _begins(now) {
    const first = this._packets[0];
    if (!first || !isDue(first.time, this._due(now))) {
      if (this._next !== null) this._held += TICK;
      return false;
    }
    if (this._next === null) {
      this._next = first.sequence;
      this._position = first.time;
    }
    this._playing = true;
    return true;
  }

  /** Leaves out what should have been played before `due`, but not the newest packet. @param {number} due */
  _skip(due) {
    const packets = this._packets;
    let count = 0;
    while (packets.length - count > 1 && packets[count].time + PACKET <= due) count += 1;
    if (count === 0) return false;
    packets.splice(0, count);
    this.counts.left_out += count;
    this._next = packets[0].sequence;
    this._position = packets[0].time;
    return true;
  }

  /**
   * Less than a tick lies ready: what comes next. What was captured before `due` is due.
   * @param {number} due
   * @param {number} ahead
   * @returns {Decision<T>}
   */
  _refill(due, ahead) {
    const first = this._packets[0];
    if (!first) {
      if (!this._silent) return this._hold();
      this._position += TICK;
      return SIMPLE.silence;
    }
    const { sequence, time } = first;
    const missing = Math.max(0, sequence - (this._next ?? sequence));
    const gap = Math.max(0, time - this._position);
    if (missing === 0 && this._silent) {
      // What follows silence may begin whenever it suits: as late as is aimed at, once what lies
      // ready is played.
      if (isDue(time, due + ahead)) return this._decode();
      this._position += TICK;
      return SIMPLE.silence;
    }
    // What was held in place of what is lost needn't be made up for again.
    if (gap <= SLACK || (missing > 0 && gap <= this._held)) return this._decode();
    if (gap > HOLE) return time <= due ? this._decode() : this._hold();
    this._position += PACKET;
    if (missing === 1) {
      this._next = sequence;
      this.counts.repaired_us += PACKET;
      return { what: 'repair', packet: first };
    }
    if (missing > 1) this._next = /** @type {number} */ (this._next) + 1;
    this.counts.concealed_us += PACKET;
    return SIMPLE.conceal;
  }

  /** @returns {Decision<T>} */
  _hold() {
    this._held += TICK;
    this._playing = this._held < IDLE;
    return SIMPLE.hold;
  }

  get _nextFollows() {
    const first = this._packets[0];
    return first !== undefined && this._next === first.sequence && first.time <= this._position + SLACK;
  }

  /** @returns {Decision<T>} */
  _decode() {
    const packet = this._packets.shift();
    if (!packet) return SIMPLE.nothing;
    const paused = this._next === packet.sequence && packet.time >= this._position + this._held / 2;
    if (this._held > 0 && !paused) this.counts.concealed_us += this._held;
    this._held = 0;
    this._next = packet.sequence + 1;
    this._position = packet.time + PACKET;
    this._silent = packet.silence;
    return { what: 'decode', packet };
  }

  /** How much sound waits in packets. */
  get _waiting() {
    const last = this._packets[this._packets.length - 1];
    return last ? Math.max(0, last.time + PACKET - this._position) : 0;
  }
}

/**
 * Whether a first packet is due, to the nearest tick: what begins late is caught up with by pieces
 * taken out of speech.
 * @param {number} time
 * @param {number} due
 */
function isDue(time, due) {
  return time <= due + TICK / 2;
}
