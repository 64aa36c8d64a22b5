// What to do when the camera can't be used.
import { h, icon } from './dom.js';
import { button } from './parts.js';

/** @typedef {import('../platform/types').CameraState} CameraState */

/** States in which the person can do something about it. @param {CameraState} state */
export function inTrouble(state) {
  return state !== 'off' && state !== 'starting' && state !== 'on';
}

/**
 * A card: what is, what to do, and going on without.
 * @param {CameraState} state
 * @param {{ again?: () => void, without?: () => void, inApp?: boolean, before?: boolean }} options `before`: there is no call yet
 */
export function cameraCard(state, { again, without, inApp = false, before = false }) {
  // Asking again can't make a page secure.
  const retry = again && state !== 'insecure';
  return h('section', { class: 'camera-card', testid: 'camera-card', attributes: { role: 'alert', 'data-camera': state } },
    h('span', { class: 'badge warning' }, icon('camera-off')),
    h('div', { class: 'camera-words' },
      h('p', { class: 'camera-title', t: `camera-${state}-title` }),
      h('p', { class: 'camera-text', t: textOf(state, inApp, before) }),
      (retry || without) && h('div', { class: 'actions' },
        retry && button({ t: 'try-again', icon: 'refresh-cw', testid: 'camera-again', on: again }),
        without && button({ kind: 'quiet', t: 'camera-without', testid: 'camera-without', on: without }))));
}

/** @param {CameraState} state @param {boolean} inApp @param {boolean} before */
function textOf(state, inApp, before) {
  // In a browser the permission is the page's, in the app it is the system's.
  if (inApp && state === 'denied') return 'camera-denied-text-app';
  if (before && state === 'lost') return 'camera-lost-text-before';
  if (before && state === 'failed') return 'camera-failed-text-before';
  return `camera-${state}-text`;
}
