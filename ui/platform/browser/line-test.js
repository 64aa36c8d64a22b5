// The ways of the line's test: plain requests to the relay, before there is a session.
import { LineTestError, measure } from '../../call/line-test.js';

/** @type {import('../../call/line-test.js').Clock} */
const clock = {
  now: () => performance.now(),
  after(ms, on) {
    const timer = setTimeout(on, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Measures the line to a relay; over after three seconds, or when it is stopped.
 * @param {URL} relay
 * @returns {import('../types').LineTest}
 */
export function testLine(relay) {
  const left = new AbortController();
  const [health, line] = ['/api/v1/health', '/api/v1/line'].map((path) => new URL(path, relay).href);
  /** @param {string} url @param {RequestInit} options */
  const ask = async (url, options) => {
    const answer = await fetch(url, { cache: 'no-store', credentials: 'omit', ...options });
    if (!answer.ok) throw new LineTestError(answer.status === 429 ? 'limited' : 'unreachable');
    return answer;
  };
  const figures = measure({
    ping: async (signal) => (await ask(health, { signal })).arrayBuffer(),
    async down(bytes, signal, came) {
      const { body } = await ask(`${line}?bytes=${bytes}`, { signal });
      const reader = body?.getReader();
      for (;;) {
        const piece = await reader?.read();
        if (!piece || piece.done) return;
        came(piece.value.length);
      }
    },
    // Plain text, so that a page of another origin needn't ask first.
    up: (bytes, signal) => ask(line, { method: 'POST', body: new Blob([noise(bytes)], { type: 'text/plain' }), signal }),
  }, clock, left.signal);
  return { figures, stop: () => left.abort() };
}

/** The most that `getRandomValues` gives at once, in bytes. */
const AT_ONCE = 65_536;

/** What nothing on the way can make smaller. @param {number} bytes */
function noise(bytes) {
  const made = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += AT_ONCE) crypto.getRandomValues(made.subarray(at, at + AT_ONCE));
  return made;
}
