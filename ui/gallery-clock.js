// The gallery's time: it stands still, so that a picture taken today is the picture of next year.
// What would happen a second later or more happens only when a scene goes on to then.

/** Thursday, 12 March 2026, 10:42 in Mexico City. */
export const now = Date.UTC(2026, 2, 12, 16, 42);

/** What is over sooner than this is waited for as it is. */
const LONG_MS = 1_000;

/** @typedef {{ at: number, every: number, run: () => void }} Booked */

let at = now;
let last = 2 ** 30;
/** @type {Map<number, Booked>} */
const booked = new Map();

/** Stops the clock of the page. */
export function stopClock() {
  const Real = Date;
  /** @type {any} */
  const page = window;
  page.Date = class extends Real {
    /** @param {[]} given */
    constructor(...given) {
      if (given.length) super(...given);
      else super(at);
    }
  };
  page.Date.now = () => at;
  for (const [start, end, again] of [['setTimeout', 'clearTimeout', false], ['setInterval', 'clearInterval', true]]) {
    const [realStart, realEnd] = [page[`${start}`].bind(page), page[`${end}`].bind(page)];
    page[`${start}`] = (/** @type {(...given: unknown[]) => void} */ what, ms = 0, /** @type {unknown[]} */ ...given) => {
      if (ms < LONG_MS) return realStart(what, ms, ...given);
      last += 1;
      booked.set(last, { at: at + ms, every: again ? ms : 0, run: () => what(...given) });
      return last;
    };
    page[`${end}`] = (/** @type {number} */ id) => {
      if (!booked.delete(id)) realEnd(id);
    };
  }
}

/** Goes on by so many ms, and does what falls into them in its order. @param {number} ms */
export function later(ms) {
  const end = at + ms;
  for (;;) {
    const [next] = Array.from(booked).filter(([, one]) => one.at <= end).sort(([, a], [, b]) => a.at - b.at);
    if (!next) break;
    const [id, one] = next;
    at = one.at;
    if (one.every) one.at += one.every;
    else booked.delete(id);
    one.run();
  }
  at = end;
}
