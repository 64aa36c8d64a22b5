// Who is large: in simulated time, with people who speak, pause, cough, talk over each other, come and go.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { followed, INCESSANT_MS, KEPT_MS, PAUSE_MS, pin, TURN_MS, unfocused } from '../../ui/call/focus.js';

/** @typedef {import('../../ui/call/focus.js').Focus} Focus */

const STEP = 100;
const [LOUD, QUIET] = [-26, -70];
/** @type {any} */
const microphone = { id: 1, source: 'microphone', codec: 'opus', layers: [] };

/** A room of so many, its clock, and what its relay says. @param {number} count */
function room(count) {
  let now = 1_000_000;
  let speaker = /** @type {number | null} */ (null);
  let spoke = -Infinity;
  let order = Array.from({ length: count }, (_, i) => i + 1);
  let focus = unfocused();
  /** When who was large: every change. @type {{ at: number, large: number | undefined, before: number | undefined }[]} */
  const changes = [];
  const seen = () => ({
    order, you: 99, sound: /** @type {any} */ ({ speaker }),
    members: Object.fromEntries(order.map((id) => [id, /** @type {any} */ ({ id, connection: 'connected', tracks: [microphone] })])),
  });
  /** @param {Focus} next */
  const take = (next) => {
    if (next.seats[0] !== focus.seats[0]) changes.push({ at: now, large: next.seats[0], before: focus.seats[0] });
    focus = next;
  };
  take(followed(focus, seen(), null, now));
  changes.length = 0;
  return {
    changes,
    get now() {
      return now;
    },
    get focus() {
      return focus;
    },
    get large() {
      return focus.seats[0];
    },
    /** For so many ms these speak; the first of them is whom the relay calls the speaker. @param {number} ms @param {...number} who */
    speak(ms, ...who) {
      for (const end = now + ms; now < end;) {
        now += STEP;
        // As the relay does: a word of 300 ms makes a speaker, 2 s of silence none.
        if (who.length) spoke = now;
        if (who.length && speaker !== who[0]) speaker = who[0] ?? null;
        if (now - spoke > 2000) speaker = null;
        take(followed(focus, seen(), Object.fromEntries(order.map((id) => [id, who.includes(id) ? LOUD : QUIET])), now));
      }
    },
    /** @param {number | null} id */
    pin: (id) => take(pin(focus, seen(), id, now)),
    /** @param {number} id */
    leave(id) {
      order = order.filter((one) => one !== id);
      if (speaker === id) speaker = null;
      take(followed(focus, seen(), null, now));
    },
    /** @param {number} id */
    join(id) {
      order = [...order, id];
      take(followed(focus, seen(), null, now));
    },
  };
}

test('before anybody has spoken the first one is large, and whoever speaks for two seconds after that', () => {
  const here = room(4);
  assert.deepEqual(here.focus.seats, [1, 2, 3, 4]);
  here.speak(TURN_MS - STEP, 3);
  assert.equal(here.large, 1);
  here.speak(2 * STEP, 3);
  assert.equal(here.large, 3);
  assert.deepEqual(here.focus.seats, [3, 2, 1, 4], 'the two changed places, nobody else moved');
});

test('a cough, a "yes" and a laugh move nothing, however often they come', () => {
  const here = room(3);
  here.speak(5000, 1);
  for (let i = 0; i < 20; i += 1) {
    here.speak(600, 2);
    here.speak(1500);
  }
  assert.deepEqual([here.large, here.changes], [1, []]);
});

test('nobody who still speaks is left, for whoever talks over them', () => {
  const here = room(3);
  here.speak(4000, 2);
  assert.equal(here.large, 2);
  here.speak(15_000, 3, 2);
  assert.equal(here.large, 2, 'both speak, and the other one is louder');
  here.speak(PAUSE_MS - 2 * STEP, 3);
  assert.equal(here.large, 2, 'a pause between two sentences');
  here.speak(3000, 3);
  assert.equal(here.large, 3);
});

test('two who talk to each other in short turns don’t make the view jump', () => {
  const here = room(2);
  for (let i = 0; i < 30; i += 1) here.speak(2400, i % 2 ? 1 : 2);
  for (const [i, { at }] of here.changes.entries()) if (i) assert.ok(at - here.changes[i - 1].at >= KEPT_MS, `${i}: ${at - here.changes[i - 1].at} ms`);
  assert.ok(here.changes.length <= 72_000 / KEPT_MS);
});

test('a television isn’t somebody who still speaks', () => {
  const here = room(2);
  here.speak(INCESSANT_MS + 3000, 1);
  assert.equal(here.large, 1);
  here.speak(3000, 2, 1);
  assert.equal(here.large, 2);
});

test('silence leaves everything as it is', () => {
  const here = room(3);
  here.speak(5000, 2);
  const before = here.focus.seats;
  here.speak(600_000);
  assert.equal(here.focus.seats, before);
});

test('who is pinned stays large whoever speaks, until that is ended, or they go', () => {
  const here = room(4);
  here.pin(4);
  assert.deepEqual([here.large, here.focus.pinned], [4, 4]);
  here.speak(10_000, 2);
  assert.equal(here.large, 4);
  here.pin(null);
  assert.equal(here.focus.pinned, null);
  here.speak(STEP, 2);
  assert.equal(here.large, 2, 'who speaks meanwhile');
  here.pin(3);
  here.leave(3);
  assert.deepEqual([here.focus.pinned, here.focus.seats.includes(3)], [null, false]);
  here.join(3);
  assert.notEqual(here.large, 3, 'another one, or the same one anew');
  here.pin(77);
  assert.equal(here.focus.pinned, null, 'nobody');
});

test('who comes sits behind the others, and who goes leaves a gap that those behind fill', () => {
  const here = room(4);
  here.speak(4000, 3);
  here.join(5);
  assert.deepEqual(here.focus.seats, [3, 2, 1, 4, 5]);
  here.leave(2);
  assert.deepEqual(here.focus.seats, [3, 1, 4, 5]);
  here.leave(3);
  assert.deepEqual(here.focus.seats, [1, 4, 5]);
  here.speak(TURN_MS + 2 * STEP, 5);
  assert.equal(here.large, 5, 'nobody was put there by a word, so nobody has to be kept');
});

test('when the large one goes, who speaks is large at once', () => {
  const here = room(3);
  here.speak(4000, 2);
  here.speak(1500, 3, 2);
  here.leave(2);
  assert.equal(here.large, 3);
});

test('nothing that changes nothing makes anything new', () => {
  const here = room(3);
  const before = here.focus;
  here.speak(1000);
  assert.equal(here.focus, before);
});

test('whatever anybody does: everybody has one seat, changes are seconds apart, and nobody is left in the middle of a word', () => {
  let seed = 11;
  const chance = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  for (let turn = 0; turn < 40; turn += 1) {
    const here = room(2 + Math.floor(chance() * 8));
    /** When each one was last heard. @type {Record<number, number>} */
    const heard = {};
    let last = -Infinity;
    for (let step = 0; step < 150; step += 1) {
      const there = here.focus.seats;
      const who = [...there].filter(() => chance() < 0.3).sort(() => chance() - 0.5).slice(0, 3);
      const what = chance();
      const before = here.changes.length;
      if (what < 0.04 && there.length > 2) here.leave(there[Math.floor(chance() * there.length)]);
      else if (what < 0.08) here.join(100 + turn * 1000 + step);
      else {
        for (let left = Math.ceil(chance() * 40); left > 0; left -= 1) {
          const count = here.changes.length;
          here.speak(STEP, ...who);
          if (here.changes.length > count) {
            const { at, before: from } = here.changes[count];
            assert.ok(at - last >= KEPT_MS, `${at - last} ms after the last change`);
            last = at;
            if (from !== undefined && !who.includes(from)) assert.ok(at - (heard[from] ?? -Infinity) >= PAUSE_MS);
            else assert.ok(who.length === 0 || !who.includes(Number(from)), 'who speaks was left');
          }
          for (const id of who) heard[id] = here.now;
        }
        continue;
      }
      // Somebody who came or went may be followed at once.
      if (here.changes.length > before) last = here.focus.since ?? -Infinity;
    }
    assert.equal(new Set(here.focus.seats).size, here.focus.seats.length);
  }
});
