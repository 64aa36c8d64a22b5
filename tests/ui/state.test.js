// The call's state: what is told by the relay and done by the person, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { alone, initial, LATE_MS, MAX_ENTRIES, MAX_NOTICES, minutes, nextTick, NOTICE_MS, reduce, tileOf } from '../../ui/call/state.js';

/** @typedef {import('../../ui/call/state.js').State} State */
/** @typedef {Parameters<typeof reduce>[1]} Event */

const T = 1_000_000;
/** @type {any[]} */
const camera = [{ id: 0, source: 'camera', codec: 'h264', layers: [] }];
/** @param {number} id @param {string} name @param {object} [more] @returns {any} */
const member = (id, name, more = {}) => ({ id, name, role: 'family', tracks: camera, connection: 'connected', ...more });
/** @param {object} message @returns {Event} */
const relay = (message) => /** @type {any} */ ({ type: 'relay', message });
const room = { id: '00ff10abcdef0123', name: 'Cama 7', kind: 'bed', members: 1, waiting: false, since_ms: T };
/** @param {any[]} others @param {any[]} [chat] */
const joined = (others, chat = []) => relay({ type: 'joined', room, you: 9, members: [member(9, 'Yo'), ...others], chat });
/** @param {number} seq @param {number} from @param {string} text */
const line = (seq, from, text) => ({ type: 'chat', seq, from, name: `m${from}`, text, at_ms: T + seq });

/** @param {Event[]} events @param {State} [from] @param {number} [now] */
const after = (events, from = initial(), now = T) => events.reduce((state, event) => reduce(state, event, now), from);
/** @param {State} state */
const comings = (state) => state.notices.flatMap((n) => (n.type === 'coming' ? n.people.map((p) => `${p.kind} ${p.name}`) : []));

test('joining gives the room, oneself, and the others in a stable order', () => {
  const state = after([{ type: 'connection', state: 'connected' }, joined([member(1, 'Ana'), member(2, 'Luis')])]);
  assert.equal(state.connection, 'connected');
  assert.equal(state.you, 9);
  assert.deepEqual(state.order, [1, 2]);
  assert.equal(state.joinedAt, T);
  assert.deepEqual(state.notices, [], 'who was there before is no news');
});

test('nothing is changed in the state before', () => {
  const before = after([joined([member(1, 'Ana')])]);
  const copy = JSON.stringify(before);
  after([relay({ type: 'member_joined', member: member(2, 'Luis') }), relay({ type: 'member_left', member: 1, reason: 'left' }), relay(line(1, 1, 'x'))], before);
  assert.equal(JSON.stringify(before), copy);
});

test('a place is kept while others come and go, and over joining again', () => {
  let state = after([joined([member(1, 'Ana'), member(2, 'Luis'), member(3, 'Inés')])]);
  state = after([relay({ type: 'member_left', member: 2, reason: 'left' }), relay({ type: 'member_joined', member: member(4, 'Marco') })], state);
  assert.deepEqual(state.order, [1, 3, 4]);
  state = after([joined([member(4, 'Marco'), member(3, 'Inés'), member(5, 'Sofía')])], state);
  assert.deepEqual(state.order, [3, 4, 5]);
});

test('told the whole room again after a long break: what was missed is new, what was sent is sent', () => {
  let state = after([joined([member(1, 'Ana')], [line(1, 1, 'old')]), relay(line(2, 1, 'heard')), { type: 'chat_sent', text: 'mine' }]);
  state = after([joined([member(3, 'Inés')], [line(2, 1, 'heard'), line(7, 9, 'mine'), line(8, 3, 'missed')])], state);
  assert.deepEqual(state.entries.flatMap((e) => (e.type === 'line' ? e.text : [])), ['old', 'heard', 'mine', 'missed']);
  assert.deepEqual(state.pending, []);
  assert.equal(state.unread, 2, 'heard and missed');
  assert.deepEqual(state.order, [3]);
});

test('who comes and goes within a short time is one notice, and those of one kind one line of the chat', () => {
  let state = after([joined([]), ...[1, 2, 3, 4, 5].map((id) => relay({ type: 'member_joined', member: member(id, `m${id}`) }))]);
  assert.deepEqual(comings(state), ['joined m1', 'joined m2', 'joined m3', 'joined m4', 'joined m5']);
  assert.equal(state.entries.length, 1);
  state = after([relay({ type: 'member_left', member: 2, reason: 'left' })], state, T + 1000);
  assert.equal(state.notices.length, 1);
  assert.deepEqual(comings(state), ['joined m1', 'joined m3', 'joined m4', 'joined m5', 'left m2'], 'the newest word about each');
  assert.equal(state.entries.length, 2);
});

test('what was read long enough is not said again with what is new', () => {
  let state = after([joined([]), relay({ type: 'member_joined', member: member(1, 'Ana') })]);
  // One after the other, each before the notice runs out.
  for (let id = 11; id <= 30; id += 1) {
    const now = T + (id - 10) * (NOTICE_MS - 2000);
    state = after([{ type: 'tick' }, relay({ type: 'member_joined', member: member(id, `m${id}`) })], state, now);
    assert.equal(state.notices.length, 1);
    assert.ok(comings(state).length <= 2, comings(state).join());
    assert.ok(comings(state).includes(`joined m${id}`));
  }
});

test('somebody on a weak line who comes and goes is one word', () => {
  let state = after([joined([member(1, 'Ana')])]);
  for (let i = 0; i < 10; i += 1) {
    const now = T + i * 500;
    state = after([relay({ type: 'member_left', member: 1, reason: 'lost' }), relay({ type: 'member_joined', member: member(1, 'Ana') })], state, now);
  }
  assert.deepEqual(comings(state), ['joined Ana']);
});

test('notices never pile up and go by themselves', () => {
  let state = after([joined([])]);
  for (let i = 1; i <= 40; i += 1) {
    state = after([
      relay({ type: 'member_joined', member: member(i, `m${i}`) }), relay(line(i, i, 'x')),
      relay({ type: 'error', code: 'rate_limited' }), relay({ type: 'member_left', member: i, reason: i % 2 ? 'left' : 'lost' }),
    ], state);
    assert.ok(state.notices.length <= MAX_NOTICES);
  }
  assert.equal(nextTick(state), T + NOTICE_MS);
  assert.equal(new Set(state.notices.map((n) => n.type)).size, state.notices.length, 'one of a kind');
  assert.equal(after([{ type: 'tick' }], state, T + NOTICE_MS - 1), state, 'nothing to do is nothing new');
  assert.deepEqual(after([{ type: 'tick' }], state, T + NOTICE_MS).notices, []);
});

test('a member told of twice is one member', () => {
  const state = after([joined([member(1, 'Ana')]), relay({ type: 'member_joined', member: member(1, 'Ana') })]);
  assert.deepEqual(state.order, [1]);
  assert.deepEqual(state.notices, []);
});

test('a member who is unknown neither changes nor leaves', () => {
  const state = after([joined([member(1, 'Ana')])]);
  assert.equal(after([relay({ type: 'member_left', member: 77, reason: 'left' })], state), state);
  assert.equal(after([relay({ type: 'member_changed', member: member(77, 'X') })], state), state);
  assert.equal(after([relay({ type: 'something_newer' })], state), state);
});

test('what a tile shows follows the member and its picture', () => {
  let state = after([joined([member(1, 'Ana')])]);
  assert.equal(tileOf(state, 1), 'loading');
  state = after([{ type: 'picture', member: 1, state: 'moving', width: 640, height: 360 }], state);
  assert.equal(tileOf(state, 1), 'moving');
  state = after([{ type: 'picture', member: 1, state: 'stalled', width: 640, height: 360 }], state);
  assert.equal(tileOf(state, 1), 'stalled');
  state = after([relay({ type: 'member_changed', member: member(1, 'Ana', { connection: 'reconnecting' }) })], state);
  assert.equal(tileOf(state, 1), 'reconnecting');
  state = after([relay({ type: 'member_changed', member: member(1, 'Ana', { tracks: [] }) })], state);
  assert.equal(tileOf(state, 1), 'camera_off');
  state = after([relay({ type: 'member_changed', member: member(1, 'Ana') })], state);
  assert.equal(tileOf(state, 1), 'loading', 'the old picture is not shown again');
});

test('a picture of one who left is not kept', () => {
  const state = after([
    joined([member(1, 'Ana')]), { type: 'picture', member: 1, state: 'moving', width: 4, height: 3 },
    relay({ type: 'member_left', member: 1, reason: 'left' }), { type: 'picture', member: 1, state: 'moving', width: 4, height: 3 },
  ]);
  assert.deepEqual(state.pictures, {});
  assert.ok(alone(state));
});

test('lines of chat come once, in order, and are counted while the panel is closed', () => {
  let state = after([joined([member(1, 'Ana')], [line(1, 1, 'before')])]);
  assert.equal(state.unread, 0, 'what was written before is not unread');
  state = after([relay(line(2, 1, 'a')), relay(line(2, 1, 'a')), relay(line(3, 1, 'b'))], state);
  assert.deepEqual(state.entries.map((entry) => (entry.type === 'line' ? entry.text : '')), ['before', 'a', 'b']);
  assert.equal(state.unread, 2);
  assert.equal(state.notices.filter((n) => n.type === 'chat').length, 1, 'only the newest is announced');
  state = after([{ type: 'panel', panel: 'chat' }, relay(line(4, 1, 'c'))], state);
  assert.equal(state.unread, 0);
  assert.deepEqual(state.notices, []);
});

test('joining again with the same lines doubles none', () => {
  const state = after([joined([], [line(1, 1, 'a'), line(2, 1, 'b')]), joined([], [line(1, 1, 'a'), line(2, 1, 'b'), line(3, 1, 'c')])]);
  assert.equal(state.entries.length, 3);
});

test('what was sent is pending until it comes back, first sent first', () => {
  let state = after([joined([]), { type: 'chat_sent', text: 'a' }, { type: 'chat_sent', text: 'b' }]);
  assert.deepEqual(state.pending.map((one) => one.text), ['a', 'b']);
  state = after([relay(line(1, 9, 'a'))], state);
  assert.deepEqual(state.pending.map((one) => one.text), ['b']);
  assert.equal(state.unread, 0);
});

test('a refused line stays until it is sent again or taken away', () => {
  let state = after([joined([]), { type: 'chat_sent', text: 'a' }, { type: 'chat_sent', text: 'b' }, relay({ type: 'error', code: 'rate_limited' })]);
  assert.deepEqual(state.pending.map((one) => [one.text, one.refused]), [['a', 'rate_limited'], ['b', null]]);
  assert.equal(state.notices[0].type, 'refused');
  state = after([relay(line(1, 9, 'b'))], state);
  assert.deepEqual(state.pending.map((one) => one.text), ['a'], 'the answer was to the line that was on its way');
  const { key } = state.pending[0];
  assert.equal(after([{ type: 'chat_again', key: 'p77' }], state), state);
  state = after([{ type: 'chat_again', key }], state);
  assert.equal(state.pending[0].refused, null);
  assert.equal(after([{ type: 'chat_again', key }], state), state, 'twice is once');
  assert.deepEqual(after([relay(line(2, 9, 'a'))], state).pending, []);
  assert.deepEqual(after([{ type: 'chat_dropped', key }], state).pending, []);
});

test('nothing that was written while the line was broken is lost', () => {
  const state = after([
    joined([]), { type: 'connection', state: 'reconnecting' }, { type: 'chat_sent', text: 'a' }, { type: 'chat_sent', text: 'b' },
    { type: 'connection', state: 'connected' },
  ]);
  assert.deepEqual(state.pending.map((one) => one.text), ['a', 'b']);
});

test('only the panel of the chat makes its lines read', () => {
  const state = after([joined([member(1, 'Ana')]), relay(line(1, 1, 'a')), { type: 'panel', panel: 'people' }, relay(line(2, 1, 'b'))]);
  assert.equal(state.unread, 2);
  assert.equal(after([{ type: 'panel', panel: 'chat' }], state).unread, 0);
});

test('a picture that does not come is late after a while, and waited for anew when its member comes back', () => {
  let state = after([joined([member(1, 'Ana'), member(2, 'Luis', { tracks: [] })])]);
  assert.equal(nextTick(state), T + LATE_MS);
  assert.equal(after([{ type: 'tick' }], state, T + LATE_MS - 1), state);
  state = after([{ type: 'tick' }], state, T + LATE_MS);
  assert.equal(tileOf(state, 1), 'late');
  assert.equal(tileOf(state, 2), 'camera_off');
  assert.equal(nextTick(state), T + 60_000, 'said once');
  state = after([relay({ type: 'member_changed', member: member(1, 'Ana', { connection: 'reconnecting' }) })], state, T + 7000);
  assert.equal(tileOf(state, 1), 'reconnecting');
  state = after([relay({ type: 'member_changed', member: member(1, 'Ana') })], state, T + 8000);
  assert.equal(tileOf(state, 1), 'loading');
  assert.equal(nextTick(state), T + 8000 + LATE_MS);
  state = after([{ type: 'picture', member: 1, state: 'moving', width: 640, height: 360 }], state, T + 9000);
  assert.equal(tileOf(after([{ type: 'tick' }], state, T + 30_000), 1), 'moving');
  state = after([relay({ type: 'member_joined', member: member(3, 'Inés') })], state, T + 10_000);
  state = after([relay({ type: 'member_left', member: 3, reason: 'left' })], state, T + 11_000);
  assert.deepEqual([state.since, state.late], [{}, {}], 'nobody who left is waited for');
});

test('the minutes of a call are counted from coming in, also after a long sleep', () => {
  let state = after([joined([])]);
  assert.equal(minutes(initial()), 0);
  assert.equal(minutes(state), 0);
  assert.equal(nextTick(state), T + 60_000);
  assert.equal(minutes(after([{ type: 'tick' }], state, T + 59_999)), 0);
  state = after([{ type: 'tick' }], state, T + 60_000);
  assert.equal(minutes(state), 1);
  state = after([{ type: 'tick' }], state, T + 60_000 * 90 + 7);
  assert.equal(minutes(state), 90);
  assert.equal(nextTick(state), T + 60_000 * 91, 'on the minute again');
  assert.equal(minutes(after([joined([])], state, T + 60_000 * 95)), 95, 'joining again is the same call');
});

test('the chat of a long day fits the memory', () => {
  let state = after([joined([])]);
  for (let seq = 1; seq <= MAX_ENTRIES + 50; seq += 1) state = after([relay(line(seq, 1, 'x'))], state);
  assert.equal(state.entries.length, MAX_ENTRIES);
});

test('an ended call stays ended, with its first reason', () => {
  const state = after([
    joined([]), { type: 'connection', state: 'reconnecting' }, { type: 'connection', state: 'ended', code: 'session_gone' },
    { type: 'connection', state: 'connected' }, { type: 'connection', state: 'ended', code: 'timeout' },
  ]);
  assert.equal(state.connection, 'ended');
  assert.equal(state.code, 'session_gone');
});

test('leaving ends without a reason', () => {
  assert.equal(after([joined([]), relay({ type: 'left' })]).connection, 'ended');
  assert.equal(after([joined([]), { type: 'left_by_us' }]).code, null);
});

test('no order of events breaks the state', () => {
  /** @type {Event[]} */
  const events = [
    joined([member(1, 'Ana'), member(2, 'Luis')], [line(1, 1, 'x')]), joined([]), relay({ type: 'member_joined', member: member(1, 'Ana') }),
    relay({ type: 'member_changed', member: member(2, 'Luis', { tracks: [] }) }), relay({ type: 'member_left', member: 1, reason: 'lost' }),
    relay({ type: 'member_left', member: 9, reason: 'removed' }), relay(line(2, 9, 'y')), relay({ type: 'closing' }), relay({ type: 'error', code: 'internal' }),
    relay({ type: 'send', tracks: [] }), { type: 'camera', state: 'lost' }, { type: 'picture', member: 'self', state: 'moving', width: 4, height: 3 },
    { type: 'picture', member: 2, state: 'undecodable', width: 0, height: 0 }, { type: 'chat_sent', text: 'y' }, { type: 'chat_again', key: 'p3' }, { type: 'chat_dropped', key: 'p9' }, { type: 'panel', panel: 'people' }, { type: 'panel', panel: 'chat' },
    { type: 'panel', panel: null }, { type: 'tick' }, { type: 'connection', state: 'reconnecting' },
  ];
  let seed = 42;
  for (let run = 0; run < 300; run += 1) {
    let state = initial();
    for (let step = 0; step < 60; step += 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      state = reduce(state, events[(seed >> 8) % events.length], T + step * 700);
      assert.equal(new Set(state.order).size, state.order.length);
      for (const id of state.order) assert.ok(state.members[id] && id !== state.you);
      for (const id of [state.pictures, state.since, state.late].flatMap((of) => Object.keys(of))) assert.ok(state.members[Number(id)]);
      assert.ok(state.notices.length <= MAX_NOTICES && state.unread >= 0);
      assert.equal(new Set(state.notices.map((n) => n.key)).size, state.notices.length);
      assert.equal(new Set(state.entries.map((entry) => entry.key)).size, state.entries.length);
    }
  }
});
