// The soft sounds, as they are set here and made: who came, who left, who waits.
import { atList, inCall, NIGHT, unheard, unknown } from '../call/signals.js';
import { h } from './dom.js';
import { choice } from './parts.js';
import { recall, remember } from './storage.js';

/** @typedef {import('../call/signals.js').Wanted} Wanted */
/** @typedef {import('../platform/types').Devices} Devices */

/** What is wanted on this device: sounds by day, unless something else was set. @returns {Wanted} */
function wanted() {
  const kept = recall('signals');
  return kept === 'on' || kept === 'off' ? kept : 'night';
}

/** @returns {import('../call/signals.js').Moment} */
const moment = () => ({ now: performance.now(), hour: new Date().getHours(), wanted: wanted() });

/**
 * Makes a call's sounds out of what happens in it.
 * @param {Devices | undefined} devices
 */
export function callSignals(devices) {
  let kept = unheard;
  return (/** @type {Parameters<typeof inCall>[1]} */ change) => {
    const next = inCall(kept, change, moment());
    kept = next.kept;
    if (next.signal) devices?.signal?.(next.signal);
  };
}

/**
 * Lets a room that begins to wait knock.
 * @param {Devices} devices
 */
export function listSignals(devices) {
  let kept = unknown;
  return (/** @type {import('../platform/types').LobbyState} */ lobby) => {
    const next = atList(kept, lobby, moment());
    kept = next.kept;
    if (next.signal) devices.signal?.(next.signal);
  };
}

let choices = 0;

/** Whether there are sounds, and when. */
export function signalChoice() {
  choices += 1;
  const hours = { from: `${NIGHT.from}:00`, until: `${NIGHT.until}:00` };
  const now = wanted();
  const made = choice({
    t: 'signals',
    name: `when-${choices}`,
    options: [
      { value: 'on', icon: 'volume-2', t: 'signals-on', checked: now === 'on', testid: 'signals-on' },
      { value: 'night', icon: 'moon', t: ['signals-night', hours], checked: now === 'night', testid: 'signals-night' },
      { value: 'off', icon: 'volume-x', t: 'signals-off', checked: now === 'off', testid: 'signals-off' },
    ],
    chosen: (value) => remember('signals', value),
  });
  return h('div', { class: 'signals', testid: 'signals' }, made.element, h('p', { class: 'card-text', t: 'signals-text' }));
}
