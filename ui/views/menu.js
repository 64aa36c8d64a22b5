// What is set during a call: the camera, the own picture, the whole screen, the language, and
// which keys there are.
import { onLanguage } from '../texts/index.js';
import { cameraList } from './devices.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { canFill, fillScreen, isFilled, onFilled } from './fullscreen.js';
import { KEYS, keysOn, switchKeys } from './keys.js';
import { languageButton } from './parts.js';

/**
 * @param {{
 *   devices?: import('../platform/types').Devices, close: () => void,
 *   hidden: () => boolean, hide: (hidden: boolean) => void,
 * }} options `hidden`: whether the own picture is
 */
export function createMenu({ devices, close, hidden, hide }) {
  const cameras = devices ? cameraList(devices, { single: true }) : null;
  const own = row('menu-self', 'eye-off', () => {
    hide(!hidden());
    draw();
  });
  const full = row('menu-full', 'maximize', () => fillScreen(!isFilled()));
  const language = languageButton('menu-row');
  language.dataset.kept = 'true';
  const keys = h('button', {
    class: 'switch', testid: 'menu-keys',
    attributes: { type: 'button', role: 'switch', 'aria-labelledby': 'menu-keys-title' },
    on: {
      click: () => {
        switchKeys(!keysOn());
        draw();
      },
    },
  }, h('span', { class: 'switch-knob' }));
  const list = h('dl', { class: 'menu-keys' },
    ...KEYS.map(([key, action]) => h('div', {}, h('dt', {}, h('kbd', { text: key })), h('dd', { t: `key-${action}` }))),
    h('div', {}, h('dt', {}, h('kbd', { text: '← ↑ → ↓' })), h('dd', { t: 'key-arrows' })),
    h('div', {}, h('dt', {}, h('kbd', { text: 'Esc' })), h('dd', { t: 'key-escape' })));
  const element = h('section', { class: 'menu', testid: 'menu', attributes: { role: 'dialog', 'aria-labelledby': 'menu-title' } },
    h('div', { class: 'panel-head' },
      h('h2', { class: 'panel-title', t: 'menu-title', attributes: { id: 'menu-title', tabindex: '-1' } }),
      h('button', { class: 'icon-button', testid: 'menu-close', attributes: { type: 'button' }, said: { 'aria-label': 'menu-close' }, on: { click: close } }, icon('x'))),
    h('div', { class: 'menu-body' },
      cameras?.element,
      h('div', { class: 'menu-rows' }, own.element, full.element, language),
      h('section', { class: 'menu-keyboard', attributes: { 'aria-labelledby': 'menu-keys-title' } },
        h('div', { class: 'menu-keys-head' }, icon('keyboard'), h('h3', { t: 'menu-keys', attributes: { id: 'menu-keys-title' } }), keys),
        list)));

  const draw = () => {
    own.say(hidden() ? 'menu-self-show' : 'menu-self-hide', hidden() ? 'eye' : 'eye-off');
    shown(full.element, canFill());
    full.say(isFilled() ? 'menu-full-leave' : 'menu-full', isFilled() ? 'minimize' : 'maximize');
    keys.setAttribute('aria-checked', String(keysOn()));
    list.classList.toggle('off', !keysOn());
  };
  draw();
  const stops = [onFilled(draw), onLanguage(draw)];
  return {
    element,
    draw,
    destroy() {
      for (const stop of stops) stop();
      cameras?.destroy();
      language.removeAttribute('data-kept');
    },
  };
}

/** @param {string} testid @param {import('./dom.js').IconName} name @param {() => void} on */
function row(testid, name, on) {
  const words = h('span', { class: 'button-words' });
  const element = h('button', { class: 'button quiet menu-row', testid, attributes: { type: 'button' }, on: { click: on } }, icon(name), words);
  return {
    element,
    /** @param {string} text @param {import('./dom.js').IconName} mark */
    say(text, mark) {
      sayText(words, text);
      setIcon(element, mark);
    },
  };
}
