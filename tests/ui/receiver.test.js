// Which frames of a track can be decoded.
import assert from 'node:assert/strict';
import test from 'node:test';

import { KEY_FRAME_INTERVAL, Track } from '../../ui/protocol/receiver.js';

const frame = (sequence, ...references) => ({ sequence, references, layer: { spatial: 0, temporal: 0 } });
const upper = (sequence, ...references) => ({ ...frame(sequence, ...references), layer: { spatial: 0, temporal: 1 } });

test('nothing before a key frame, everything after it', () => {
  const track = new Track();
  assert.equal(track.accept(frame(5, 1)), false);
  assert.equal(track.accept(frame(6)), true);
  assert.equal(track.accept(frame(7, 1)), true);
  assert.deepEqual([track.received, track.dropped], [3, 1]);
});

test('a frame whose reference is missing waits for a key frame, and so do those after it', () => {
  const track = new Track();
  track.accept(frame(0));
  assert.equal(track.accept(frame(2, 1)), false);
  assert.equal(track.accept(frame(3, 1)), false);
  assert.equal(track.waiting, true);
  assert.equal(track.accept(frame(4)), true);
  assert.equal(track.waiting, false);
});

test('a frame that refers to an older one that did arrive repairs the loss', () => {
  const track = new Track();
  track.accept(frame(0));
  assert.equal(track.accept(frame(2, 1)), false);
  assert.equal(track.accept(frame(3, 3)), true);
  assert.equal(track.waiting, false);
});

test('upper temporal layers may be missing', () => {
  const track = new Track();
  track.accept(frame(0));
  assert.equal(track.accept(frame(2, 2)), true);
  assert.equal(track.accept(upper(5, 1)), false);
  assert.equal(track.waiting, false);
  assert.equal(track.accept(frame(6, 4)), true);
});

test('repeated and overtaken frames are dropped', () => {
  const track = new Track();
  track.accept(frame(3));
  assert.equal(track.accept(frame(3)), false);
  assert.equal(track.accept(frame(2)), false);
  assert.equal(track.waiting, false);
});

test('a decoder that lost its state waits for a key frame', () => {
  const track = new Track();
  track.accept(frame(0));
  track.lost();
  assert.equal(track.accept(frame(1, 1)), false);
  assert.equal(track.accept(frame(2)), true);
});

test('key frames are asked for at most once an interval, and only when needed', () => {
  const track = new Track();
  assert.equal(track.ask(0), false, 'nothing arrived yet');
  track.accept(frame(1, 1));
  assert.equal(track.ask(0), true);
  assert.equal(track.ask(KEY_FRAME_INTERVAL - 1), false);
  assert.equal(track.ask(KEY_FRAME_INTERVAL), true);
  track.accept(frame(2));
  assert.equal(track.ask(10 * KEY_FRAME_INTERVAL), false);
});

test('a reference further back than the window is a loss, and memory stays bounded', () => {
  const track = new Track();
  track.accept(frame(0));
  for (let sequence = 1; sequence < 1000; sequence += 1) assert.equal(track.accept(frame(sequence, 1)), true);
  assert.equal(track.accept(frame(1000, 999)), false);
});
