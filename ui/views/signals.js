// The soft sounds, as they are set here and made: who came, who left, who waits.
import { atList, inCall, NIGHT, unheard, unknown } from '../call/signals.js';
import { h, icon } from './dom.js';
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

/**
 * Whether there are sounds, and when.
 * @param {{ folded?: boolean }} [options] `folded`: seen when it is asked for
 */
export function signalChoice({ folded = false } = {}) {
  choices += 1;
  const hours = { from: `${NIGHT.from}:00`, until: `${NIGHT.until}:00` };
  /** @type {{ value: Wanted, icon: import('./dom.js').IconName, t: import('./dom.js').Text }[]} */
  const options = [
    { value: 'on', icon: 'volume-2', t: 'signals-on' },
    { value: 'night', icon: 'moon', t: ['signals-night', hours] },
    { value: 'off', icon: 'volume-x', t: 'signals-off' },
  ];
  const made = choice({
    t: 'signals',
    name: `when-${choices}`,
    options: options.map((option) => ({ ...option, checked: option.value === wanted(), testid: `when-${option.value}` })),
    chosen: (value) => remember('signals', value),
  });
  const all = h('div', { class: 'signals' }, made.element, h('p', { class: 'setting-text', t: 'signals-text' }));
  if (!folded) return all;
  return h('details', { class: 'device-fold' },
    h('summary', { class: 'device-now', testid: 'signals-fold' },
      icon('bell'), h('span', { class: 'device-name', t: 'signals' }), h('span', { class: 'device-change', t: 'device-change' })),
    all);
}
