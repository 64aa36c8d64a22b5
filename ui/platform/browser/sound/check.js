// The own microphone before a call: how loud it is, and a few seconds of it played back. Nothing of
// it leaves the page, and nothing is kept.

import { FRAME, RATE, SILENCE } from '../../../protocol/sound.js';
import { Capture } from './capture.js';
import { Engine } from './engine.js';

/** Frames of 20 ms between two levels: ten a second. */
const PACE = 5;
/** Frames of a sample: three seconds, a sentence. */
const SAMPLE = 150;

/**
 * @param {import('../devices.js').Devices} devices
 * @param {(event: import('../../types').SoundCheckEvent) => void} on
 * @returns {import('../../types').SoundCheck}
 */
export function check(devices, on) {
  const { engine } = devices;
  let stopped = false;
  /** @type {Capture | null} */
  let capture = null;
  /** @type {Float32Array[] | null} */
  let taken = null;
  /** @type {AudioBufferSourceNode | null} */
  let playing = null;
  let loudest = -SILENCE;
  let frames = 0;

  const end = () => {
    if (playing) {
      playing.onended = null;
      playing.stop();
      playing.disconnect();
      playing = null;
      engine.release();
    }
    taken = null;
    capture?.open(false);
  };

  /** @param {Float32Array[]} sample */
  const play = async (sample) => {
    const context = await engine.acquire();
    if (stopped) {
      engine.release();
      return;
    }
    const buffer = context.createBuffer(1, sample.length * FRAME, RATE);
    sample.forEach((frame, at) => buffer.copyToChannel(/** @type {Float32Array<ArrayBuffer>} */ (frame), 0, at * FRAME));
    playing = context.createBufferSource();
    playing.buffer = buffer;
    engine.connect(playing);
    playing.onended = () => {
      end();
      on({ type: 'sample', state: 'none' });
    };
    playing.start();
    on({ type: 'sample', state: 'playing' });
  };

  const microphone = devices.microphone({
    state: (state) => on({ type: 'microphone', state }),
    track: (track) => {
      capture?.close();
      capture = null;
      if (taken) {
        taken = null;
        on({ type: 'sample', state: 'none' });
      }
      if (!track || !Engine.possible) return;
      capture = new Capture(engine, track, false, {
        frame: (samples) => {
          if (!taken) return;
          taken.push(samples);
          if (taken.length < SAMPLE) return;
          const sample = taken;
          taken = null;
          capture?.open(false);
          play(sample).catch(() => on({ type: 'sample', state: 'none' }));
        },
        level: (dbov) => {
          loudest = Math.max(loudest, dbov);
          frames += 1;
          if (frames % PACE !== 0) return;
          on({ type: 'level', level: loudest });
          loudest = -SILENCE;
        },
      });
      capture.started.catch(() => on({ type: 'microphone', state: 'failed' }));
    },
  });
  microphone.on();
  return {
    sample() {
      engine.touch();
      capture?.touch();
      if (taken || playing || !capture) return;
      taken = [];
      capture.open(true);
      on({ type: 'sample', state: 'recording' });
    },
    again: () => void microphone.on(),
    stop() {
      if (stopped) return;
      stopped = true;
      end();
      devices.letGo(microphone);
      capture?.close();
      capture = null;
    },
  };
}
