// The soft sounds: which of them belongs to what happens in a call or in the list of rooms, and when
// none is made. Pure: `now` is milliseconds on a clock that never goes back, `hour` the device's own.
import { isVoice } from './sound.js';

/** @typedef {import('../platform/types').Signal} Signal */
/** @typedef {import('../platform/types').CallEvent} CallEvent */
/** @typedef {import('../platform/types').LobbyState} LobbyState */
/** @typedef {import('./state.js').State} State */
/** @typedef {import('./state.js').Act} Act */
/** What a person wants of them. `night`: none at night. @typedef {'on' | 'night' | 'off'} Wanted */
/** @typedef {{ now: number, hour: number, wanted: Wanted }} Moment */

/** From which hour to which it is night on a ward: lights go out, and the early shift begins. */
export const NIGHT = { from: 21, until: 7 };
/** What happens within so many ms after a sound has none: ten people who come at once are one sound. */
export const APART_MS = 5_000;
/** After so many ms without a voice nobody speaks: longer than the pauses between sentences. */
export const PAUSE_MS = 2_000;
/** A room that waited within so many ms before doesn't knock again: its connection comes and goes. */
export const KNOCK_APART_MS = 120_000;

/** @param {number} hour 0 to 23 */
export function isNight(hour) {
  return hour >= NIGHT.from || hour < NIGHT.until;
}

/** @param {Moment} moment */
function allowed({ wanted, hour }) {
  return wanted === 'on' || (wanted === 'night' && !isNight(hour));
}

/** @param {number | null} then @param {number} now @param {number} ms */
const longAgo = (then, now, ms) => then === null || now - then >= ms;

/** When somebody was last heard to speak, and when the last sound was. @typedef {{ spoke: number | null, sounded: number | null }} InCall */

/** @type {InCall} */
export const unheard = { spoke: null, sounded: null };

/**
 * What happened in a call, with the state before and after it. What may not sound now is never made
 * up for.
 * @param {InCall} kept
 * @param {{ event: CallEvent | Act, before: State, after: State }} change
 * @param {Moment} moment
 * @returns {{ kept: InCall, signal: Signal | null }}
 */
export function inCall(kept, { event, before, after }, moment) {
  const { now } = moment;
  const spoke = voice(event, before) || voice(event, after) ? now : kept.spoke;
  const signal = signalOf(event, before, after);
  const sounds = signal !== null && allowed(moment) && longAgo(spoke, now, PAUSE_MS) && longAgo(kept.sounded, now, APART_MS);
  return { kept: { spoke, sounded: sounds ? now : kept.sounded }, signal: sounds ? signal : null };
}

/** Whether somebody speaks: in the call, or into a microphone that is muted. @param {CallEvent | Act} event @param {State} state */
function voice(event, { sound }) {
  if (sound.speaker !== null) return true;
  return event.type === 'levels' && (event.talkingMuted || isVoice(sound.own) || Object.values(sound.levels).some(isVoice));
}

/**
 * Who was there when one came, and who is told of twice, has no sound.
 * @param {CallEvent | Act} event @param {State} before @param {State} after
 * @returns {Signal | null}
 */
function signalOf(event, before, after) {
  if (event.type !== 'relay') return null;
  const more = after.order.length - before.order.length;
  if (event.message.type === 'member_joined' && more > 0) return 'join';
  return event.message.type === 'member_left' && more < 0 ? 'leave' : null;
}

/**
 * Who waits, `null` before it is known; when each room last waited; when the last knock was.
 * @typedef {{ waiting: ReadonlySet<string> | null, waited: ReadonlyMap<string, number>, sounded: number | null }} AtList
 */

/** @type {AtList} */
export const unknown = { waiting: null, waited: new Map(), sounded: null };

/**
 * What the list of rooms says now: a room that begins to wait knocks, once. Who waited before the
 * list was opened is seen, and doesn't.
 * @param {AtList} kept @param {LobbyState} lobby @param {Moment} moment
 * @returns {{ kept: AtList, signal: Signal | null }}
 */
export function atList(kept, lobby, moment) {
  // A list that was lost may be old; what changed meanwhile is told when it is back.
  if (lobby.state !== 'live') return { kept, signal: null };
  const { now } = moment;
  const waiting = new Set(lobby.rooms.filter((room) => room.waiting).map((room) => room.id));
  const came = kept.waiting === null ? [] : [...waiting].filter((id) => !kept.waiting?.has(id) && longAgo(kept.waited.get(id) ?? null, now, KNOCK_APART_MS));
  const waited = new Map([...kept.waited].filter(([, at]) => !longAgo(at, now, KNOCK_APART_MS)));
  for (const id of [...waiting, ...kept.waiting ?? []]) waited.set(id, now);
  const sounds = came.length > 0 && allowed(moment) && longAgo(kept.sounded, now, APART_MS);
  return { kept: { waiting, waited, sounded: sounds ? now : kept.sounded }, signal: sounds ? 'knock' : null };
}
