// Whether echo and noise are taken out of what the microphone hears: a switch, for those who wear a
// headset and want to be heard as they are.
import { h, icon, shown } from './dom.js';

let switches = 0;

/** @param {import('../platform/types').Devices} devices */
export function processingSwitch(devices) {
  switches += 1;
  const id = `echo-${switches}`;
  let on = true;
  const knob = h('button', {
    class: 'switch', testid: 'processing',
    attributes: { type: 'button', role: 'switch', 'aria-labelledby': id, 'aria-describedby': `${id}-text` },
    on: { click: () => devices.process?.(!on) },
  }, h('span', { class: 'switch-knob' }));
  const element = h('div', { class: 'setting' },
    h('div', { class: 'setting-head' }, icon('audio-lines'), h('span', { class: 'setting-title', t: 'processing', attributes: { id } }), knob),
    h('p', { class: 'setting-text', t: 'processing-text', attributes: { id: `${id}-text` } }));
  shown(element, false);
  const stop = devices.watch(({ processes }) => {
    shown(element, processes !== undefined && devices.process !== undefined);
    on = processes !== false;
    knob.setAttribute('aria-checked', String(on));
  });
  return { element, destroy: stop };
}
