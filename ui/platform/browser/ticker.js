// A slow beat for what must go on in a page that is in the background. Browsers slow the timers
// of hidden pages down to one a minute, those of workers not; where there is no worker (or the
// page's policy forbids it) the page's own timer has to do. Who listens looks at the clock, so
// beats from both do no harm.

/** Milliseconds between beats: a tenth of the relay's patience. */
const BEAT = 500;

/**
 * Calls `beat` about every 500 ms until the returned function is called.
 * @param {() => void} beat
 * @returns {() => void}
 */
export function ticker(beat) {
  const timer = setInterval(beat, BEAT);
  /** @type {Worker | null} */
  let worker = null;
  try {
    worker = new Worker(new URL('./ticker-worker.js', import.meta.url));
    worker.onmessage = beat;
    worker.onerror = (event) => event.preventDefault();
    worker.postMessage(BEAT);
  } catch {
    worker = null;
  }
  return () => {
    clearInterval(timer);
    worker?.terminate();
  };
}
