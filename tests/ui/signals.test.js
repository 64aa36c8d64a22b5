// The soft sounds: which sounds for what, and when none does. Time is simulated.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { APART_MS, atList, inCall, isNight, KNOCK_APART_MS, PAUSE_MS, unheard, unknown } from '../../ui/call/signals.js';
import { initial, reduce } from '../../ui/call/state.js';
import { GAIN, RISE_MS, SIGNALS } from '../../ui/platform/browser/sound/signal.js';

/** @typedef {Parameters<typeof reduce>[1]} Event */
/** @typedef {import('../../ui/call/signals.js').Wanted} Wanted */

/** @type {any[]} */
const tracks = [{ id: 1, source: 'microphone', codec: 'opus', layers: [] }];
/** @param {number} id @returns {any} */
const member = (id) => ({ id, name: `m${id}`, role: 'family', tracks, connection: 'connected' });
/** @param {object} message @returns {Event} */
const relay = (message) => /** @type {any} */ ({ type: 'relay', message });
const joined = (...others) => relay({ type: 'joined', room: { id: 'r', name: 'Cama 7', kind: 'bed', members: 1, waiting: false, since_ms: 0 }, you: 9, members: [member(9), ...others.map(member)], chat: [] });
const comes = (id) => relay({ type: 'member_joined', member: member(id) });
const goes = (id) => relay({ type: 'member_left', member: id, reason: 'left' });
const speaks = (id) => relay({ type: 'speaker', member: id });
/** @returns {Event} */
const levels = (members, { own = -70, talkingMuted = false } = {}) => ({ type: 'levels', own, talkingMuted, members });

const DAY = 12;

/** A call in simulated time: what is heard, and when. */
function call({ wanted = /** @type {Wanted} */ ('on'), hour = DAY } = {}) {
  let state = initial();
  let kept = unheard;
  /** @type {[number, string][]} */
  const heard = [];
  return {
    heard,
    /** @param {number} now @param {...Event} events */
    at(now, ...events) {
      for (const event of events) {
        const after = reduce(state, event, now);
        const next = inCall(kept, { event, before: state, after }, { now, hour, wanted });
        ({ kept } = next);
        state = after;
        if (next.signal) heard.push([now, next.signal]);
      }
      return this;
    },
  };
}

test('who comes and who goes is heard, who is there already isn’t', () => {
  const { heard } = call().at(0, joined(1, 2)).at(10_000, comes(3)).at(20_000, goes(1)).at(30_000, joined(2, 3, 4));
  assert.deepEqual(heard, [[10_000, 'join'], [20_000, 'leave']]);
});

test('somebody told of twice, and somebody unknown who goes, are no sound', () => {
  assert.deepEqual(call().at(0, joined(1)).at(10_000, comes(1), goes(77)).heard, []);
});

test('ten people who come at once are one sound', () => {
  const room = call().at(0, joined());
  for (let n = 0; n < 10; n += 1) room.at(10_000 + 300 * n, comes(n + 20));
  assert.deepEqual(room.heard, [[10_000, 'join']]);
  room.at(10_000 + APART_MS - 1, goes(20)).at(10_000 + APART_MS, goes(21));
  assert.deepEqual(room.heard, [[10_000, 'join'], [10_000 + APART_MS, 'leave']]);
});

test('nothing sounds while somebody speaks, and nothing is made up for afterwards', () => {
  const room = call().at(0, joined(1, 2)).at(10_000, speaks(1)).at(60_000, comes(3));
  // Speech of a minute without another word about it is speech.
  room.at(61_000, speaks(null)).at(61_000 + PAUSE_MS - 1, comes(4));
  assert.deepEqual(room.heard, []);
  room.at(100_000, levels({ 1: -70 })).at(200_000, levels({}));
  assert.deepEqual(room.heard, [], 'those who came then are never heard');
  assert.deepEqual(room.at(200_001, comes(5)).heard, [[200_001, 'join']]);
});

for (const [name, event, mic] of /** @type {[string, Event, Event][]} */ ([
  ['another one, before the relay says so', levels({ 1: -30 }), { type: 'microphone', state: 'on' }],
  ['oneself', levels({}, { own: -30 }), { type: 'microphone', state: 'on' }],
  ['somebody at a muted microphone', levels({}, { talkingMuted: true }), { type: 'microphone', state: 'muted' }],
])) {
  test(`${name} speaks: nothing sounds until the pause`, () => {
    const room = call().at(0, joined(1), mic).at(10_000, event).at(10_000 + PAUSE_MS - 1, comes(2));
    assert.deepEqual(room.heard, []);
    assert.deepEqual(room.at(10_000 + PAUSE_MS, comes(3)).heard, [[10_000 + PAUSE_MS, 'join']]);
  });
}

test('a room’s noise is no speech', () => {
  assert.deepEqual(call().at(0, joined(1), { type: 'microphone', state: 'on' }).at(10_000, levels({ 1: -58 }, { own: -55 }), comes(2)).heard, [[10_000, 'join']]);
});

test('at night there is none, unless it is wanted; and by day, unless it isn’t', () => {
  const sounds = (wanted, hour) => call({ wanted, hour }).at(0, joined(1)).at(10_000, comes(2)).heard.length === 1;
  const heardAt = (wanted) => Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => sounds(wanted, hour));
  assert.deepEqual(heardAt('night'), [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  assert.equal(heardAt('on').length, 24);
  assert.deepEqual(heardAt('off'), []);
  assert.deepEqual([20, 21, 23, 0, 6, 7].map(isNight), [false, true, true, true, true, false]);
});

const rooms = (...waiting) => ['a', 'b', 'c'].map((id) => ({ id, name: id, kind: 'bed', members: 1, waiting: waiting.includes(id), since_ms: 0 }));

/** A list of rooms in simulated time. */
function list({ wanted = /** @type {Wanted} */ ('on'), hour = DAY } = {}) {
  let kept = unknown;
  /** @type {number[]} */
  const knocks = [];
  return {
    knocks,
    /** @param {number} now @param {string[]} waiting @param {any} [state] */
    at(now, waiting, state = 'live') {
      const next = atList(kept, { state, rooms: /** @type {any} */ (state === 'live' ? rooms(...waiting) : []), now_ms: now }, { now, hour, wanted });
      ({ kept } = next);
      if (next.signal) {
        assert.equal(next.signal, 'knock');
        knocks.push(now);
      }
      return this;
    },
  };
}

test('a room that begins to wait knocks once; who waits when the list is opened is seen', () => {
  const { knocks } = list().at(0, [], 'connecting').at(10, ['a']).at(20_000, ['a', 'b']).at(40_000, ['a', 'b']).at(900_000, ['a', 'b']);
  assert.deepEqual(knocks, [20_000]);
});

test('a list that was lost and is back doesn’t knock anew, but for who came meanwhile it does', () => {
  const one = list().at(0, []).at(10_000, ['a']).at(20_000, [], 'lost').at(400_000, ['a']);
  assert.deepEqual(one.knocks, [10_000]);
  assert.deepEqual(one.at(420_000, [], 'lost').at(440_000, ['a', 'b']).knocks, [10_000, 440_000]);
});

test('a room whose connection comes and goes knocks once in a while at most', () => {
  const one = list().at(0, []);
  // It waits, and doesn't, every ten seconds for an hour.
  for (let now = 10_000; now < 3_600_000; now += 10_000) one.at(now, (now / 10_000) % 2 ? ['a'] : []);
  assert.deepEqual(one.knocks, [10_000]);
  const left = 3_600_000;
  one.at(left, ['a']).at(left + 1, []).at(left + KNOCK_APART_MS, ['a']);
  assert.deepEqual(one.knocks, [10_000]);
  one.at(left + KNOCK_APART_MS + 1, []).at(left + 2 * KNOCK_APART_MS + 1, ['a']);
  assert.deepEqual(one.knocks, [10_000, left + 2 * KNOCK_APART_MS + 1]);
});

test('several who begin to wait at once are one knock, and at night there is none', () => {
  assert.deepEqual(list().at(0, []).at(10_000, ['a', 'b']).at(12_000, ['a', 'b', 'c']).knocks, [10_000]);
  assert.deepEqual(list({ wanted: 'night', hour: 3 }).at(0, []).at(10_000, ['a']).knocks, []);
  assert.deepEqual(list({ wanted: 'off' }).at(0, []).at(10_000, ['a']).knocks, []);
});

test('the notes are the app’s own', () => {
  const { gain, rise_ms: rise, signals } = JSON.parse(readFileSync(new URL('../../protocol/vectors/signals.json', import.meta.url), 'utf8'));
  assert.deepEqual({ gain: GAIN, rise: RISE_MS, signals: SIGNALS }, { gain, rise, signals });
});
