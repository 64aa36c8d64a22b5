// The call's sound, as state: who is heard, who speaks, how loud, and what is said of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gone, isVoice, loudness, silent, SILENCE, speakerOf, TELL_AGAIN_MS } from '../../ui/call/sound.js';
import { initial, LATE_MS, nextTick, NOTICE_MS, reduce, tileOf } from '../../ui/call/state.js';

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
const joined = (others) => relay({ type: 'joined', room: { id: 'r', name: 'Cama 7', kind: 'bed', members: 1, waiting: false, since_ms: T }, you: 9, members: [member(9), ...others], chat: [] });
/** @param {number | null} id */
const speaks = (id) => relay({ type: 'speaker', member: id });
/** @param {any} state @returns {Event} */
const mic = (state) => ({ type: 'microphone', state });
/** @param {Record<number, number>} members @param {{ own?: number, talkingMuted?: boolean }} [more] @returns {Event} */
const levels = (members, { own = -30, talkingMuted = false } = {}) => ({ type: 'levels', own, talkingMuted, members });
/** @param {Event[]} events @param {State} [from] @param {number} [now] */
const after = (events, from = initial(), now = T) => events.reduce((state, event) => reduce(state, event, now), from);
/** @param {State} state */
const told = (state) => state.notices.filter((notice) => notice.type === 'muted').length;

test('before anything is known the microphone is off and all is silent', () => {
  assert.deepEqual(initial().sound, silent());
  assert.equal(initial().sound.own, SILENCE);
  assert.equal(initial().sound.hearing, 'on', 'what isn’t held back isn’t asked for');
});

test('nothing is changed in the state before', () => {
  const before = after([joined([member(1)]), mic('on'), levels({ 1: -20 })]);
  const copy = JSON.stringify(before);
  after([mic('muted'), levels({ 1: -40 }, { talkingMuted: true }), speaks(1), { type: 'volume', member: 1, volume: 0.5 }, { type: 'audio_only', on: true }, { type: 'sound', state: 'blocked' }], before);
  assert.equal(JSON.stringify(before), copy);
});

test('who the relay says speaks is who speaks, until another one does or nobody', () => {
  let state = after([joined([member(1), member(2)]), speaks(1)]);
  assert.equal(speakerOf(state), 1);
  state = after([speaks(2)], state);
  assert.equal(speakerOf(state), 2);
  assert.equal(speakerOf(after([speaks(null)], state)), null);
});

test('who is muted, away, gone or unknown doesn’t speak, and oneself has no tile to mark', () => {
  const state = after([joined([member(1)]), speaks(1)]);
  assert.equal(speakerOf(after([relay({ type: 'member_changed', member: member(1, { tracks: tracks.slice(0, 1) }) })], state)), null);
  assert.equal(speakerOf(after([relay({ type: 'member_changed', member: member(1, { connection: 'reconnecting' }) })], state)), null);
  const left = after([relay({ type: 'member_left', member: 1, reason: 'left' })], state);
  assert.equal(speakerOf(left), null);
  assert.equal(left.sound.speaker, null, 'another one may get the number');
  assert.equal(speakerOf(after([speaks(77)], state)), null);
  assert.equal(speakerOf(after([speaks(9)], state)), null);
});

test('speaking moves nobody', () => {
  const state = after([joined([member(1), member(2), member(3)])]);
  assert.deepEqual(after([speaks(3), levels({ 3: -20 })], state).order, state.order);
});

test('levels are the newest, and one’s own only while one is heard', () => {
  let state = after([joined([member(1), member(2)]), mic('on'), levels({ 1: -20, 2: -50 }, { own: -28 })]);
  assert.deepEqual(state.sound.levels, { 1: -20, 2: -50 });
  assert.equal(state.sound.own, -28);
  state = after([levels({ 1: -24 })], state);
  assert.deepEqual(state.sound.levels, { 1: -24 }, 'who isn’t named is silent');
  state = after([mic('muted')], state);
  assert.equal(state.sound.own, SILENCE);
  assert.equal(after([levels({}, { own: -10 })], state).sound.own, SILENCE, 'a meter that moves would say that one is heard');
});

test('a member who leaves takes its level and its volume along', () => {
  const state = after([joined([member(1), member(2)]), levels({ 1: -20, 2: -30 }), { type: 'volume', member: 1, volume: 0.3 }, { type: 'volume', member: 2, volume: 0 }]);
  assert.deepEqual(state.sound.volumes, { 1: 0.3, 2: 0 });
  const { sound } = after([relay({ type: 'member_left', member: 1, reason: 'lost' })], state);
  assert.deepEqual([sound.levels, sound.volumes], [{ 2: -30 }, { 2: 0 }]);
  assert.deepEqual(gone(sound, 77), sound);
  assert.equal(after([{ type: 'volume', member: 77, volume: 0 }], state), state, 'a stranger has no volume');
});

test('who speaks while muted is told, once, and again after a while', () => {
  const talks = levels({}, { talkingMuted: true });
  let state = after([joined([member(1)]), mic('muted'), talks]);
  assert.equal(told(state), 1);
  const { notices } = state;
  state = after([talks, talks, talks], state, T + 1000);
  assert.equal(state.notices, notices, 'nothing is drawn anew while it is told');
  state = after([{ type: 'tick' }, talks], state, T + NOTICE_MS);
  assert.equal(told(state), 0, 'nurses mute to talk to the patient');
  assert.equal(told(after([talks], state, T + TELL_AGAIN_MS - 1)), 0);
  assert.equal(told(after([talks], state, T + TELL_AGAIN_MS)), 1);
});

test('nobody who is heard, or can’t be, is told to be muted', () => {
  const talks = levels({}, { talkingMuted: true });
  for (const state of ['on', 'starting', 'off', 'denied', 'lost']) assert.equal(told(after([joined([]), mic(state), talks])), 0, state);
  let state = after([joined([]), mic('muted'), talks]);
  state = after([mic('on')], state, T + 10);
  assert.equal(told(state), 0, 'what was told isn’t true any more');
  assert.equal(told(after([mic('muted'), talks], state, T + 20)), 1, 'muted anew, told anew');
});

test('sound that the browser holds back, or that the system took, is asked for until it is there', () => {
  let state = after([joined([]), { type: 'sound', state: 'blocked' }]);
  assert.equal(state.sound.hearing, 'blocked');
  state = after([{ type: 'sound', state: 'on' }], state);
  assert.equal(state.sound.hearing, 'on');
  assert.equal(after([{ type: 'sound', state: 'interrupted' }], state).sound.hearing, 'interrupted');
});

test('what was heard stays known over joining again', () => {
  const state = after([joined([member(1)]), mic('muted'), { type: 'volume', member: 1, volume: 0.5 }, joined([member(1)])]);
  assert.equal(state.sound.microphone, 'muted');
  assert.deepEqual(state.sound.volumes, { 1: 0.5 });
});

test('with sound only no picture is shown or waited for, and who has no camera has none', () => {
  let state = after([joined([member(1), member(2), member(3, { tracks: tracks.slice(1) })]), { type: 'picture', member: 1, state: 'moving', width: 4, height: 3 }]);
  state = after([{ type: 'audio_only', on: true }], state);
  assert.deepEqual([1, 2, 3].map((id) => tileOf(state, id)), ['audio_only', 'audio_only', 'camera_off']);
  assert.equal(nextTick(state), T + 60_000, 'nobody is late');
  state = after([relay({ type: 'member_joined', member: member(4) })], state);
  assert.equal(tileOf(state, 4), 'audio_only');
  assert.ok(!(4 in state.since));
  assert.equal(tileOf(after([relay({ type: 'member_changed', member: member(1, { connection: 'reconnecting' }) })], state), 1), 'reconnecting');
  assert.equal(after([{ type: 'audio_only', on: true }], state), state);
});

test('pictures again: those that were there are, the others are waited for from then on', () => {
  const before = after([joined([member(1), member(2)]), { type: 'picture', member: 1, state: 'moving', width: 4, height: 3 }, { type: 'audio_only', on: true }]);
  const state = after([{ type: 'audio_only', on: false }], before, T + 60_000);
  assert.deepEqual([1, 2].map((id) => tileOf(state, id)), ['moving', 'loading']);
  const late = after([{ type: 'tick' }], state, T + 60_000 + LATE_MS);
  assert.equal(tileOf(late, 2), 'late');
});

test('a meter is empty in a quiet room, full of loud speech, and between them rises', () => {
  assert.equal(loudness(SILENCE), 0);
  assert.equal(loudness(0), 1);
  const steps = [-70, -60, -50, -40, -30, -20, -10].map(loudness);
  assert.deepEqual(steps, [...steps].sort((a, b) => a - b));
  assert.ok(loudness(-40) > 0.3 && loudness(-40) < 0.6, String(loudness(-40)));
  assert.deepEqual([isVoice(-60), isVoice(-26)], [false, true]);
});

/** @param {'microphone' | 'speaker'} which @param {string} name @returns {Event} */
const uses = (which, name) => ({ type: 'device', device: which, name });
/** @param {State} state */
const devicesTold = (state) => state.notices.flatMap((notice) => (notice.type === 'device' ? [[notice.device, notice.name]] : []));

test('the devices that a call begins with are nothing new, and neither is one told of twice', () => {
  const state = after([joined([member(1)]), uses('microphone', 'Own'), uses('speaker', ''), uses('speaker', 'Loud'), uses('microphone', 'Own'), uses('speaker', 'Loud')]);
  assert.deepEqual(devicesTold(state), []);
  assert.equal(after([uses('microphone', 'Own')], state), state);
});

test('another microphone or loudspeaker is told, each by its newest word alone', () => {
  let state = after([joined([member(1)]), uses('microphone', 'Headset'), uses('speaker', 'Phones')]);
  state = after([mic('lost'), mic('on'), uses('microphone', 'Own'), uses('speaker', 'Loud')], state, T + 1000);
  assert.deepEqual(devicesTold(state), [['microphone', 'Own'], ['speaker', 'Loud']]);
  state = after([uses('microphone', 'Headset')], state, T + 3000);
  assert.deepEqual(devicesTold(state), [['speaker', 'Loud'], ['microphone', 'Headset']]);
  assert.deepEqual(devicesTold(reduce(state, { type: 'tick' }, T + 1000 + NOTICE_MS)), [['microphone', 'Headset']]);
  assert.deepEqual(devicesTold(reduce(state, { type: 'tick' }, T + 3000 + NOTICE_MS)), []);
});

test('what was gone is told when it is back, whatever stood in for it', () => {
  const begun = after([joined([member(1)]), uses('microphone', 'Own'), uses('speaker', 'Loud')]);
  assert.deepEqual(devicesTold(after([mic('lost'), mic('on'), uses('microphone', 'Own')], begun)), [['microphone', 'Own']]);
  for (const state of /** @type {const} */ (['missing', 'interrupted'])) {
    assert.deepEqual(devicesTold(after([{ type: 'sound', state }, { type: 'sound', state: 'on' }, uses('speaker', 'Loud')], begun)), [['speaker', 'Loud']]);
  }
  // What was never there is nothing that could be back.
  assert.deepEqual(devicesTold(after([joined([member(1)]), mic('lost'), uses('microphone', 'Own')])), []);
});
