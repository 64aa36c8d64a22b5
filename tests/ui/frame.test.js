// Frames: parse and write, chunks, and what may be decoded.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Assembler, split } from '../../ui/protocol/chunk.js';
import { HeaderError, MAX_FRAME, MIN_HEADER, parse, write } from '../../ui/protocol/frame.js';

const HEADER = {
  sender: 0x01020304,
  track: 1,
  layer: { spatial: 1, temporal: 2 },
  sequence: 1000,
  timestamp: 2 ** 40 + 12345,
  chunk: 0,
  chunks: 1,
  references: [1, 4],
  level: null,
};

const problemOf = (bytes) => {
  try {
    parse(bytes);
  } catch (error) {
    assert.ok(error instanceof HeaderError, `${error}`);
    return error.problem;
  }
  return null;
};

test('a header survives the way there and back', () => {
  const payload = Uint8Array.of(9, 8, 7);
  const message = write(HEADER, payload);
  const { header, offset } = parse(message);
  assert.deepEqual(header, HEADER);
  assert.deepEqual(message.subarray(offset), payload);
});

test('every level survives the way there and back', () => {
  for (let byte = 0; byte < 256; byte += 1) {
    const level = { dbov: 0 - (byte & 0x7f), voice: byte >= 0x80 };
    const message = write({ ...HEADER, level }, Uint8Array.of(3));
    assert.equal(message[MIN_HEADER + 5], byte);
    const { header, offset } = parse(message);
    assert.deepEqual(header, { ...HEADER, level });
    assert.deepEqual(message.subarray(offset), Uint8Array.of(3));
  }
});

test('a view into a larger buffer is read where it lies', () => {
  const message = write(HEADER, Uint8Array.of(1));
  const larger = new Uint8Array(message.length + 20);
  larger.set(message, 7);
  assert.deepEqual(parse(larger.subarray(7, 7 + message.length)).header, HEADER);
});

test('extensions of a later version are skipped', () => {
  const message = write({ ...HEADER, references: [] }, Uint8Array.of(0x00, 0xe1, 7, 8, 0x10, 0x9e, 0xf0, 9, 5));
  message[1] += 8;
  const { header, offset } = parse(message);
  assert.equal(offset, MIN_HEADER + 8);
  assert.deepEqual(header.level, { dbov: -30, voice: true });
});

test('bytes that are not a chunk are named, never half read', () => {
  const good = write(HEADER, new Uint8Array(4));
  const spoiled = (at, ...values) => {
    const bytes = good.slice();
    bytes.set(values, at);
    return bytes;
  };
  assert.equal(problemOf(new Uint8Array(0)), 'truncated');
  assert.equal(problemOf(good.subarray(0, MIN_HEADER - 1)), 'truncated');
  assert.equal(problemOf(good.subarray(0, MIN_HEADER + 3)), 'truncated');
  assert.equal(problemOf(spoiled(0, 0x20)), 'type');
  assert.equal(problemOf(spoiled(1, MIN_HEADER)), 'length');
  assert.equal(problemOf(spoiled(3, 0x40)), 'layer');
  assert.equal(problemOf(spoiled(22, 0, 0)), 'chunk');
  assert.equal(problemOf(spoiled(20, 0, 1)), 'chunk');
  assert.equal(problemOf(spoiled(22, 0xff, 0xff)), 'chunk');
  assert.equal(problemOf(spoiled(24, 5)), 'references');
  assert.equal(problemOf(spoiled(MIN_HEADER, 0, 0)), 'references');
  assert.equal(problemOf(spoiled(8, 0, 0, 0, 3)), 'references');
  const level = write({ ...HEADER, level: { dbov: -12, voice: false } }, new Uint8Array(4));
  level[MIN_HEADER + 4] = 0x11;
  assert.equal(problemOf(level), 'extension');
});

test('any bytes parse to a header or a HeaderError', () => {
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  };
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = Uint8Array.from({ length: random() % 64 }, () => random());
    if (round % 2 && bytes.length > 1) {
      bytes[0] = 0x10;
      bytes[1] = bytes.length;
    }
    problemOf(bytes);
  }
});

test('chunks are put together to what was cut', () => {
  const payload = Uint8Array.from({ length: 40_001 }, (_, at) => at % 251);
  for (const size of [1000, 16_384, 40_000, 40_001, 65_536]) {
    const assembler = new Assembler();
    const messages = split(HEADER, payload, size);
    assert.equal(messages.length, Math.ceil(payload.length / size));
    messages.forEach((message, at) => {
      const { header, offset } = parse(message);
      assert.ok(message.length - offset <= size);
      const whole = assembler.push(header, message.subarray(offset));
      if (at < messages.length - 1) {
        assert.equal(whole, null);
      } else {
        assert.deepEqual(whole?.payload, payload);
        assert.deepEqual(whole?.header, HEADER);
      }
    });
  }
});

test('an empty frame is one chunk', () => {
  assert.equal(split(HEADER, new Uint8Array(0), 10).length, 1);
});

test('what the wire cannot carry is not cut', () => {
  assert.throws(() => split(HEADER, new Uint8Array(MAX_FRAME + 1), 1000), RangeError);
  assert.throws(() => split(HEADER, new Uint8Array(1025), 1), RangeError);
  assert.throws(() => split(HEADER, new Uint8Array(1), 0), RangeError);
});

test('a frame with a hole never comes out, the next one does', () => {
  const assembler = new Assembler();
  const parts = split(HEADER, new Uint8Array(30), 10).map((message) => parse(message));
  assert.equal(assembler.push(parts[0].header, new Uint8Array(10)), null);
  assert.equal(assembler.push(parts[2].header, new Uint8Array(10)), null);
  assert.equal(assembler.dropped, 1);
  assert.equal(assembler.push(parts[1].header, new Uint8Array(10)), null);
  const next = { ...HEADER, sequence: 1001 };
  assert.ok(assembler.push(next, new Uint8Array(1)));
});

test('chunks of another frame are not mixed in', () => {
  for (const change of [{ sequence: 7 }, { timestamp: 1 }, { chunks: 4 }, { references: [1, 3] }, { sender: 9 },
    { level: { dbov: -6, voice: true } }]) {
    const assembler = new Assembler();
    assembler.push({ ...HEADER, chunk: 0, chunks: 2 }, new Uint8Array(1));
    assert.equal(assembler.push({ ...HEADER, chunk: 1, chunks: 2, ...change }, new Uint8Array(1)), null);
    assert.equal(assembler.dropped, 1);
  }
});

test('a frame larger than the limit is let go as it grows', () => {
  const assembler = new Assembler();
  const part = new Uint8Array(MAX_FRAME / 2 + 1);
  assert.equal(assembler.push({ ...HEADER, chunk: 0, chunks: 3 }, part), null);
  assert.equal(assembler.push({ ...HEADER, chunk: 1, chunks: 3 }, part), null);
  assert.equal(assembler.dropped, 1);
});
