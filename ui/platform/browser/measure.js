// How a call's line fares, measured while somebody looks: what went through it, a second at a time.

/** @typedef {import('../types').LineNow} LineNow */
/** What went through since the way began. `way`: which one it is. @typedef {Pick<LineNow, 'roundTrip' | 'gets' | 'sends'> & { way: unknown, at: number, got: number, sent: number }} Counts */

const EVERY_MS = 1000;

/**
 * How the line fares between two counts; of two ways, what went through isn't known.
 * @param {Counts | null} before @param {Counts} now
 * @returns {LineNow}
 */
export function between(before, now) {
  const { roundTrip, gets, sends } = now;
  const time = before?.way === now.way ? now.at - (before?.at ?? 0) : 0;
  if (!before || time <= 0) return { roundTrip, down: null, up: null, gets, sends };
  // Bits in a millisecond are kbit in a second.
  const rate = (/** @type {'got' | 'sent'} */ way) => Math.max(0, ((now[way] - before[way]) * 8) / time);
  return { roundTrip, down: rate('got'), up: rate('sent'), gets, sends };
}

/**
 * Counts at once and each second, until it is ended.
 * @param {() => Promise<Counts>} count @param {(line: LineNow) => void} on
 * @returns {() => void}
 */
export function measure(count, on) {
  /** @type {Counts | null} */
  let before = null;
  let over = false;
  const look = async () => {
    const now = await count();
    if (over) return;
    on(between(before, now));
    before = now;
  };
  void look();
  const timer = setInterval(() => void look(), EVERY_MS);
  return () => {
    over = true;
    clearInterval(timer);
  };
}
