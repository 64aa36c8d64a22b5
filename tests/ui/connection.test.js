// The connection panel's words: for every step, reason and carrier there is one in both languages, and
// what stands first has no jargon.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { answersIn, ANSWERS, connectionWords, CONTROLS, LINES, STEPS, WHYS, WHYS_IN_APP } from '../../ui/call/connection.js';
import { initial, reduce } from '../../ui/call/state.js';
import { between } from '../../ui/platform/browser/measure.js';
import { Ladder, stepOf } from '../../ui/platform/browser/rtc/ladder.js';

/** @param {string} path */
const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const texts = ['es-MX', 'en'].map((language) => {
  const ftl = read(`ui/texts/${language}.ftl`);
  return new Map([...ftl.matchAll(/^([a-z0-9-]+) = (.+)$/gmu)].map(([, id, text]) => [id, text]));
});
/** The words of a type of the wire, as Rust wrote them. @param {string} name */
const wire = (name) => [...read(`ui/generated/${name}.ts`).matchAll(/"([a-z]+)"/gu)].map(([, word]) => word).filter((word) => word !== 'unknown').sort();

test('there are words for every step, every reason and every carrier, in both languages', () => {
  assert.deepEqual(Object.keys(STEPS).sort(), wire('Step'));
  assert.deepEqual(Object.keys(WHYS).sort(), wire('Why'));
  const ids = [
    ...Object.values(STEPS).flatMap(({ title, text, tech }) => [title, text, tech]), ...Object.values(WHYS), ...Object.values(WHYS_IN_APP),
    ...Object.values(CONTROLS).flatMap(({ text, tech }) => [text, tech]), ...ANSWERS.map(([, id]) => id), ...Object.values(LINES),
    'way-unknown', 'way-unknown-text', 'way-broken', 'way-broken-text',
  ].filter((id) => id !== null);
  for (const known of texts) assert.deepEqual(ids.filter((id) => !known.get(id)), []);
  assert.equal(new Set(ids).size, ids.length, 'each is said in words of its own');
});

test('what stands before the technical part has no jargon and no number', () => {
  for (const known of texts) {
    for (const [id, text] of known) {
      if (!id.startsWith('way-') || id.startsWith('way-tech-')) continue;
      assert.doesNotMatch(text, /WebRTC|WebSocket|UDP|TCP|HTTP|JPEG|codec|\bICE\b|relay|\d/iu, `${id}: ${text}`);
    }
  }
});

/** @param {object[]} events */
const after = (...events) => /** @type {any[]} */ (events).reduce((state, event) => reduce(state, event, 0), initial());
const connected = { type: 'connection', state: 'connected' };
const say = (/** @type {object} */ way) => ({ type: 'way', control: 'websocket', step: 'frames', why: 'trying', ...way });

test('each reason is said, in a browser and in the app', () => {
  for (const why of Object.keys(WHYS)) {
    const state = after(connected, say({ why }));
    const browser = connectionWords(state, { inApp: false });
    assert.equal(browser.why, /** @type {any} */ (WHYS)[why]);
    assert.equal(browser.reason, why === 'none' ? null : why);
    assert.equal(connectionWords(state, { inApp: true }).why, why === 'missing' ? 'way-why-missing-app' : browser.why);
  }
});

test('before the first word, and while the line is lost, nothing is claimed', () => {
  assert.equal(connectionWords(initial(), { inApp: false }).title, 'way-unknown');
  const lost = connectionWords(after(connected, say({}), { type: 'connection', state: 'reconnecting' }), { inApp: false });
  assert.deepEqual([lost.title, lost.why, lost.control, lost.tech], ['way-broken', null, null, []]);
  const back = connectionWords(after(connected, say({}), { type: 'connection', state: 'reconnecting' }, connected), { inApp: false });
  assert.equal(back.title, 'way-frames');
});

test('what the line carries is said beside the way', () => {
  const down = { type: 'relay', message: { type: 'line', carries: 'sound' } };
  const up = { type: 'uplink', carries: 'sound' };
  const lines = [[], [down], [up], [down, up]].map((more) => connectionWords(after(connected, say({ step: 'webrtc', why: 'none' }), ...more), { inApp: false }));
  assert.deepEqual(lines.map(({ line }) => line), ['way-line-both', 'way-line-down', 'way-line-up', 'way-line-sound']);
  assert.deepEqual(lines.map(({ mood }) => mood), ['good', 'slow', 'slow', 'slow']);
  const none = connectionWords(after(connected, say({ control: 'https', step: 'none' })), { inApp: false });
  assert.deepEqual([none.line, none.control, none.mood], [null, 'way-https', 'none']);
});

test('answers are words, the later the worse', () => {
  assert.deepEqual([0, 149, 150, 399, 400, 999, 1000, 60_000].map(answersIn), [
    'way-answers-fast', 'way-answers-fast', 'way-answers-good', 'way-answers-good', 'way-answers-slow', 'way-answers-slow', 'way-answers-late', 'way-answers-late',
  ]);
});

test('the step follows from what is up, what the connection takes and what the browser has', () => {
  const now = { up: false, frames: true, moving: true, offered: true, why: /** @type {const} */ ('trying') };
  assert.deepEqual(stepOf(now), { step: 'frames', why: 'trying' });
  assert.deepEqual(stepOf({ ...now, up: true, why: 'none' }), { step: 'webrtc', why: 'none' });
  assert.deepEqual(stepOf({ ...now, moving: false, why: 'silent' }), { step: 'jpeg', why: 'silent' });
  assert.deepEqual(stepOf({ ...now, frames: false, why: 'lost' }), { step: 'none', why: 'lost' });
  assert.deepEqual(stepOf({ ...now, offered: false }), { step: 'frames', why: 'off' });
  // Of two reasons the one that stays so whatever the relay does.
  assert.deepEqual(stepOf({ ...now, offered: false, why: new Ladder(false).why }), { step: 'frames', why: 'missing' });
});

test('what goes through the line is counted between two looks at one way', () => {
  const count = { way: 1, at: 1000, got: 5000, sent: 100, roundTrip: 12, gets: [], sends: [] };
  assert.deepEqual(between(null, count), { roundTrip: 12, down: null, up: null, gets: [], sends: [] });
  const later = { ...count, at: 2000, got: 130_000, sent: 12_600 };
  assert.deepEqual(between(count, later), { roundTrip: 12, down: 1000, up: 100, gets: [], sends: [] });
  assert.equal(between(count, { ...later, way: 2 }).down, null, 'another way has counters of its own');
});
