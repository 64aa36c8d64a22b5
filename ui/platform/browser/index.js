// The platform of a page in a browser: everything by the web's own means.

import { relayOf, socketUrl } from './address.js';
import { Call } from './call.js';
import { capability } from './camera.js';
import { probe } from './codecs.js';
import { Devices } from './devices.js';
import { reach, redeem } from './door.js';
import { testLine } from './line-test.js';
import { lobby } from './lobby.js';
import { Ways } from './ways.js';

/** @typedef {import('../types').Platform} Platform */

/**
 * The platform, talking to the relay that served this page or that it names.
 * @returns {Platform}
 */
export function createPlatform() {
  const meta = document.querySelector('meta[name="visita-relay"]')?.getAttribute('content');
  const relay = relayOf({ href: location.href, meta });
  // Asked at once: the answer is there before somebody has typed a name.
  const codecs = probe();
  const devices = new Devices();
  const ways = new Ways();
  const api = (/** @type {string} */ path) => new URL(`/api/v1/${path}`, relay).href;
  return {
    kind: 'browser',
    language: () => navigator.language,
    lobby: (on) => lobby({ ws: socketUrl(relay, 'lobby'), https: api('rooms'), health: api('health') }, ways, on),
    join: (options) => new Call({ ws: socketUrl(relay, 'ws'), https: api('https'), webrtc: api('webrtc') }, ways, codecs, options, devices),
    capability,
    testLine: () => testLine(relay),
    devices,
    reach: () => reach(relay),
    redeem: (code) => redeem(relay, code),
    trouble: (trouble) => {
      // Plain text, so that a page of another origin needn't ask first. Who can't be told isn't.
      fetch(api('trouble'), { method: 'POST', body: JSON.stringify(trouble), keepalive: true, credentials: 'omit' }).catch(() => {});
    },
  };
}
