// What a line carries, measured before a call in three seconds: how long an answer takes, and how
// much goes either way. Pure: the ways and the clock are passed in.

/** Bits a second are counted in thousands, times in ms; `jitter` is the spread of the middle answers. @typedef {{ latency: number, jitter: number, down: number, up: number }} Figures */
/** @typedef {'several' | 'one' | 'sound' | 'none'} Verdict */

/**
 * `ping` is over with the answer; `down` calls `came` for each piece; `up` is over once all was taken.
 * They end when the signal says so, or don't: nothing here waits for that. They throw `limited` or
 * `unreachable`.
 * @typedef {{
 *   ping(signal: AbortSignal): Promise<unknown>,
 *   down(bytes: number, signal: AbortSignal, came: (bytes: number) => void): Promise<unknown>,
 *   up(bytes: number, signal: AbortSignal): Promise<unknown>,
 * }} Ways
 */
/** `after` calls once, unless the function that it returns is called before. @typedef {{ now(): number, after(ms: number, on: () => void): () => void }} Clock */

/** How long the test takes at most, in ms, and by when its parts end: answers first, then down, then up. */
export const TEST_MS = 3_000;
const ENDS = { pings: 800, down: 1_900, up: TEST_MS };
/** Answers that are measured, after one that also opens the connection. */
const PINGS = 8;
/** What is asked for and sent, in bytes: until the time is over or all has gone. 1 MiB in all (`relay/src/line.rs`). */
const DOWN = [16, 64, 256, 256].map((kib) => kib * 1024);
const UP = [4, 16, 64, 256].map((kib) => kib * 1024);
/** So many bytes say how fast a line is; fewer may have come out of something's buffer. */
const ENOUGH = 16 * 1024;

export class LineTestError extends Error {
  /** @param {'limited' | 'unreachable'} reason  `limited`: measured too often; `unreachable`: nobody answers */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * What each verdict takes, the best first. Pictures are sent with 150 to 500 kbit/s each
 * (`protocol::rate`), sound with up to 64 and its repetitions; beyond 400 ms people talk over each
 * other (ITU-T G.114), beyond a second they give up.
 * @type {readonly [verdict: Verdict, least: { down: number, up: number }, most: { latency: number, jitter: number }][]}
 */
const TAKES = [
  ['several', { down: 1_600, up: 500 }, { latency: 250, jitter: 120 }],
  ['one', { down: 350, up: 250 }, { latency: 500, jitter: 250 }],
  ['sound', { down: 60, up: 60 }, { latency: 1_000, jitter: 600 }],
];

/** @param {Figures} figures @returns {Verdict} */
export function verdict({ latency, jitter, down, up }) {
  const found = TAKES.find(([, least, most]) => down >= least.down && up >= least.up && latency <= most.latency && jitter <= most.jitter);
  return found?.[0] ?? 'none';
}

/**
 * Measures; over after `TEST_MS` whatever the line does. Throws `LineTestError` where nothing could
 * be measured.
 * @param {Ways} ways @param {Clock} clock @param {AbortSignal} [left] the person went on
 * @returns {Promise<Figures>}
 */
export async function measure(ways, clock, left) {
  const begun = clock.now();
  const part = (/** @type {number} */ end, /** @type {(signal: AbortSignal) => Promise<unknown>} */ work) => within(clock, begun + end - clock.now(), work, left);
  /** @type {number[]} */
  const answers = [];
  await part(ENDS.pings, async (signal) => {
    await ways.ping(signal);
    while (answers.length < PINGS && !signal.aborted) {
      const asked = clock.now();
      await ways.ping(signal);
      answers.push(clock.now() - asked);
    }
  });
  const sorted = answers.sort((a, b) => a - b);
  // Nothing came back in time: that is what is known of it.
  const latency = sorted.length ? sorted[Math.floor(sorted.length / 2)] : ENDS.pings;
  const jitter = sorted.length > 1 ? sorted[Math.floor(sorted.length * 0.9)] - sorted[Math.floor(sorted.length * 0.1)] : 0;

  let [down, came, since] = [0, 0, 0];
  // Of a slow line there are only pieces, and few of the last request say less than the one before.
  const count = () => {
    if (came >= ENOUGH || down === 0) down = rate(came, clock.now() - since, latency);
  };
  await part(ENDS.down, async (signal) => {
    for (const bytes of DOWN) {
      [came, since] = [0, clock.now()];
      await ways.down(bytes, signal, (more) => {
        if (!signal.aborted) came += more;
      });
      if (signal.aborted) return;
      count();
    }
    came = 0;
  });
  count();

  let [up, going] = [0, 0];
  await part(ENDS.up, async (signal) => {
    for (const bytes of UP) {
      [going, since] = [bytes, clock.now()];
      await ways.up(bytes, signal);
      if (signal.aborted) return;
      up = rate(bytes, clock.now() - since, latency);
      going = 0;
    }
  });
  // What didn't get through in the time that was left says what there isn't.
  const bound = going ? rate(going, clock.now() - since, 0) : Infinity;
  return { latency, jitter, down, up: up ? Math.min(up, bound) : going ? bound / 2 : 0 };
}

/**
 * @param {number} bytes @param {number} ms from asking to the end @param {number} latency what of it is the way alone
 * @returns {number} kbit/s
 */
function rate(bytes, ms, latency) {
  // One answer may have taken longer than this whole request.
  return (bytes * 8) / Math.max(ms - latency, ms / 4, 1);
}

/**
 * Does a part of the work until its time is over, or the person goes on; what it doesn't end by itself is left.
 * @param {Clock} clock @param {number} ms @param {(signal: AbortSignal) => Promise<unknown>} work @param {AbortSignal} [left]
 * @returns {Promise<void>}
 */
function within(clock, ms, work, left) {
  const abort = new AbortController();
  return new Promise((resolve, reject) => {
    const end = (/** @type {() => void} */ settle) => {
      stop();
      left?.removeEventListener('abort', over);
      settle();
      abort.abort();
    };
    const over = () => end(resolve);
    const stop = clock.after(Math.max(0, ms), over);
    left?.addEventListener('abort', over);
    if (left?.aborted) over();
    else {
      work(abort.signal).then(over, (error) => {
        if (!abort.signal.aborted) end(() => reject(error instanceof LineTestError ? error : new LineTestError('unreachable')));
      });
    }
  });
}
