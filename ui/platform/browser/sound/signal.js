// The page's own soft sounds, made by computation: a few notes that rise, fall, or knock. The app
// makes the same (src-tauri/src/sounds/signal.rs); protocol/vectors/signals.json holds them together.

/** @typedef {import('./engine.js').Engine} Engine */
/** @typedef {import('../../types').Signal} Signal */
/** A note: when it begins, how long it lasts. @typedef {{ hertz: number, at_ms: number, long_ms: number }} Note */

/** −24 dBFS at its loudest, half of the test tone: heard in a quiet room, and wakes nobody behind a curtain. */
export const GAIN = 0.063;
/** How long a note takes to be as loud, so that it doesn't click or startle. */
export const RISE_MS = 15;

/** @type {Record<Signal, Note[]>} */
export const SIGNALS = {
  join: [{ hertz: 587, at_ms: 0, long_ms: 200 }, { hertz: 880, at_ms: 200, long_ms: 260 }],
  leave: [{ hertz: 880, at_ms: 0, long_ms: 200 }, { hertz: 587, at_ms: 200, long_ms: 260 }],
  knock: [{ hertz: 392, at_ms: 0, long_ms: 140 }, { hertz: 392, at_ms: 200, long_ms: 220 }],
};

/** Milliseconds that a device may take to begin: what sounds later says nothing of what happens now. */
const BEGINS = 1000;

/**
 * Makes a sound, at once or not at all: where the browser waits for a touch nothing waits with it.
 * @param {Engine} engine @param {Signal} which
 */
export async function signal(engine, which) {
  if (!engine.sounds) return;
  /** @type {AudioContext | null} */
  let context = null;
  try {
    context = await engine.acquire();
    if (!(await begins(context))) context = null;
  } finally {
    if (!context) engine.release();
  }
  if (!context) return;
  const gain = context.createGain();
  const oscillator = context.createOscillator();
  const from = context.currentTime;
  let end = from;
  gain.gain.setValueAtTime(0, from);
  for (const { hertz, at_ms: at, long_ms: long } of SIGNALS[which]) {
    const begin = from + at / 1000;
    end = begin + long / 1000;
    oscillator.frequency.setValueAtTime(hertz, begin);
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(GAIN, begin + RISE_MS / 1000);
    gain.gain.linearRampToValueAtTime(0, end);
  }
  oscillator.connect(gain);
  engine.connect(gain);
  oscillator.onended = () => {
    gain.disconnect();
    engine.release();
  };
  oscillator.start();
  oscillator.stop(end);
}

/** @param {AudioContext} context @returns {Promise<boolean>} whether it runs */
function begins(context) {
  if (context.state === 'running') return Promise.resolve(true);
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), BEGINS);
    context.resume().then(() => {
      clearTimeout(late);
      resolve(context.state === 'running');
    }, () => resolve(false));
  });
}
