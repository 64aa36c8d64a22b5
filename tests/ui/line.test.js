// What a line carries: when a sender pauses its picture (with Rust, by vectors), and what a call's
// state makes of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { missing } from '../../ui/call/line.js';
import { initial, LATE_MS, nextTick, NOTICE_MS, reduce, tileOf } from '../../ui/call/state.js';
import { Pause } from '../../ui/protocol/line.js';

const { look_ms: LOOK, pause: cases } = JSON.parse(readFileSync(new URL('../../protocol/vectors/line.json', import.meta.url), 'utf8'));

for (const { name, spells, changes } of cases) {
  test(`pause: ${name}`, () => {
    const pause = new Pause();
    const told = [];
    let now = 0;
    for (const [long, carries] of spells) {
      for (const end = now + long; now < end; now += LOOK) {
        if (pause.turn(now, carries)) told.push([now, pause.sends, pause.carries]);
      }
    }
    assert.deepEqual(told, changes);
  });
}

/** @typedef {import('../../ui/call/state.js').State} State */
/** @typedef {Parameters<typeof reduce>[1]} Event */

const T = 1_000_000;
/** @type {any[]} */
const tracks = [{ id: 0, source: 'camera', codec: 'h264', layers: [] }, { id: 1, source: 'microphone', codec: 'opus', layers: [] }];
/** @param {number} id @param {object} [more] @returns {any} */
const member = (id, more = {}) => ({ id, name: `m${id}`, role: 'family', tracks, connection: 'connected', ...more });
/** @param {object} message @returns {Event} */
const relay = (message) => /** @type {any} */ ({ type: 'relay', message });
/** @param {any[]} others */
const joined = (...others) => relay({ type: 'joined', room: { id: 'r', name: 'Cama 7', kind: 'bed', members: 1, waiting: false, since_ms: T }, you: 9, members: [member(9), ...others], chat: [] });
/** @type {Event} */
const connected = { type: 'connection', state: 'connected' };
/** @type {Event} */
const cameraOn = { type: 'camera', state: 'on' };
/** @param {number} id @returns {Event} */
const moves = (id) => ({ type: 'picture', member: id, state: 'moving', width: 4, height: 3 });
/** @param {any} carries */
const down = (carries) => relay({ type: 'line', carries });
/** @param {any} carries @returns {Event} */
const up = (carries) => ({ type: 'uplink', carries });
/** @param {Event[]} events @param {State} [from] @param {number} [now] */
const after = (events, from = initial(), now = T) => events.reduce((state, event) => reduce(state, event, now), from);
/** @param {State} state */
const back = (state) => state.notices.flatMap((notice) => (notice.type === 'line' ? [notice.back] : []));
const call = after([connected, joined(member(1), member(2)), cameraOn, moves(1), moves(2)]);

test('a line that carries no pictures is told for as long as it is so, and that they are back for a while', () => {
  assert.equal(missing(call), null);
  let state = after([down('sound')], call);
  assert.equal(missing(state), 'down');
  assert.deepEqual([1, 2].map((id) => tileOf(state, id)), ['audio_only', 'audio_only']);
  assert.equal(missing(after([{ type: 'tick' }], state, T + 3_600_000)), 'down');
  assert.equal(missing(after([down('unknown')], state)), 'down', 'what is not known leads to nothing');
  state = after([down('pictures')], state);
  assert.equal(missing(state), null);
  assert.deepEqual(back(state), ['down']);
  assert.deepEqual([1, 2].map((id) => tileOf(state, id)), ['moving', 'moving']);
  assert.deepEqual(back(after([{ type: 'tick' }], state, T + NOTICE_MS)), []);
  assert.deepEqual(back(after([down('sound')], state)), [], 'what was told is not true any more');
});

test('nobody is waited for meanwhile, and everybody from then on', () => {
  let state = after([connected, joined(member(1)), down('sound')]);
  assert.equal(nextTick(state), T + 60_000, 'nobody is late');
  state = after([down('pictures')], state, T + 70_000);
  assert.equal(tileOf(state, 1), 'loading');
  assert.equal(tileOf(after([{ type: 'tick' }], state, T + 70_000 + LATE_MS), 1), 'late');
});

test('who chose sound alone keeps it, and is told nothing of a line that needs no pictures', () => {
  let state = after([down('sound'), { type: 'audio_only', on: true }], call);
  assert.equal(missing(state), null);
  state = after([down('pictures')], state);
  assert.equal(state.audioOnly, true);
  assert.deepEqual(back(state), []);
  assert.equal(tileOf(state, 1), 'audio_only');
  state = after([down('sound'), { type: 'audio_only', on: false }], state);
  assert.equal(missing(state), 'down', 'the line is what it was');
});

test('where nobody has a camera nothing is missing', () => {
  const state = after([connected, joined(member(1, { tracks: [] })), down('sound')]);
  assert.equal(missing(state), null);
  assert.equal(tileOf(state, 1), 'camera_off');
  assert.deepEqual(back(after([down('pictures')], state)), []);
  assert.equal(missing(after([relay({ type: 'member_changed', member: member(1) })], state)), 'down');
});

test('the own picture that isn’t sent is told, together with the others’, and when it is sent again', () => {
  let state = after([up('sound')], call);
  assert.equal(missing(state), 'up');
  assert.deepEqual([1, 2].map((id) => tileOf(state, id)), ['moving', 'moving'], 'the others’ come');
  assert.equal(missing(after([down('sound')], state)), 'both');
  assert.equal(missing(after([{ type: 'connection', state: 'reconnecting' }], state)), null, 'one thing at a time');
  assert.deepEqual(back(after([up('pictures')], state)), ['up']);
  state = after([{ type: 'camera', state: 'off' }], state);
  assert.equal(missing(state), null, 'a camera that is off sends nothing anyway');
  assert.deepEqual(back(after([up('pictures')], state)), [], 'and isn’t sent again');
});

test('whose line doesn’t carry the picture is shown so, not with a camera that is off or one that is waited for', () => {
  const paused = (/** @type {any[]} */ own) => relay({ type: 'member_changed', member: member(1, { line: 'sound', tracks: own }) });
  let state = after([paused(tracks.slice(1))], call);
  assert.equal(tileOf(state, 1), 'paused');
  // It is tried: nothing is said before a picture comes.
  state = after([paused(tracks)], state, T + 10_000);
  assert.equal(tileOf(after([{ type: 'tick' }], state, T + 10_000 + LATE_MS), 1), 'paused');
  assert.equal(tileOf(after([moves(1)], state), 1), 'moving');
  state = after([moves(1), relay({ type: 'member_changed', member: member(1) })], state);
  assert.equal(tileOf(state, 1), 'moving');
});

test('a room that is told anew says nothing of the line', () => {
  const state = after([down('sound'), up('sound'), joined(member(1), member(2))], call);
  assert.equal(missing(state), 'up', 'of what is sent from here this side knows itself');
});
