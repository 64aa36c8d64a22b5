// The state of a call: `reduce(state, event, now)` gives the next state and changes nothing in the
// one before. No document, no clock: `now` is the wall clock's milliseconds, passed in.
import { followed, pin, unfocused } from './focus.js';
import { missing, soundOnly, whole } from './line.js';
import { device, gone, hearing, levels, microphone, silent, tells } from './sound.js';

/** @typedef {import('../platform/types').CallEvent} CallEvent */
/** @typedef {import('../platform/types').CameraState} CameraState */
/** @typedef {import('../platform/types').MemberId} MemberId */
/** @typedef {import('../generated').RelayMessage} RelayMessage */
/** @typedef {import('../generated').Member} Member */
/** @typedef {import('../generated').RoomInfo} RoomInfo */
/** @typedef {import('../generated').Code} Code */

/** @typedef {{ state: 'none' | 'moving' | 'stalled' | 'undecodable', width: number, height: number }} Picture */
/** @typedef {'joined' | 'left' | 'lost'} ComingKind */
/** @typedef {{ id: MemberId, name: string }} Person */

/**
 * A line of the chat panel: something written, or who came and went.
 * @typedef {{ type: 'line', key: string, seq: number, from: MemberId, name: string, text: string, at: number, own: boolean }
 *   | { type: 'coming', key: string, kind: ComingKind, people: Person[], at: number }} Entry
 */

/**
 * A short notice. All who came and went within a short time share one, with the newest word about each.
 * @typedef {{ type: 'coming', key: string, people: (Person & { kind: ComingKind, at: number })[], until: number }
 *   | { type: 'chat', key: string, people: Person[], text: string, until: number }
 *   | { type: 'refused', key: string, code: Code, people: Person[], until: number }
 *   | { type: 'muted', key: string, people: Person[], until: number }
 *   | { type: 'pinned', key: string, people: Person[], until: number }
 *   | { type: 'line', key: string, back: 'down' | 'up', people: Person[], until: number }
 *   | { type: 'device', device: import('./sound.js').Device, key: string, people: Person[], name: string, until: number }} Notice
 */

/** What stands beside the people, or over them on a small screen. @typedef {'chat' | 'people'} Panel */

/** A line that isn't in the room yet, or was refused. @typedef {{ key: string, text: string, refused: Code | null }} Pending */

/**
 * `met`: whether anybody else was in the room since we came. `since`: since when a member's picture
 * is waited for, in ms; `late`: who has been waited for long. `clock`: the minute that is shown.
 * `audioOnly`: no picture is sent and none is asked for, because the person wants it so. `focus`: who
 * is large where somebody is.
 * @typedef {{
 *   connection: 'connecting' | 'connected' | 'reconnecting' | 'ended',
 *   code: Code | 'unreachable' | 'pin_mismatch' | null,
 *   closing: boolean,
 *   room: RoomInfo | null,
 *   you: MemberId | null,
 *   members: Readonly<Record<MemberId, Member>>,
 *   order: readonly MemberId[],
 *   focus: import('./focus.js').Focus,
 *   pictures: Readonly<Record<MemberId, Picture>>,
 *   since: Readonly<Record<MemberId, number>>,
 *   late: Readonly<Record<MemberId, true>>,
 *   self: Picture,
 *   camera: CameraState,
 *   audioOnly: boolean,
 *   sound: import('./sound.js').Sound,
 *   line: import('./line.js').Line,
 *   way: import('./connection.js').Way | null,
 *   entries: readonly Entry[],
 *   pending: readonly Pending[],
 *   lastSeq: number,
 *   unread: number,
 *   panel: Panel | null,
 *   notices: readonly Notice[],
 *   joinedAt: number | null,
 *   clock: number,
 *   met: boolean,
 *   serial: number,
 * }} State
 */

/**
 * What the page itself does.
 * @typedef {{ type: 'panel', panel: Panel | null } | { type: 'chat_sent', text: string }
 *   | { type: 'chat_again', key: string } | { type: 'chat_dropped', key: string }
 *   | { type: 'audio_only', on: boolean } | { type: 'volume', member: MemberId, volume: number }
 *   | { type: 'pin', member: MemberId | null } | { type: 'notice_closed', key: string } | { type: 'tick' } | { type: 'left_by_us' }} Act
 */

/** How long a notice stays, in ms: two short lines read slowly. */
export const NOTICE_MS = 6_000;
/** Notices at once, one of a kind; older ones go first. */
export const MAX_NOTICES = 3;
/** After so many ms without a first picture a tile says more than that it comes. */
export const LATE_MS = 6_000;
const MINUTE = 60_000;
/** Entries of the chat panel kept; a call of a day can't fill the memory. */
export const MAX_ENTRIES = 500;

/** @type {Picture} */
const NO_PICTURE = { state: 'none', width: 0, height: 0 };

/** @returns {State} */
export function initial() {
  return {
    connection: 'connecting',
    code: null,
    closing: false,
    room: null,
    you: null,
    members: {},
    order: [],
    focus: unfocused(),
    pictures: {},
    since: {},
    late: {},
    self: NO_PICTURE,
    camera: 'off',
    audioOnly: false,
    sound: silent(),
    line: whole(),
    way: null,
    entries: [],
    pending: [],
    lastSeq: 0,
    unread: 0,
    panel: null,
    notices: [],
    joinedAt: null,
    clock: 0,
    met: false,
    serial: 0,
  };
}

/**
 * @param {State} state
 * @param {CallEvent | Act} event
 * @param {number} now
 * @returns {State}
 */
export function reduce(state, event, now) {
  const next = step(state, event, now);
  const focus = event.type === 'pin'
    ? pin(next.focus, next, event.member, now) : followed(next.focus, next, event.type === 'levels' ? event.members : null, now);
  return focus === next.focus ? next : { ...next, focus };
}

/**
 * @param {State} state
 * @param {CallEvent | Act} event
 * @param {number} now
 * @returns {State}
 */
function step(state, event, now) {
  switch (event.type) {
    case 'relay': return relay(state, event.message, now);
    case 'connection': return connection(state, event);
    case 'way': return { ...state, way: { control: event.control, step: event.step, why: event.why } };
    case 'camera': return {
      ...state,
      camera: event.state,
      self: event.state === 'on' ? state.self : NO_PICTURE,
    };
    case 'picture': return picture(state, event);
    case 'microphone': return {
      ...state,
      sound: microphone(state.sound, event.state),
      notices: event.state === 'muted' ? state.notices : state.notices.filter((n) => n.type !== 'muted'),
    };
    case 'sound': return { ...state, sound: hearing(state.sound, event.state) };
    case 'device': return moved(state, event, now);
    case 'levels': return heard(state, event, now);
    case 'uplink': return line(state, 'up', event.carries, now);
    case 'volume': return state.members[event.member]
      ? { ...state, sound: { ...state.sound, volumes: { ...state.sound.volumes, [event.member]: event.volume } } } : state;
    case 'pin': return told(state, event.member, now);
    case 'audio_only': return audioOnly(state, event.on, now);
    case 'panel': return opened(state, event.panel);
    case 'chat_sent': return sent(state, event.text);
    case 'chat_again': return again(state, event.key);
    case 'chat_dropped': return { ...state, pending: state.pending.filter((one) => one.key !== event.key) };
    case 'notice_closed': return { ...state, notices: state.notices.filter((n) => n.key !== event.key) };
    case 'tick': return tick(state, now);
    case 'left_by_us': return state.connection === 'ended' ? state : { ...state, connection: 'ended', code: null };
    default: return state;
  }
}

/** Whether anybody else is in the room. @param {State} state */
export function alone(state) {
  return state.order.length === 0;
}

/** Whether the member could send a picture now. @param {Member} member */
export function hasCamera(member) {
  return member.tracks.some((track) => track.source === 'camera');
}

/**
 * What a member's tile shows.
 * @param {State} state @param {MemberId} id
 * @returns {'reconnecting' | 'paused' | 'camera_off' | 'audio_only' | 'undecodable' | 'stalled' | 'loading' | 'late' | 'moving'}
 */
export function tileOf(state, id) {
  const member = state.members[id];
  const shown = state.pictures[id] ?? NO_PICTURE;
  if (!member || member.connection === 'reconnecting') return 'reconnecting';
  // What comes of a try is shown; what doesn't isn't waited for.
  if (member.line === 'sound' && shown.state !== 'moving') return 'paused';
  if (!hasCamera(member)) return 'camera_off';
  if (soundOnly(state)) return 'audio_only';
  if (shown.state === 'none') return state.late[id] ? 'late' : 'loading';
  return shown.state;
}

/** Whole minutes since we came in. @param {State} state */
export function minutes(state) {
  return state.joinedAt === null ? 0 : Math.max(0, Math.floor((state.clock - state.joinedAt) / MINUTE));
}

/** When something changes by itself, or null: a notice runs out, a picture is late, a minute is over. @param {State} state */
export function nextTick(state) {
  const times = [
    ...state.notices.map((n) => n.until),
    ...Object.entries(state.since).filter(([id]) => !state.late[Number(id)]).map(([, since]) => since + LATE_MS),
    ...(state.joinedAt === null ? [] : [state.clock + MINUTE]),
  ];
  return times.length ? Math.min(...times) : null;
}

/**
 * @param {State} state @param {Extract<CallEvent, { type: 'connection' }>} event
 * @returns {State}
 */
function connection(state, event) {
  // An ended call stays ended, and the first reason is the true one.
  if (state.connection === 'ended') return state;
  const code = event.state === 'ended' ? event.code ?? null : null;
  return { ...state, connection: event.state, code };
}

/**
 * @param {State} state @param {Extract<CallEvent, { type: 'picture' }>} event
 * @returns {State}
 */
function picture(state, event) {
  const { state: moving, width, height } = event;
  if (event.member === 'self') return { ...state, self: { state: moving, width, height } };
  if (!state.members[event.member]) return state;
  return {
    ...state,
    pictures: { ...state.pictures, [event.member]: { state: moving, width, height } },
    since: without(state.since, event.member),
    late: without(state.late, event.member),
  };
}

/**
 * @param {State} state @param {Extract<CallEvent, { type: 'levels' }>} event @param {number} now
 * @returns {State}
 */
function heard(state, event, now) {
  const next = { ...state, sound: levels(state.sound, event) };
  if (!tells(state.sound, event, now)) return next;
  /** @type {Notice} */
  const notice = { type: 'muted', key: `n${state.serial}`, people: [], until: now + NOTICE_MS };
  return {
    ...next,
    sound: { ...next.sound, told: now },
    notices: [...state.notices.filter((n) => n.type !== 'muted'), notice].slice(-MAX_NOTICES),
    serial: state.serial + 1,
  };
}

/**
 * Who is large from now on because the person wants it so is said, with the way back.
 * @param {State} state @param {MemberId | null} id @param {number} now
 * @returns {State}
 */
function told(state, id, now) {
  const others = state.notices.filter((n) => n.type !== 'pinned');
  const member = id === null ? undefined : state.members[id];
  if (!member) return others.length === state.notices.length ? state : { ...state, notices: others };
  /** @type {Notice} */
  const notice = { type: 'pinned', key: `n${state.serial}`, people: [{ id: member.id, name: member.name }], until: now + NOTICE_MS };
  return { ...state, notices: [...others, notice].slice(-MAX_NOTICES), serial: state.serial + 1 };
}

/**
 * Another microphone or loudspeaker than before: pulled out, plugged in, the system's choice, or one's own.
 * @param {State} state @param {Extract<CallEvent, { type: 'device' }>} event @param {number} now
 * @returns {State}
 */
function moved(state, event, now) {
  const { sound, changed } = device(state.sound, event);
  if (!changed) return sound === state.sound ? state : { ...state, sound };
  /** @type {Notice} */
  const notice = { type: 'device', device: event.device, key: `n${state.serial}`, people: [], name: event.name, until: now + NOTICE_MS };
  return {
    ...state,
    sound,
    notices: [...state.notices.filter((n) => n.type !== 'device' || n.device !== event.device), notice].slice(-MAX_NOTICES),
    serial: state.serial + 1,
  };
}

/**
 * Pictures that were there stay known: nobody says anew that they move when they are shown again.
 * @param {State} state @param {boolean} on @param {number} now
 * @returns {State}
 */
function audioOnly(state, on, now) {
  return state.audioOnly === on ? state : waitForAll({ ...state, audioOnly: on }, now);
}

/**
 * What the line carries changed, to here or from here. That nothing is missing any more is said.
 * @param {State} state @param {keyof import('./line.js').Line} way @param {import('./line.js').Carries} carries @param {number} now
 * @returns {State}
 */
function line(state, way, carries, now) {
  if (carries === 'unknown' || state.line[way] === carries) return state;
  const next = waitForAll({ ...state, line: { ...state.line, [way]: carries } }, now);
  const notices = state.notices.filter((n) => n.type !== 'line' || n.back !== way);
  const was = missing(state);
  if (carries === 'sound' || (was !== way && was !== 'both')) return { ...next, notices };
  /** @type {Notice} */
  const notice = { type: 'line', key: `n${state.serial}`, back: way, people: [], until: now + NOTICE_MS };
  return { ...next, notices: [...notices, notice].slice(-MAX_NOTICES), serial: state.serial + 1 };
}

/**
 * @param {State} state @param {RelayMessage} message @param {number} now
 * @returns {State}
 */
function relay(state, message, now) {
  switch (message.type) {
    case 'joined': return joined(state, message, now);
    case 'left': return reduce(state, { type: 'left_by_us' }, now);
    case 'member_joined': {
      const next = withMember(state, message.member, now);
      // The same member told of twice (a resumed session) is no new guest.
      if (next.order.length === state.order.length) return next;
      return coming(next, 'joined', { id: message.member.id, name: message.member.name }, now);
    }
    case 'member_changed': return state.members[message.member.id] ? withMember(state, message.member, now) : state;
    case 'member_left': return departed(state, message, now);
    case 'speaker': return { ...state, sound: { ...state.sound, speaker: message.member } };
    case 'chat': return chat(state, message, now);
    case 'line': return line(state, 'down', message.carries, now);
    case 'closing': return { ...state, closing: true };
    case 'error': return refused(state, message.code, now);
    default: return state;
  }
}

/**
 * @param {State} state @param {Extract<RelayMessage, { type: 'joined' }>} message @param {number} now
 * @returns {State}
 */
function joined(state, message, now) {
  /** @type {Record<MemberId, Member>} */
  const members = {};
  for (const member of message.members) members[member.id] = member;
  const others = message.members.map((member) => member.id).filter((id) => id !== message.you);
  // Who had a place keeps it: joining again must not shuffle the tiles.
  const order = [...state.order.filter((id) => others.includes(id)), ...others.filter((id) => !state.order.includes(id))];
  const pictures = Object.fromEntries(Object.entries(state.pictures).filter(([id]) => members[Number(id)]));
  /** @type {State} */
  let next = {
    ...state, room: message.room, you: message.you, members, order, pictures, since: {}, late: {},
    line: { ...state.line, down: 'pictures' },
    joinedAt: state.joinedAt ?? now, clock: now, met: state.met || order.length > 0,
  };
  next = waitForAll(next, now);
  // Told again after a long break: what was written meanwhile is new, what was sent may be among it.
  const past = state.joinedAt === null;
  for (const line of message.chat) next = chatLine(next, line, now, past);
  return next;
}

/** @param {State} state @param {number} now */
function waitForAll(state, now) {
  return state.order.reduce((next, id) => waitFor(next, next.members[id], now), state);
}

/**
 * A member's picture is waited for from now on, or not any more.
 * @param {State} state @param {Member} member @param {number} now
 * @returns {State}
 */
function waitFor(state, member, now) {
  const waits = !soundOnly(state) && member.id !== state.you && hasCamera(member) && member.connection === 'connected' && !state.pictures[member.id];
  if (waits) return state.since[member.id] ? state : { ...state, since: { ...state.since, [member.id]: now } };
  if (!state.since[member.id]) return state;
  return { ...state, since: without(state.since, member.id), late: without(state.late, member.id) };
}

/**
 * @param {State} state @param {Member} member @param {number} now
 * @returns {State}
 */
function withMember(state, member, now) {
  const order = member.id === state.you || state.order.includes(member.id) ? state.order : [...state.order, member.id];
  const members = { ...state.members, [member.id]: member };
  // A camera that was switched off and on again starts with no picture, not with the old one.
  const pictures = hasCamera(member) ? state.pictures : without(state.pictures, member.id);
  return waitFor({ ...state, members, order, pictures, met: state.met || order.length > 0 }, member, now);
}

/**
 * @param {State} state @param {Extract<RelayMessage, { type: 'member_left' }>} message @param {number} now
 * @returns {State}
 */
function departed(state, message, now) {
  const member = state.members[message.member];
  if (!member || message.member === state.you) return state;
  const next = {
    ...state,
    members: without(state.members, message.member),
    order: state.order.filter((id) => id !== message.member),
    pictures: without(state.pictures, message.member),
    since: without(state.since, message.member),
    late: without(state.late, message.member),
    sound: gone(state.sound, message.member),
  };
  return coming(next, message.reason === 'lost' ? 'lost' : 'left', { id: member.id, name: member.name }, now);
}

/**
 * Somebody came or went: one notice for all who did so within a short time, and a line in the chat,
 * merged with the last of its kind, so that a shift's arrival is one line and not ten.
 * @param {State} state @param {ComingKind} kind @param {Person} person @param {number} now
 * @returns {State}
 */
function coming(state, kind, person, now) {
  const before = state.notices.find((n) => n.type === 'coming');
  // The newest word about a person is the only one, and what was read long enough isn't said again.
  const people = before?.type === 'coming' ? before.people.filter((p) => p.id !== person.id && now - p.at < NOTICE_MS) : [];
  /** @type {Notice} */
  const notice = {
    type: 'coming', key: before?.key ?? `n${state.serial}`, people: [...people, { ...person, kind, at: now }], until: now + NOTICE_MS,
  };
  const notices = [...state.notices.filter((n) => n !== before), notice];

  const last = state.entries[state.entries.length - 1];
  const merges = last && last.type === 'coming' && last.kind === kind && now - last.at < MINUTE;
  /** @type {Entry} */
  const entry = merges
    ? { ...last, people: [...last.people.filter((p) => p.id !== person.id), person] }
    : { type: 'coming', key: `e${state.serial}`, kind, people: [person], at: now };
  const entries = merges ? [...state.entries.slice(0, -1), entry] : [...state.entries, entry];

  return {
    ...state,
    notices: notices.slice(-MAX_NOTICES),
    entries: entries.slice(-MAX_ENTRIES),
    serial: state.serial + 1,
  };
}

/**
 * @param {State} state @param {Extract<RelayMessage, { type: 'chat' }>} line @param {number} now
 * @returns {State}
 */
function chat(state, line, now) {
  return chatLine(state, line, now, false);
}

/**
 * @param {State} state
 * @param {{ seq: number, from: MemberId, name: string, text: string, at_ms: number }} line
 * @param {number} now @param {boolean} past whether it was written before we came
 * @returns {State}
 */
function chatLine(state, line, now, past) {
  if (line.seq <= state.lastSeq) return state;
  const own = line.from === state.you;
  /** @type {Entry} */
  const entry = { type: 'line', key: `c${line.seq}`, seq: line.seq, from: line.from, name: line.name, text: line.text, at: line.at_ms, own };
  const unseen = !own && !past && state.panel !== 'chat';
  /** @type {Notice} */
  const notice = { type: 'chat', key: `n${state.serial}`, people: [{ id: line.from, name: line.name }], text: line.text, until: now + NOTICE_MS };
  return {
    ...state,
    lastSeq: line.seq,
    entries: [...state.entries, entry].slice(-MAX_ENTRIES),
    pending: own && !past ? answered(state.pending, null) : state.pending,
    unread: unseen ? state.unread + 1 : state.unread,
    // Only the newest line is announced on the stage; the others are in the panel.
    notices: unseen ? [...state.notices.filter((n) => n.type !== 'chat'), notice].slice(-MAX_NOTICES) : state.notices,
    serial: state.serial + 1,
  };
}

/**
 * @param {State} state @param {string} text
 * @returns {State}
 */
function sent(state, text) {
  return { ...state, pending: [...state.pending, { key: `p${state.serial}`, text, refused: null }], serial: state.serial + 1 };
}

/**
 * A refused line is sent once more, behind all others.
 * @param {State} state @param {string} key
 * @returns {State}
 */
function again(state, key) {
  const line = state.pending.find((one) => one.key === key && one.refused);
  if (!line) return state;
  return { ...state, pending: [...state.pending.filter((one) => one !== line), { ...line, refused: null }] };
}

/**
 * The first line that is on its way is in the room, or was refused: answers come in the order in
 * which lines were sent. A refused one stays, so that nothing written is lost.
 * @param {readonly Pending[]} pending @param {Code | null} code
 * @returns {readonly Pending[]}
 */
function answered(pending, code) {
  const first = pending.find((one) => !one.refused);
  if (!first) return pending;
  return code
    ? pending.map((one) => (one === first ? { ...one, refused: code } : one))
    : pending.filter((one) => one !== first);
}

/**
 * @param {State} state @param {Panel | null} panel
 * @returns {State}
 */
function opened(state, panel) {
  const chat = panel === 'chat';
  return {
    ...state,
    panel,
    unread: chat ? 0 : state.unread,
    notices: chat ? state.notices.filter((n) => n.type !== 'chat') : state.notices,
  };
}

/**
 * @param {State} state @param {Code} code @param {number} now
 * @returns {State}
 */
function refused(state, code, now) {
  // A refusal before the room was entered ends the call; the platform says so itself.
  if (!state.room) return state;
  const chatRefused = code === 'chat_empty' || code === 'chat_too_long' || code === 'rate_limited';
  /** @type {Notice} */
  const notice = { type: 'refused', key: `n${state.serial}`, code, people: [], until: now + NOTICE_MS };
  return {
    ...state,
    pending: chatRefused ? answered(state.pending, code) : state.pending,
    notices: [...state.notices.filter((n) => n.type !== 'refused' || n.code !== code), notice].slice(-MAX_NOTICES),
    serial: state.serial + 1,
  };
}

/**
 * @param {State} state @param {number} now
 * @returns {State}
 */
function tick(state, now) {
  const overdue = Object.entries(state.since).filter(([id, since]) => !state.late[Number(id)] && now >= since + LATE_MS);
  const minute = state.joinedAt !== null && now >= state.clock + MINUTE;
  const over = state.notices.some((n) => n.until <= now);
  if (!over && !overdue.length && !minute) return state;
  return {
    ...state,
    notices: over ? state.notices.filter((n) => n.until > now) : state.notices,
    late: overdue.length ? { ...state.late, ...Object.fromEntries(overdue.map(([id]) => [id, /** @type {const} */ (true)])) } : state.late,
    // Whole minutes of the call: a clock that stood still in a sleeping tab catches up.
    clock: minute ? now - ((now - (state.joinedAt ?? now)) % MINUTE) : state.clock,
  };
}

/**
 * @template T
 * @param {Readonly<Record<number, T>>} record @param {number} key
 * @returns {Record<number, T>}
 */
function without(record, key) {
  const copy = { ...record };
  delete copy[key];
  return copy;
}
