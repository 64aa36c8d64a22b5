// What is set during a call: the devices, how one talks, the own picture, the whole screen, the
// language, and which keys there are.
import { onLanguage } from '../texts/index.js';
import { deviceList } from './device-list.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { canFill, fillScreen, isFilled, onFilled } from './fullscreen.js';
import { KEYS, keysOn, switchKeys } from './keys.js';
import { layoutChoice } from './layouts.js';
import { languageButton } from './parts.js';
import { processingSwitch } from './processing.js';
import { signalChoice } from './signals.js';
import { holdsToTalk, switchHold } from './talk.js';

/**
 * @param {{
 *   devices?: import('../platform/types').Devices, close: () => void,
 *   hidden: () => boolean, hide: (hidden: boolean) => void,
 *   people: () => void, invite: (() => void) | null, connection: () => void,
 *   layout: () => void, floating: { isOpen: () => boolean, open: () => void, close: () => void } | null,
 *   sound: { audioOnly: () => boolean, setAudioOnly: (on: boolean) => void, holds: () => void } | null,
 * }} options `hidden`: whether the own picture is; `layout`: another one was chosen; `floating`: the
 *   small window, where there can be one; `sound`: where there is sound, `holds`: it was
 *   changed whether one holds to talk
 */
export function createMenu({ devices, close, hidden, hide, people, invite, connection, layout, floating, sound }) {
  const lists = devices ? [
    deviceList(devices, 'camera', { single: true, folded: sound !== null }),
    ...(sound ? [deviceList(devices, 'mic', { single: true, folded: true }), deviceList(devices, 'speaker', { folded: true })] : []),
  ] : [];
  const processing = sound && devices ? processingSwitch(devices) : null;
  const tone = sound && devices?.tone ? row('menu-tone', 'volume-2', () => devices.tone?.()) : null;
  // What has no place beside the other controls on a small screen.
  const list = row('menu-people', 'users-round', people);
  const door = invite && row('menu-invite', 'qr-code', () => {
    close();
    invite();
  });
  const voices = sound && row('menu-audio-only', 'volume-2', () => {
    sound.setAudioOnly(!sound.audioOnly());
    draw();
  });
  const hold = toggle('menu-hold', 'menu-hold-title', () => {
    switchHold(!holdsToTalk());
    sound?.holds();
    draw();
  });
  const own = row('menu-self', 'eye-off', () => {
    hide(!hidden());
    draw();
  });
  const float = floating && row('menu-floating', 'picture-in-picture-2', () => {
    if (floating.isOpen()) floating.close();
    else floating.open();
  });
  const way = row('menu-connection', 'network', () => {
    close();
    connection();
  });
  const full = row('menu-full', 'maximize', () => fillScreen(!isFilled()));
  const language = languageButton('menu-row');
  language.dataset.kept = 'true';
  const keys = toggle('menu-keys', 'menu-keys-title', () => {
    switchKeys(!keysOn());
    draw();
  });
  const known = h('dl', { class: 'menu-keys' },
    ...KEYS.filter(([, action]) => sound || action !== 'microphone').map(([key, action]) => h('div', {}, h('dt', {}, h('kbd', { text: key })), h('dd', { t: `key-${action}` }))),
    h('div', {}, h('dt', {}, h('kbd', { text: '← ↑ → ↓' })), h('dd', { t: 'key-arrows' })),
    h('div', {}, h('dt', {}, h('kbd', { text: 'Esc' })), h('dd', { t: 'key-escape' })));
  const element = h('section', { class: 'menu', testid: 'menu', attributes: { role: 'dialog', 'aria-labelledby': 'menu-title' } },
    h('div', { class: 'panel-head' },
      h('h2', { class: 'panel-title', t: 'menu-title', attributes: { id: 'menu-title', tabindex: '-1' } }),
      h('button', { class: 'icon-button', testid: 'menu-close', attributes: { type: 'button' }, said: { 'aria-label': 'menu-close' }, on: { click: close } }, icon('x'))),
    h('div', { class: 'menu-body' },
      door && h('div', { class: 'menu-rows' }, door.element),
      h('div', { class: 'menu-rows small-only' }, list.element, voices?.element),
      layoutChoice(layout),
      lists.length > 0 && h('div', { class: 'menu-devices' }, ...lists.map((one) => one.element), tone?.element, sound && devices?.signal && signalChoice({ folded: true })),
      processing?.element,
      sound && h('section', { class: 'setting', attributes: { 'aria-labelledby': 'menu-hold-title' } },
        h('div', { class: 'setting-head' }, icon('mic'), h('h3', { class: 'setting-title', t: 'menu-hold', attributes: { id: 'menu-hold-title' } }), hold),
        h('p', { class: 'setting-text', t: 'menu-hold-text' })),
      h('div', { class: 'menu-rows' }, own.element, float?.element, full.element, way.element, language),
      h('section', { class: 'menu-keyboard', attributes: { 'aria-labelledby': 'menu-keys-title' } },
        h('div', { class: 'setting-head' }, icon('keyboard'), h('h3', { class: 'setting-title', t: 'menu-keys', attributes: { id: 'menu-keys-title' } }), keys),
        known)));

  const draw = () => {
    own.say(hidden() ? 'menu-self-show' : 'menu-self-hide', hidden() ? 'eye' : 'eye-off');
    float?.say(floating?.isOpen() ? 'menu-floating-close' : 'menu-floating', 'picture-in-picture-2');
    shown(full.element, canFill());
    full.say(isFilled() ? 'menu-full-leave' : 'menu-full', isFilled() ? 'minimize' : 'maximize');
    keys.setAttribute('aria-checked', String(keysOn()));
    hold.setAttribute('aria-checked', String(holdsToTalk()));
    known.classList.toggle('off', !keysOn());
    list.say('people-title', 'users-round');
    door?.say('invite', 'qr-code');
    way.say('way-title', 'network');
    tone?.say('check-tone', 'volume-2');
    if (sound && voices) voices.say(sound.audioOnly() ? 'control-pictures-label' : 'control-audio-only-label', sound.audioOnly() ? 'video' : 'volume-2');
  };
  draw();
  const stops = [onFilled(draw), onLanguage(draw)];
  return {
    element,
    draw,
    destroy() {
      for (const stop of stops) stop();
      for (const one of lists) one.destroy();
      processing?.destroy();
      language.removeAttribute('data-kept');
    },
  };
}

/** @param {string} testid @param {string} title the id of what names it @param {() => void} on */
function toggle(testid, title, on) {
  return h('button', {
    class: 'switch', testid, attributes: { type: 'button', role: 'switch', 'aria-labelledby': title }, on: { click: on },
  }, h('span', { class: 'switch-knob' }));
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
