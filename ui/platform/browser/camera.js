// The camera of a browser.

import { Input, nameOf, possible } from './input.js';

/** @typedef {import('../types').CameraState} CameraState */

/** What is asked for. Ideals only: a camera that can't do this is better than none. */
const WANTED = {
  width: { ideal: 640 },
  height: { ideal: 360 },
  frameRate: { ideal: 30 },
  facingMode: { ideal: 'user' },
};

export class Camera extends Input {
  /**
   * @param {import('./input.js').Events} events
   * @param {import('./input.js').Choice} [choice]
   */
  constructor(events, choice) {
    super(open, events, choice);
  }
}

/** @param {string | null} id  the camera meant; without one the browser chooses */
async function open(id) {
  const video = id ? { ...WANTED, facingMode: undefined, deviceId: { exact: id } } : WANTED;
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    // With a camera named it is that one that isn't there; otherwise the ideals were too much.
    if (id || nameOf(error) !== 'OverconstrainedError') throw error;
    return navigator.mediaDevices.getUserMedia({ video: true, audio: false });
  }
}

/**
 * Whether there could be a picture and sound, before anybody is asked for either.
 * @returns {Promise<{ camera: CameraState, microphone: import('../types').MicState, asks: boolean }>}
 */
export async function capability() {
  const [camera, microphone] = await Promise.all([possible('camera'), possible('microphone')]);
  return { camera: camera.state, microphone: microphone.state, asks: camera.asks || microphone.asks };
}
