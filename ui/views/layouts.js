// How the people of a call are shown: all alike, or one large; chosen here, kept on this device.
import { WANTED } from '../call/spotlight.js';
import { h, icon, setIcon } from './dom.js';
import { choice } from './parts.js';
import { recall, remember } from './storage.js';

/** @typedef {import('../call/spotlight.js').Wanted} Wanted */

/** What is wanted on this device: what suits how many there are, unless something else was chosen. @returns {Wanted} */
export function wantedLayout() {
  const kept = recall('layout');
  return WANTED.find((one) => one === kept) ?? 'auto';
}

/** @type {Record<Wanted, import('./dom.js').IconName>} */
const icons = { auto: 'scaling', grid: 'layout-grid', speaker: 'gallery-thumbnails' };

/** The choice, seen when it is asked for. @param {() => void} changed */
export function layoutChoice(changed) {
  const kept = wantedLayout();
  const mark = h('span', { class: 'layout-mark' }, icon(icons[kept]));
  const made = choice({
    t: 'layout-label',
    name: 'layout',
    options: WANTED.map((value) => ({ value, icon: icons[value], t: `layout-${value}`, testid: `layout-${value}`, checked: value === kept })),
    chosen: (value) => {
      remember('layout', value);
      setIcon(mark, icons[wantedLayout()]);
      changed();
    },
  });
  return h('details', { class: 'device-fold layouts' },
    h('summary', { class: 'device-now', testid: 'layout-fold' },
      mark, h('span', { class: 'device-name', t: 'layout-label' }), h('span', { class: 'device-change', t: 'device-change' })),
    made.element);
}
