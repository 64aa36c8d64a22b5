// What to do when the camera or the microphone can't be used.
import { h, icon } from './dom.js';
import { button } from './parts.js';

/** @typedef {import('../platform/types').CameraState} CameraState */
/** @typedef {import('../platform/types').MicState} MicState */
/** What is in trouble; `both`: for one and the same reason. @typedef {'camera' | 'mic' | 'both'} Device */
/** @typedef {{ device: Device, state: Exclude<MicState, 'off' | 'starting' | 'on' | 'muted'> }} Trouble */

/** Reasons that the camera and the microphone share, and that have one way out. @type {readonly string[]} */
const SHARED = ['denied', 'insecure', 'missing'];

/**
 * Whether it can't be used, and the person can do something about it.
 * @param {CameraState | MicState} state
 * @returns {state is Trouble['state']}
 */
export function inTrouble(state) {
  return state !== 'off' && state !== 'starting' && state !== 'on' && state !== 'muted';
}

/**
 * What is said of both: one thing at a time, and the sound first.
 * @param {CameraState} camera @param {MicState} microphone
 * @returns {Trouble | null}
 */
export function troubleOf(camera, microphone) {
  if (camera === microphone && SHARED.includes(camera) && inTrouble(camera)) return { device: 'both', state: camera };
  if (inTrouble(microphone)) return { device: 'mic', state: microphone };
  return inTrouble(camera) ? { device: 'camera', state: camera } : null;
}

/** @param {Trouble | null} one @param {Trouble | null} other */
export function sameTrouble(one, other) {
  return one?.device === other?.device && one?.state === other?.state;
}

/**
 * A card: what is, what to do, and going on without.
 * @param {Trouble} trouble
 * @param {{ again?: () => void, without?: () => void, inApp?: boolean, before?: boolean, help?: boolean }} options `before`: there is no call yet;
 *   `help`: whether the one who reads it can change a permission
 */
export function troubleCard({ device, state }, { again, without, inApp = false, before = false, help = true }) {
  // Asking again can't make a page secure.
  const retry = again && state !== 'insecure';
  const said = `${device}-${state}`;
  // In a browser the permission is the page's, in the app it is the system's.
  const asApp = inApp && state === 'denied';
  const how = help && state === 'denied' && (() => void showPermissions(inApp));
  const asBefore = before && (state === 'lost' || state === 'failed');
  return h('section', { class: 'device-card', testid: `${device}-card`, attributes: { role: 'alert', [`data-${device}`]: state } },
    h('span', { class: 'badge warning' }, icon(device === 'mic' ? 'mic-off' : 'camera-off')),
    h('div', { class: 'device-words' },
      h('p', { class: 'device-title', t: `${said}-title` }),
      h('p', { class: 'device-text', t: asApp ? `${said}-text-app` : asBefore ? `${said}-text-before` : `${said}-text` }),
      (retry || without || how) && h('div', { class: 'actions' },
        how && button({ t: 'allow-how', icon: 'info', testid: `${device}-how`, on: how }),
        retry && button({ t: 'try-again', icon: 'refresh-cw', testid: `${device}-again`, on: again }),
        without && button({ kind: 'quiet', t: `${device}-without`, testid: `${device}-without`, on: without }))));
}

/** @param {boolean} inApp */
async function showPermissions(inApp) {
  const { openPermissions } = await import('./help.js');
  openPermissions({ inApp });
}
