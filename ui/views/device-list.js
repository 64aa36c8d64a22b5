// The cameras, microphones and speakers there are, to choose one of each.
import { h, icon, keep, sayText, setIcon, shown } from './dom.js';
import { oneOf } from './parts.js';

/** @typedef {import('../platform/types').Devices} Devices */
/** @typedef {import('../platform/types').Cameras} All */
/** @typedef {import('../platform/types').Camera} Device */
/** @typedef {'camera' | 'mic' | 'speaker'} Kind */

/** @type {Record<Kind, { icon: import('./dom.js').IconName, none: import('./dom.js').IconName, title: string, without: string, unnamed: string }>} */
const words = {
  camera: { icon: 'video', none: 'camera-off', title: 'camera-list', without: 'camera-list-none', unnamed: 'camera-unnamed' },
  mic: { icon: 'mic', none: 'mic-off', title: 'mic-list', without: 'mic-list-none', unnamed: 'mic-unnamed' },
  speaker: { icon: 'volume-2', none: 'volume-2', title: 'speaker-list', without: 'speaker-list-none', unnamed: 'speaker-unnamed' },
};

let lists = 0;

/**
 * The devices of a kind, to choose one of.
 * @param {Devices} devices @param {Kind} kind
 * @param {{ single?: boolean, folded?: boolean }} [options]
 *   `single`: shown for one device too, and for none; `folded`: only the one in use is seen at first
 */
export function deviceList(devices, kind, { single = false, folded = false } = {}) {
  lists += 1;
  const group = `${kind}-${lists}`;
  const word = words[kind];
  const options = h('div', { class: 'device-options' });
  const none = h('p', { class: 'device-none', testid: `${kind}-none` }, icon(word.none), h('span', { t: word.without }));
  const list = oneOf(word.title, 'choice device-list', options, none);
  list.dataset.testid = `${kind}-list`;
  const names = [0, 1].map(() => h('span', { class: 'device-name', attributes: { dir: 'auto' } }));
  const fold = h('details', { class: 'device-fold' });
  const lone = h('p', { class: 'device-now lone' }, icon(word.icon), names[1]);
  const element = folded ? h('div', {}, fold, lone) : list;
  if (folded) {
    fold.append(h('summary', { class: 'device-now', testid: `${kind}-fold` },
      icon(word.icon), names[0], h('span', { class: 'device-change', t: 'device-change' })), list);
  }
  shown(element, false);
  const stop = devices.watch((all) => {
    const [there, chosen] = of(all, kind);
    shown(element, there.length > 1 || single);
    shown(none, there.length === 0);
    const taken = there.findIndex(({ id }) => id === chosen);
    // One that can't be changed is only named.
    shown(fold, there.length > 1);
    shown(lone, there.length < 2);
    setIcon(lone, there.length ? word.icon : word.none);
    for (const name of names) {
      if (taken >= 0) sayName(name, there[taken], taken, word.unnamed);
      else sayText(name, there.length ? word.title : word.without);
    }
    keep(options, there, ({ id }) => id, ({ id }) => h('label', { class: 'choice-option device-option' },
      h('input', { testid: `${kind}-option`, attributes: { type: 'radio', name: group, value: id }, on: { change: () => choose(devices, kind, id) } }),
      h('span', { class: 'choice-face' }, icon(word.icon), h('span', { class: 'device-name', attributes: { dir: 'auto' } }))), (option, device) => {
      const [input, name] = [option.querySelector('input'), option.querySelector('.device-name')];
      if (input) input.checked = device.id === chosen;
      if (name) sayName(name, device, there.indexOf(device), word.unnamed);
    });
  });
  return { element, destroy: stop };
}

/** @param {All} all @param {Kind} kind @returns {[readonly Device[], string | null]} */
function of(all, kind) {
  if (kind === 'mic') return [all.microphones ?? [], all.microphone ?? null];
  if (kind === 'speaker') return [all.speakers ?? [], all.speaker ?? null];
  return [all.cameras, all.chosen];
}

/** @param {Devices} devices @param {Kind} kind @param {string} id */
function choose(devices, kind, id) {
  if (kind === 'mic') devices.chooseMicrophone?.(id);
  else if (kind === 'speaker') devices.chooseSpeaker?.(id);
  else devices.choose(id);
}

/**
 * A browser tells names only to who may use the device.
 * @param {Element} element @param {Device} device @param {number} index @param {string} unnamed
 */
function sayName(element, device, index, unnamed) {
  sayText(element, device.name ? ['device-named', { name: device.name }] : [unnamed, { number: index + 1 }]);
}
