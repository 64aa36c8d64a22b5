// Who is shown large where one is: a person who was pinned, or who speaks, without jumping. Pure, as
// `state.js` is: `now` is passed in, in milliseconds.
import { SILENCE, speakerOf } from './sound.js';

/** @typedef {import('../platform/types').MemberId} MemberId */
/** @typedef {import('../platform/types').Level} Level */
/** @typedef {{ order: readonly MemberId[] } & Parameters<typeof speakerOf>[0]} Room */

/**
 * When somebody was last heard: `from` a turn's beginning, pauses included, `to` its last word so
 * far; `unbroken` since when there was no pause at all.
 * @typedef {{ from: number, to: number, unbroken: number }} Voice
 */

/**
 * `seats`: everybody, the large one first. `since`: when it became large, or null if it is by
 * nobody's word. `pinned`: who is large because the person wants it so.
 * @typedef {{
 *   seats: readonly MemberId[],
 *   since: number | null,
 *   pinned: MemberId | null,
 *   voices: Readonly<Record<MemberId, Voice>>,
 * }} Focus
 */

/** From this level on, in dBov, somebody speaks: a good deal above a ward's noise. */
const SPEECH = -45;
/** Who paused for longer, in ms, has come to an end. Between sentences it is half of that. */
export const PAUSE_MS = 1_000;
/** Who speaks for less, in ms, doesn't become large (LOOK.md): "yes" and a cough move nothing. */
export const TURN_MS = 2_000;
/** Who became large stays so at least for this long, in ms: an eye has found the face, and rested on it. */
export const KEPT_MS = 4_000;
/** What goes on for so long without any pause is a television and nobody who breathes (`protocol::speakers`). */
export const INCESSANT_MS = 20_000;
/** A gap in a sound, in ms: more than the time between two levels. */
const GAP_MS = 300;

/** @returns {Focus} */
export function unfocused() {
  return { seats: [], since: null, pinned: null, voices: {} };
}

/**
 * What happened in the room, and what is heard now where that was told, seen from here on.
 * @param {Focus} focus @param {Room} room @param {Readonly<Record<MemberId, Level>> | null} levels @param {number} now
 * @returns {Focus} the same one if nothing changed
 */
export function followed(focus, room, levels, now) {
  const pinned = focus.pinned !== null && room.order.includes(focus.pinned) ? focus.pinned : null;
  const voices = levels ? heard(focus.voices, levels, now) : focus.voices;
  const seats = seated(focus.seats, room.order);
  const same = seats === focus.seats && pinned === focus.pinned && voices === focus.voices;
  /** @type {Focus} */
  const next = same ? focus : { ...focus, seats, pinned, voices };
  const [large, before] = [seats[0], focus.seats[0]];
  const speaker = speakerOf(room);
  if (pinned !== null) return pinned === large ? next : changed(next, pinned, now);
  if (large === undefined) return next;
  // Who was large is gone: nobody is left who could be jumped away from.
  if (large !== before) return speaker === null || speaker === large ? { ...next, since: null } : changed(next, speaker, now);
  if (speaker === null || speaker === large) return next;
  const kept = next.since === null || now - next.since >= KEPT_MS;
  return kept && hasTurn(voices[speaker], now) && !speaks(voices[large], now) ? changed(next, speaker, now) : next;
}

/**
 * Somebody is to be large, whoever speaks; with null it is again who speaks.
 * @param {Focus} focus @param {Room} room @param {MemberId | null} member @param {number} now
 * @returns {Focus}
 */
export function pin(focus, room, member, now) {
  if (member !== null && !room.order.includes(member)) return focus;
  return followed({ ...focus, pinned: member }, room, null, now);
}

/** Whether somebody speaks now, as a person does. @param {Voice | undefined} voice @param {number} now */
export function speaks(voice, now) {
  return voice !== undefined && now - voice.to < PAUSE_MS && voice.to - voice.unbroken < INCESSANT_MS;
}

/** @param {Voice | undefined} voice @param {number} now */
function hasTurn(voice, now) {
  return voice !== undefined && speaks(voice, now) && now - voice.from >= TURN_MS;
}

/**
 * The two change places, and nobody else moves.
 * @param {Focus} focus @param {MemberId} member @param {number} now
 * @returns {Focus}
 */
function changed(focus, member, now) {
  const seats = [...focus.seats];
  const from = seats.indexOf(member);
  [seats[0], seats[from]] = [member, seats[0]];
  return { ...focus, seats, since: now };
}

/**
 * Who stays keeps the place; who came sits behind all others.
 * @param {readonly MemberId[]} seats @param {readonly MemberId[]} order
 * @returns {readonly MemberId[]}
 */
function seated(seats, order) {
  if (seats.length === order.length && seats.every((id) => order.includes(id))) return seats;
  return [...seats.filter((id) => order.includes(id)), ...order.filter((id) => !seats.includes(id))];
}

/**
 * @param {Readonly<Record<MemberId, Voice>>} voices @param {Readonly<Record<MemberId, Level>>} levels @param {number} now
 * @returns {Readonly<Record<MemberId, Voice>>}
 */
function heard(voices, levels, now) {
  /** @type {Record<MemberId, Voice>} */
  const next = {};
  let same = true;
  for (const id of new Set([...Object.keys(voices), ...Object.keys(levels)].map(Number))) {
    const [before, loud] = [voices[id], (levels[id] ?? SILENCE) >= SPEECH];
    const goesOn = before !== undefined && now - before.to < PAUSE_MS;
    if (loud) {
      next[id] = {
        from: goesOn ? before.from : now,
        to: now,
        unbroken: goesOn && now - before.to <= GAP_MS ? before.unbroken : now,
      };
    } else if (goesOn) next[id] = before;
    if (next[id] !== before) same = false;
  }
  return same ? voices : next;
}
