// Numbering, acknowledging, resuming.
import assert from 'node:assert/strict';
import test from 'node:test';

import { MAX_UNACKED, Session, SessionError } from '../../ui/protocol/session.js';

const problem = (name) => (error) => error instanceof SessionError && error.problem === name;

test('messages are numbered from 1 and kept until acknowledged', () => {
  const session = new Session();
  assert.equal(session.send('a'), 1);
  assert.equal(session.send('b'), 2);
  session.acked(1);
  assert.deepEqual(session.resume(1), [{ n: 2, body: 'b' }]);
  session.acked(2);
  assert.deepEqual(session.resume(2), []);
});

test('a message counts once, a gap never', () => {
  const session = new Session();
  assert.equal(session.accept(1, 0), 'new');
  assert.equal(session.accept(1, 0), 'duplicate');
  assert.throws(() => session.accept(3, 0), problem('gap'));
  assert.equal(session.accept(2, 0), 'new');
  assert.equal(session.received, 2);
});

test('an acknowledgement of what was never sent is refused', () => {
  const session = new Session();
  session.send('a');
  assert.throws(() => session.acked(2), problem('ack_ahead'));
  assert.throws(() => session.accept(1, 2), problem('ack_ahead'));
  assert.equal(session.received, 0);
});

test('a peer that forgot what it acknowledged cannot be resumed', () => {
  const session = new Session();
  session.send('a');
  session.send('b');
  session.acked(2);
  assert.throws(() => session.resume(1), problem('forgotten'));
});

test('what waits is bounded', () => {
  const session = new Session();
  for (let n = 1; n <= MAX_UNACKED; n += 1) assert.equal(session.send(n), n);
  assert.throws(() => session.send('one too many'), problem('overflow'));
  session.acked(1);
  assert.equal(session.send('next'), MAX_UNACKED + 1);
});

test('over any breaks of the line nothing is lost or doubled', () => {
  let state = 7;
  const random = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % below;
  };
  for (let round = 0; round < 200; round += 1) {
    const sides = [new Session(), new Session()];
    const got = [[], []];
    const wire = [[], []];
    const sent = [0, 0];
    const step = (from) => {
      const to = 1 - from;
      switch (random(4)) {
        case 0:
          sent[from] += 1;
          wire[from].push({ n: sides[from].send(sent[from]), ack: sides[from].received, body: sent[from] });
          break;
        case 1: {
          const message = wire[from].shift();
          if (message && sides[to].accept(message.n, message.ack) === 'new') got[to].push(message.body);
          break;
        }
        case 2:
          sides[to].acked(sides[from].received);
          break;
        default:
          if (random(5) > 0) break;
          // The line breaks: what is on the way is lost, and both sides resume.
          for (const side of [0, 1]) {
            wire[side] = sides[side].resume(sides[1 - side].received)
              .map(({ n, body }) => ({ n, ack: sides[side].received, body }));
          }
      }
    };
    for (let at = 0; at < 120; at += 1) step(random(2));
    for (const from of [0, 1]) {
      for (const message of wire[from]) {
        if (sides[1 - from].accept(message.n, message.ack) === 'new') got[1 - from].push(message.body);
      }
      assert.deepEqual(got[1 - from], Array.from({ length: sent[from] }, (_, at) => at + 1));
    }
  }
});
