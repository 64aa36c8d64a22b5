// The test of a line, on simulated lines and a simulated clock: what it measures, what it says, and
// that it ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LineTestError, measure, TEST_MS, verdict } from '../../ui/call/line-test.js';

/** A clock that stands still until everything that could run has run, and then goes to what comes next. */
function simulated() {
  let now = 5_000;
  /** @type {{ at: number, on: () => void }[]} */
  let timers = [];
  const clock = {
    now: () => now,
    after: (/** @type {number} */ ms, /** @type {() => void} */ on) => {
      const timer = { at: now + ms, on };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  };
  return {
    clock,
    wait: (/** @type {number} */ ms) => new Promise((/** @type {(value: void) => void} */ resolve) => void clock.after(ms, resolve)),
    /** @template T @param {Promise<T>} work */
    async run(work) {
      let over = false;
      work.then(() => (over = true), () => (over = true));
      for (let turns = 0; turns < 100_000; turns += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        if (over || !timers.length) break;
        timers.sort((a, b) => a.at - b.at);
        const next = timers.shift();
        now = Math.max(now, next?.at ?? now);
        next?.on();
      }
      return { result: await work, took: now - 5_000 };
    },
  };
}

/** @param {{ latency?: number, jitter?: number, down?: number, up?: number }} line times in ms, rates in kbit/s */
function lineOf({ latency = 5, jitter = 0, down = 50_000, up = 20_000 }) {
  const { clock, wait, run } = simulated();
  let turn = 0;
  const way = () => latency + (turn++ % 2) * jitter;
  const asked = { down: 0, up: 0, requests: 0 };
  const ways = {
    async ping() {
      asked.requests += 1;
      await wait(way());
    },
    async down(/** @type {number} */ bytes, /** @type {AbortSignal} */ signal, /** @type {(bytes: number) => void} */ came) {
      asked.requests += 1;
      asked.down += bytes;
      await wait(way());
      for (let left = bytes; left > 0 && !signal.aborted; left -= 1400) {
        await wait(Math.min(left, 1400) * 8 / down);
        came(Math.min(left, 1400));
      }
    },
    async up(/** @type {number} */ bytes) {
      asked.requests += 1;
      asked.up += bytes;
      await wait(way() + bytes * 8 / up);
    },
  };
  return { ways, clock, run, asked, wait };
}

/** @param {number} measured @param {number} real @param {string} what */
const about = (measured, real, what) => assert.ok(measured > real * 0.7 && measured < real * 1.3, `${what}: ${measured}, really ${real}`);

test('a line’s figures are what the line is', async () => {
  for (const real of [
    { latency: 2, down: 100_000, up: 100_000 }, { latency: 30, down: 20_000, up: 5_000 }, { latency: 60, down: 3_000, up: 1_000 },
    { latency: 80, down: 600, up: 400 }, { latency: 120, down: 300, up: 200 }, { latency: 90, down: 100, up: 80 },
  ]) {
    const { ways, clock, run } = lineOf(real);
    const { result, took } = await run(measure(ways, clock));
    const where = JSON.stringify(real);
    about(result.latency, real.latency, `latency of ${where}`);
    about(result.down, real.down, `down of ${where}`);
    about(result.up, real.up, `up of ${where}`);
    assert.ok(result.jitter < 5, where);
    assert.ok(took <= TEST_MS, where);
  }
});

test('what each line carries is said', async () => {
  const says = async (/** @type {Parameters<typeof lineOf>[0]} */ line) => {
    const { ways, clock, run } = lineOf(line);
    return verdict((await run(measure(ways, clock))).result);
  };
  assert.equal(await says({}), 'several');
  assert.equal(await says({ latency: 40, down: 3_000, up: 1_000 }), 'several');
  assert.equal(await says({ latency: 40, down: 800, up: 400 }), 'one');
  assert.equal(await says({ latency: 350, down: 8_000, up: 4_000 }), 'one', 'far away');
  assert.equal(await says({ latency: 60, down: 8_000, up: 100 }), 'sound', 'a poor way up');
  assert.equal(await says({ latency: 60, down: 100, up: 100 }), 'sound');
  assert.equal(await says({ latency: 60, down: 20, up: 20 }), 'none');
  assert.equal(await says({ latency: 5_000 }), 'none');
  assert.equal(await says({ latency: 20, jitter: 180 }), 'one', 'it comes and goes');
});

test('verdicts follow the figures, and a better line is never said to be worse', () => {
  const best = { latency: 5, jitter: 1, down: 50_000, up: 20_000 };
  const order = ['none', 'sound', 'one', 'several'];
  for (const [key, worse] of /** @type {const} */ ([['latency', 1.3], ['jitter', 1.3], ['down', 0.8], ['up', 0.8]])) {
    let figures = { ...best };
    let last = order.length - 1;
    for (let i = 0; i < 60; i += 1) {
      const now = order.indexOf(verdict(figures));
      assert.ok(now <= last, `${key} ${figures[key]}`);
      last = now;
      figures = { ...figures, [key]: figures[key] * worse };
    }
    assert.equal(last, 0, key);
  }
  assert.equal(verdict({ latency: NaN, jitter: 0, down: 1e6, up: 1e6 }), 'none');
});

test('it is over after three seconds, whatever the line does, and takes no more than a host gives', async () => {
  const never = () => new Promise(() => {});
  let seed = 5;
  const chance = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  for (let i = 0; i < 200; i += 1) {
    const line = lineOf({ latency: 10 ** (chance() * 4), jitter: chance() * 500, down: 10 ** (chance() * 6), up: 10 ** (chance() * 6) });
    const ways = { ...line.ways };
    // A way that never ends, and pays no heed to being told to.
    for (const way of /** @type {const} */ (['ping', 'down', 'up'])) if (chance() < 0.2) ways[way] = never;
    const { result, took } = await line.run(measure(ways, line.clock));
    assert.ok(took <= TEST_MS, `${i}: ${took} ms`);
    for (const figure of Object.values(result)) assert.ok(Number.isFinite(figure) && figure >= 0, JSON.stringify(result));
    assert.ok(line.asked.down + line.asked.up + 4096 * line.asked.requests <= 1024 * 1024, 'a quarter of an address’s share');
  }
});

test('a host that refuses or doesn’t answer is told apart from a poor line, at once', async () => {
  for (const [way, error, reason] of /** @type {const} */ ([
    ['ping', new TypeError('Failed to fetch'), 'unreachable'], ['down', new LineTestError('limited'), 'limited'], ['up', new LineTestError('limited'), 'limited'],
  ])) {
    const line = lineOf({});
    const refused = measure({ ...line.ways, [way]: async () => Promise.reject(error) }, line.clock);
    await assert.rejects(line.run(refused), (/** @type {any} */ thrown) => thrown instanceof LineTestError && thrown.reason === reason);
  }
});

test('who goes on while it is measured leaves nothing behind', async () => {
  const line = lineOf({ down: 50 });
  const left = new AbortController();
  const going = measure(line.ways, line.clock, left.signal);
  line.clock.after(1_000, () => left.abort());
  const { took } = await line.run(going);
  assert.equal(took, 1_000);
  const before = line.asked.requests;
  await measure(line.ways, line.clock, left.signal);
  assert.equal(line.asked.requests, before, 'and asks for nothing any more');
});
