// What the page's `https` carrier decides and reads without a relay: which way is tried, what a stream's
// text means, when the relay counts as quiet (with Rust, by vectors).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Ways } from '../../ui/platform/browser/ways.js';
import { Events } from '../../ui/protocol/events.js';
import { Pulse } from '../../ui/protocol/pulse.js';

const { look_ms: LOOK, cases } = JSON.parse(readFileSync(new URL('../../protocol/vectors/pulse.json', import.meta.url), 'utf8'));

for (const { name, heartbeat_ms: heartbeat, heard_ms: heard, until_ms: until, turns } of cases) {
  test(`pulse: ${name}`, () => {
    const pulse = new Pulse(heartbeat);
    const seen = [];
    for (let now = 0; now <= until; now += LOOK) {
      const turn = pulse.turn(now, heard.filter((/** @type {number} */ at) => at <= now).pop());
      if (turn) seen.push([now, turn]);
      if (turn === 'broken') break;
    }
    assert.deepEqual(seen, turns);
  });
}

/** @param {Ways} ways @param {number} count */
function tries(ways, count) {
  return Array.from({ length: count }, () => {
    const way = ways.next;
    return ways.failed(way) ? `${way}!` : way;
  });
}

test('where no WebSocket opens, plain requests are tried at once, and both in turn', () => {
  const ways = new Ways();
  assert.ok(ways.doubtful);
  assert.deepEqual(tries(ways, 5), ['ws!', 'https', 'ws', 'https', 'ws']);
});

test('what worked is kept for the next call, and left only after it failed twice', () => {
  const ways = new Ways();
  ways.failed('ws');
  ways.worked('https');
  assert.ok(!ways.doubtful);
  assert.deepEqual(tries(ways, 4), ['https', 'https', 'ws', 'https']);
  ways.worked('ws');
  assert.deepEqual(tries(ways, 4), ['ws', 'ws', 'https', 'ws']);
});

test('events come whole however the stream is cut, and comments are none', () => {
  const text = ':\n\nid: 7\ndata: {"a":1}\n\n: x\n\nevent: end\r\ndata: 1001\r\n\r\ndata\n\ndata: a\ndata:b\n\nid: 9\n\nretry: 4\n';
  const whole = [
    { id: '7', name: 'message', data: '{"a":1}' },
    { id: '', name: 'end', data: '1001' },
    { id: '', name: 'message', data: '' },
    { id: '', name: 'message', data: 'a\nb' },
  ];
  for (let size = 1; size <= text.length; size += 1) {
    const events = new Events();
    const seen = [];
    for (let at = 0; at < text.length; at += size) seen.push(...events.push(text.slice(at, at + size)));
    assert.deepEqual(seen, whole);
  }
});

test('a line without end is given up, and any text is events or nothing', () => {
  const endless = new Events();
  assert.throws(() => {
    for (let round = 0; round < 100; round += 1) endless.push('x'.repeat(100_000));
  }, RangeError);
  let seed = 7;
  const random = (/** @type {number} */ below) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const pieces = ['id', 'data', 'event', ':', ' ', '\n', '\r', '{', '\u0000', '👋', 'end'];
  for (let round = 0; round < 500; round += 1) {
    const events = new Events();
    for (let piece = 0; piece < 40; piece += 1) {
      for (const event of events.push(pieces[random(pieces.length)])) assert.equal(typeof event.data, 'string');
    }
  }
});
