// Redundancy for sound: a frame repeats the packets before it, as `protocol/src/red.rs` has it, where
// the layout and the reasons stand. Pure.

const PAYLOAD_TYPE = 96;
const FOLLOWS = 0x80;
/** The most older packets in a payload. */
export const MAX_COPIES = 2;
/** The largest packet that can be repeated, in bytes. */
const MAX_REPEATED = 1023;
const MAX_OFFSET = 16_383;
/** Bits a second that may be left for a packet itself. */
const LEAST_BITS = 12_000;
/** Bytes of a header: of an older packet, and of the frame's own. */
const LONG = 4;
const SHORT = 1;
/** Microseconds of a packet, and how far from it the times of two may be that follow each other. */
const PACKET = 20_000;
const SLACK = 10_000;
/** Packets a second. */
const PER_S = 50;
/** From so much loss on, in percent, one packet is repeated, and two; until it is below the other. */
const ONE = [2, 1];
const TWO = [10, 7];

/**
 * How many older packets a sender repeats that repeated so many before.
 * @param {number} before
 * @param {number} percent  how many of a hundred get lost
 * @param {number} bits  a second, for sound in all
 */
export function copies(before, percent, bits) {
  const wanted = percent >= TWO[before >= 2 ? 1 : 0] ? 2 : Number(percent >= ONE[before >= 1 ? 1 : 0]);
  for (let count = wanted; count > 0; count -= 1) if (primaryBits(bits, count) >= LEAST_BITS) return count;
  return 0;
}

/**
 * What is left for a packet itself of so many bits a second, when so many others are repeated.
 * @param {number} bits
 * @param {number} count
 */
export function primaryBits(bits, count) {
  if (count === 0) return bits;
  const headers = (count * LONG + SHORT) * 8 * PER_S;
  return Math.floor(Math.max(0, bits - headers) / (count + 1));
}

/** Whether a payload repeats anything. @param {Uint8Array} payload */
export function isRedundant(payload) {
  return payload[0] === (FOLLOWS | PAYLOAD_TYPE);
}

/** @typedef {'truncated' | 'type' | 'too_many' | 'order' | 'empty'} Problem */

/** Why bytes aren't a payload with redundancy. */
export class RedError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(`not a payload with redundancy: ${problem}`);
    /** @type {Problem} */
    this.problem = problem;
  }
}

/**
 * @typedef {{ offset: number, packet: Uint8Array }} Older  how many samples before the frame it was captured
 * @typedef {{ older: Older[], primary: Uint8Array }} Packets  oldest first
 * @typedef {{ sequence: number, time: number, packet: Uint8Array }} Numbered
 */

/**
 * Reads a payload. Throws a `RedError`.
 * @param {Uint8Array} payload
 * @returns {Packets}
 */
export function read(payload) {
  /** @type {[offset: number, length: number][]} */
  const headers = [];
  let at = 0;
  for (;;) {
    if (at >= payload.length) throw new RedError('truncated');
    const first = payload[at];
    const follows = (first & FOLLOWS) !== 0;
    if ((first & 0x7f) !== PAYLOAD_TYPE || (at === 0 && !follows)) throw new RedError('type');
    if (!follows) break;
    if (headers.length === MAX_COPIES) throw new RedError('too_many');
    if (payload.length - at < LONG) throw new RedError('truncated');
    const both = (payload[at + 1] << 16) | (payload[at + 2] << 8) | payload[at + 3];
    headers.push([both >> 10, both & 0x3ff]);
    at += LONG;
  }
  at += SHORT;
  let before = Infinity;
  const older = headers.map(([offset, length]) => {
    if (offset === 0 || offset >= before) throw new RedError('order');
    before = offset;
    if (length === 0) throw new RedError('empty');
    if (payload.length - at < length) throw new RedError('truncated');
    at += length;
    return { offset, packet: payload.subarray(at - length, at) };
  });
  const primary = payload.subarray(at);
  if (primary.length === 0) throw new RedError('empty');
  return { older, primary };
}

/**
 * The packets before with their numbers and times, oldest first, of a frame with this number and time.
 * @param {Packets} packets
 * @param {number} sequence
 * @param {number} time  microseconds
 * @returns {Numbered[]}
 */
export function numbered({ older }, sequence, time) {
  const all = older.map(({ offset, packet }, at) => (
    { sequence: sequence - (older.length - at), time: time - Math.floor((offset * 125) / 6), packet }));
  // What would lie before the beginning is left out.
  return all.filter((one) => one.sequence >= 0 && one.time >= 0);
}

/**
 * @param {readonly Older[]} older  oldest first
 * @param {Uint8Array} primary
 * @returns {Uint8Array}
 */
function write(older, primary) {
  const bytes = older.reduce((sum, { packet }) => sum + packet.length, 0);
  const payload = new Uint8Array(older.length * LONG + SHORT + bytes + primary.length);
  let at = 0;
  for (const { offset, packet } of older) {
    const both = (offset << 10) | packet.length;
    payload.set([FOLLOWS | PAYLOAD_TYPE, both >> 16, (both >> 8) & 0xff, both & 0xff], at);
    at += LONG;
  }
  payload[at] = PAYLOAD_TYPE;
  at += SHORT;
  for (const packet of [...older.map((one) => one.packet), primary]) {
    payload.set(packet, at);
    at += packet.length;
  }
  return payload;
}

/** A sender's last packets, out of which it makes payloads. */
export class Repeater {
  constructor() {
    /** @type {{ time: number, packet: Uint8Array }[]} */
    this._last = [];
  }

  /** Nothing of before is repeated. */
  forget() {
    this._last = [];
  }

  /**
   * The payload of the next packet. It repeats at most so many of those before it, and none from
   * before a pause: that would come too late for anybody.
   * @param {number} time  microseconds
   * @param {Uint8Array} packet
   * @param {number} count
   */
  payload(time, packet, count) {
    /** @type {Older[]} */
    const older = [];
    for (let distance = 1; distance <= Math.min(count, this._last.length); distance += 1) {
      const before = this._last[this._last.length - distance];
      const since = Math.max(0, time - before.time);
      const offset = Math.floor((since * 6 + 62) / 125);
      const fresh = since <= distance * PACKET + SLACK;
      if (!fresh || offset <= (older[0]?.offset ?? 0) || offset > MAX_OFFSET) break;
      if (before.packet.length === 0 || before.packet.length > MAX_REPEATED) break;
      older.unshift({ offset, packet: before.packet });
    }
    if (this._last.length === MAX_COPIES) this._last.shift();
    this._last.push({ time, packet });
    return older.length > 0 && packet.length > 0 ? write(older, packet) : packet;
  }
}
