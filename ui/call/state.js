// The state of a call: `reduce(state, event, now)` gives the next state and changes nothing in the
// one before. No document, no clock: `now` is the wall clock's milliseconds, passed in.

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
 * A short notice on the stage. Comings and goings of one kind share one notice.
 * @typedef {{ type: 'coming', key: string, kind: ComingKind, people: Person[], until: number }
 *   | { type: 'chat', key: string, people: Person[], text: string, until: number }
 *   | { type: 'refused', key: string, code: Code, people: Person[], until: number }} Notice
 */

/**
 * `met`: whether anybody else was in the room since we came.
 * @typedef {{
 *   connection: 'connecting' | 'connected' | 'reconnecting' | 'ended',
 *   code: Code | 'unreachable' | 'pin_mismatch' | null,
 *   closing: boolean,
 *   room: RoomInfo | null,
 *   you: MemberId | null,
 *   members: Readonly<Record<MemberId, Member>>,
 *   order: readonly MemberId[],
 *   pictures: Readonly<Record<MemberId, Picture>>,
 *   self: Picture,
 *   camera: CameraState,
 *   entries: readonly Entry[],
 *   pending: readonly { key: string, text: string }[],
 *   lastSeq: number,
 *   unread: number,
 *   chatOpen: boolean,
 *   notices: readonly Notice[],
 *   joinedAt: number | null,
 *   met: boolean,
 *   serial: number,
 * }} State
 */

/**
 * What the page itself does.
 * @typedef {{ type: 'chat_opened', open: boolean } | { type: 'chat_sent', text: string }
 *   | { type: 'notice_closed', key: string } | { type: 'tick' } | { type: 'left_by_us' }} Act
 */

/** How long a notice stays, in ms: two short lines read slowly. */
export const NOTICE_MS = 6_000;
/** Notices on the stage at once; older ones go first. */
export const MAX_NOTICES = 3;
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
    pictures: {},
    self: NO_PICTURE,
    camera: 'off',
    entries: [],
    pending: [],
    lastSeq: 0,
    unread: 0,
    chatOpen: false,
    notices: [],
    joinedAt: null,
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
  switch (event.type) {
    case 'relay': return relay(state, event.message, now);
    case 'connection': return connection(state, event);
    case 'camera': return {
      ...state,
      camera: event.state,
      self: event.state === 'on' ? state.self : NO_PICTURE,
    };
    case 'picture': return picture(state, event);
    case 'chat_opened': return opened(state, event.open);
    case 'chat_sent': return sent(state, event.text);
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
 * @returns {'reconnecting' | 'camera_off' | 'undecodable' | 'stalled' | 'loading' | 'moving'}
 */
export function tileOf(state, id) {
  const member = state.members[id];
  const shown = state.pictures[id] ?? NO_PICTURE;
  if (!member || member.connection === 'reconnecting') return 'reconnecting';
  if (!hasCamera(member)) return 'camera_off';
  if (shown.state === 'none') return 'loading';
  return shown.state;
}

/** When the next notice runs out, or null. @param {State} state */
export function nextTick(state) {
  return state.notices.length ? Math.min(...state.notices.map((n) => n.until)) : null;
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
  return { ...state, pictures: { ...state.pictures, [event.member]: { state: moving, width, height } } };
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
      const next = withMember(state, message.member);
      // The same member told of twice (a resumed session) is no new guest.
      if (next.order.length === state.order.length) return next;
      return coming(next, 'joined', { id: message.member.id, name: message.member.name }, now);
    }
    case 'member_changed': return state.members[message.member.id] ? withMember(state, message.member) : state;
    case 'member_left': return departed(state, message, now);
    case 'chat': return chat(state, message, now);
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
  let next = { ...state, room: message.room, you: message.you, members, order, pictures, joinedAt: state.joinedAt ?? now, met: state.met || order.length > 0 };
  for (const line of message.chat) next = chatLine(next, line, now, true);
  return next;
}

/**
 * @param {State} state @param {Member} member
 * @returns {State}
 */
function withMember(state, member) {
  const order = member.id === state.you || state.order.includes(member.id) ? state.order : [...state.order, member.id];
  const members = { ...state.members, [member.id]: member };
  // A camera that was switched off and on again starts with no picture, not with the old one.
  const pictures = hasCamera(member) ? state.pictures : without(state.pictures, member.id);
  return { ...state, members, order, pictures, met: state.met || order.length > 0 };
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
  };
  return coming(next, message.reason === 'lost' ? 'lost' : 'left', { id: member.id, name: member.name }, now);
}

/**
 * Somebody came or went: a notice on the stage and a line in the chat, each merged with the last
 * of its kind, so that a shift's arrival is one line and not ten.
 * @param {State} state @param {ComingKind} kind @param {Person} person @param {number} now
 * @returns {State}
 */
function coming(state, kind, person, now) {
  const until = now + NOTICE_MS;
  // The newest word about a person is the only one.
  const others = state.notices
    .map((n) => (n.type === 'coming' ? { ...n, people: n.people.filter((p) => p.id !== person.id) } : n))
    .filter((n) => n.type !== 'coming' || n.people.length > 0);
  const same = others.find((n) => n.type === 'coming' && n.kind === kind);
  /** @type {Notice} */
  const notice = same && same.type === 'coming'
    ? { ...same, people: [...same.people, person], until }
    : { type: 'coming', key: `n${state.serial}`, kind, people: [person], until };
  const notices = same ? others.map((n) => (n === same ? notice : n)) : [...others, notice];

  const last = state.entries[state.entries.length - 1];
  const merges = last && last.type === 'coming' && last.kind === kind && now - last.at < 60_000;
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
  const unseen = !own && !past && !state.chatOpen;
  /** @type {Notice} */
  const notice = { type: 'chat', key: `n${state.serial}`, people: [{ id: line.from, name: line.name }], text: line.text, until: now + NOTICE_MS };
  return {
    ...state,
    lastSeq: line.seq,
    entries: [...state.entries, entry].slice(-MAX_ENTRIES),
    // Lines come back in the order in which they were sent.
    pending: own && !past ? state.pending.slice(1) : state.pending,
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
  return { ...state, pending: [...state.pending, { key: `p${state.serial}`, text }], serial: state.serial + 1 };
}

/**
 * @param {State} state @param {boolean} open
 * @returns {State}
 */
function opened(state, open) {
  return {
    ...state,
    chatOpen: open,
    unread: open ? 0 : state.unread,
    notices: open ? state.notices.filter((n) => n.type !== 'chat') : state.notices,
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
    pending: chatRefused ? state.pending.slice(1) : state.pending,
    notices: [...state.notices.filter((n) => n.type !== 'refused' || n.code !== code), notice].slice(-MAX_NOTICES),
    serial: state.serial + 1,
  };
}

/**
 * @param {State} state @param {number} now
 * @returns {State}
 */
function tick(state, now) {
  if (state.notices.every((n) => n.until > now)) return state;
  return { ...state, notices: state.notices.filter((n) => n.until > now) };
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
