// The golden vectors, which Rust asserts as well: both sides read and write the same bytes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { Assembler, split } from '../../ui/protocol/chunk.js';
import { ControlError, parseLobby, parseRelay } from '../../ui/protocol/control.js';
import { HeaderError, parse, write } from '../../ui/protocol/frame.js';
import { Window } from '../../ui/protocol/losses.js';
import { copies, isRedundant, numbered, primaryBits, read, RedError, Repeater } from '../../ui/protocol/red.js';
import { Session, SessionError } from '../../ui/protocol/session.js';

const vectors = (name) => JSON.parse(readFileSync(new URL(`../../protocol/vectors/${name}.json`, import.meta.url), 'utf8'));
const bytesOf = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));

const frames = vectors('frames');
const chunks = vectors('chunks');
const control = vectors('control');
const sessions = vectors('session');
const red = vectors('red');

for (const { name, hex, value, payload, extension } of frames.valid) {
  test(`frames: ${name}`, () => {
    const message = bytesOf(hex);
    const { header, offset } = parse(message);
    assert.deepEqual(header, value);
    assert.deepEqual(message.subarray(offset), bytesOf(payload));
    if (extension === '') assert.deepEqual(write(value, bytesOf(payload)), message);
  });
}

for (const { name, hex, error } of frames.invalid) {
  test(`not a frame: ${name}`, () => {
    assert.throws(() => parse(bytesOf(hex)), (thrown) => thrown instanceof HeaderError && thrown.problem === error);
  });
}

const HEADER = {
  sender: 0, track: 0, layer: { spatial: 0, temporal: 0 }, sequence: 9, timestamp: 0, chunk: 0, chunks: 1, references: [],
};

for (const { name, bytes, max_chunk: size, chunks: ranges } of chunks.split) {
  test(`chunks: ${name}`, () => {
    const payload = Uint8Array.from({ length: bytes }, (_, at) => at % 251);
    const cut = split(HEADER, payload, size).map((message) => {
      const { header, offset } = parse(message);
      return { header, payload: message.slice(offset) };
    });
    assert.deepEqual(cut.map(({ header }) => [header.chunk, header.chunks]), ranges.map((_, at) => [at, ranges.length]));
    cut.forEach((part, at) => assert.deepEqual(part.payload, payload.slice(...ranges[at])));
  });
}

for (const { name, bytes, max_chunk: size } of chunks.refused) {
  test(`not cut: ${name}`, () => assert.throws(() => split(HEADER, new Uint8Array(bytes), size), RangeError));
}

for (const { name, events } of chunks.assembly) {
  test(`assembly: ${name}`, () => {
    const assembler = new Assembler();
    let expected = 0;
    for (const { header, bytes, outcome } of events) {
      expected = header.chunk === 0 ? bytes : expected + bytes;
      const dropped = assembler.dropped;
      const whole = assembler.push(header, new Uint8Array(bytes));
      assert.equal(whole !== null, outcome === 'whole', `chunk ${header.chunk} of ${header.sequence}`);
      if (whole) assert.equal(whole.payload.length, expected);
      if (outcome === 'more') assert.equal(assembler.dropped, dropped);
    }
  });
}

for (const { name, text, value } of control.relay) {
  test(`from the relay: ${name}`, () => assert.deepEqual(parseRelay(text), value));
}

for (const { name, text, value } of control.lobby) {
  test(`from the lobby: ${name}`, () => assert.deepEqual(parseLobby(text), value));
}

for (const { name, text, code, numbered } of control.bad_relay) {
  test(`not from a relay: ${name}`, () => {
    assert.throws(() => parseRelay(text), (thrown) => {
      assert.ok(thrown instanceof ControlError);
      assert.equal(thrown.code, code);
      assert.deepEqual(thrown.numbered, numbered);
      return true;
    });
  });
}

test('whatever the relay says parses to a packet or a ControlError', () => {
  const parts = ['"type"', ':', ',', '{', '}', '[', ']', '"message"', '"joined"', '"body"', '"n"', '1', '-1', 'null', '"__proto__"', '"welcome"'];
  let state = 99;
  const random = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % below;
  };
  const sources = [...control.relay, ...control.lobby, ...control.client].map(({ text }) => text);
  for (let round = 0; round < 20_000; round += 1) {
    const source = sources[random(sources.length)];
    const at = random(source.length);
    const text = source.slice(0, at) + parts[random(parts.length)] + source.slice(at + random(6));
    for (const read of [parseRelay, parseLobby]) {
      try {
        read(text);
      } catch (error) {
        assert.ok(error instanceof ControlError, `${error} of ${text}`);
      }
    }
  }
  for (const type of ['__proto__', 'constructor', 'toString']) {
    assert.throws(() => parseRelay(JSON.stringify({ type })), ControlError);
  }
});

for (const { name, events } of sessions.sessions) {
  test(`session: ${name}`, () => {
    const session = new Session();
    for (const event of events) {
      const happens = () => {
        if ('send' in event) assert.equal(session.send(event.send), event.n);
        else if ('acked' in event) session.acked(event.acked);
        else if ('accept' in event) assert.equal(session.accept(...event.accept), event.outcome);
        else assert.deepEqual(session.resume(event.resume).map(({ n, body }) => [n, body]), event.again);
      };
      if (event.error) {
        assert.throws(happens, (thrown) => thrown instanceof SessionError && thrown.problem === event.error);
        continue;
      }
      happens();
      if ('received' in event) assert.equal(session.received, event.received);
      if ('unacknowledged' in event) assert.equal(session.unacknowledged, event.unacknowledged);
    }
  });
}

const hexOf = (bytes) => Buffer.from(bytes).toString('hex');

for (const { name, hex, older, primary } of red.valid) {
  test(`redundancy: ${name}`, () => {
    assert.ok(isRedundant(bytesOf(hex)));
    const packets = read(bytesOf(hex));
    assert.deepEqual(packets.older.map(({ offset, packet }) => ({ offset, packet: hexOf(packet) })), older);
    assert.equal(hexOf(packets.primary), primary);
  });
}

for (const { name, hex, error } of red.invalid) {
  test(`no redundancy: ${name}`, () => {
    assert.throws(() => read(bytesOf(hex)), (thrown) => thrown instanceof RedError && thrown.problem === error);
  });
}

for (const { name, hex, sequence, time, older } of red.numbered) {
  test(`numbers of what is repeated: ${name}`, () => {
    const all = numbered(read(bytesOf(hex)), sequence, time);
    assert.deepEqual(all.map((one) => [one.sequence, one.time, hexOf(one.packet)]), older);
  });
}

for (const { name, frames: said, payloads } of red.repeated) {
  test(`repeated: ${name}`, () => {
    const repeater = new Repeater();
    assert.deepEqual(said.map(([time, packet, count]) => hexOf(repeater.payload(time, bytesOf(packet), count))), payloads);
  });
}

test('how much is repeated follows from the loss and the bits', () => {
  for (const [before, percent, bits, count] of red.copies) assert.equal(copies(before, percent, bits), count, `${before} ${percent} ${bits}`);
  for (const [bits, count, primary] of red.bits) assert.equal(primaryBits(bits, count), primary, `${bits} ${count}`);
  for (const { name, adds, permille } of red.window) {
    const window = new Window();
    assert.deepEqual(adds.map(([sent, lost]) => {
      window.add(sent, lost);
      return window.permille;
    }), permille, name);
  }
});

test('any bytes are redundancy or a RedError', () => {
  let state = 7;
  const random = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % below;
  };
  const valid = red.valid.map(({ hex }) => bytesOf(hex));
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = valid[random(valid.length)].slice(0, 1 + random(40));
    for (let spoil = random(4); spoil > 0; spoil -= 1) bytes[random(bytes.length)] = random(256);
    try {
      const { older, primary } = read(bytes);
      const length = older.reduce((sum, { packet }) => sum + packet.length, primary.length + 4 * older.length + 1);
      assert.equal(length, bytes.length);
    } catch (error) {
      assert.ok(error instanceof RedError, `${error} of ${hexOf(bytes)}`);
    }
  }
});
