// The sound of a call as it is seen: the microphone's button, and what has to be touched before
// anything is heard.
import { isOpen } from '../call/sound.js';
import { sayAttribute } from '../texts/index.js';
import { inTrouble } from './device-trouble.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { bars } from './meter.js';

/** @typedef {import('./app.js').Variant} Variant */
/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('../call/sound.js').Sound} Sound */

/** The microphone's button: whether one is heard as a word, an icon and a colour, and how loud. */
export function micControl() {
  const own = bars();
  const face = h('span', { class: 'control-face mic-face' }, icon('mic'), own.element);
  const words = h('span', { class: 'control-words' });
  const element = h('button', { class: 'control', testid: 'mic-toggle', attributes: { type: 'button' } }, face, words);
  return {
    element,
    /** @param {State} state @param {boolean} holds whether it is held to talk */
    draw(state, holds) {
      const { microphone } = state.sound;
      const on = isOpen(microphone);
      const word = wordOf(microphone, holds);
      setIcon(face, on ? 'mic' : 'mic-off');
      shown(own.element, on);
      sayText(words, word.text);
      sayAttribute(element, 'aria-label', word.label);
      element.setAttribute('aria-pressed', String(on));
      element.classList.toggle('off', !on && state.room !== null);
      element.classList.toggle('held', holds);
    },
    /** @param {Sound} sound */
    level: (sound) => own.set(sound.own),
  };
}

/** The button's word, and the whole of what it says and does. @param {Sound['microphone']} microphone @param {boolean} holds */
function wordOf(microphone, holds) {
  if (inTrouble(microphone)) return { text: 'mic-none', label: 'mic-none-label' };
  if (isOpen(microphone)) return holds ? { text: 'mic-held', label: 'mic-held-label' } : { text: 'mic-open', label: 'mic-open-label' };
  return holds ? { text: 'mic-hold', label: 'mic-hold-label' } : { text: 'mic-muted', label: 'mic-muted-label' };
}

/**
 * Nothing is heard: one touch, and it is.
 * @param {Variant} variant @param {() => void} hear
 */
export function soundAsk(variant, hear) {
  const words = h('span', { class: 'button-words' });
  const text = h('p', { class: 'sound-ask-text' });
  const element = h('section', { class: 'sound-ask', testid: 'sound-ask', attributes: { role: 'status' } },
    h('button', { class: 'button primary sound-ask-button', testid: 'hear', attributes: { type: 'button' }, on: { click: hear } },
      icon('volume-2'), words),
    text);
  shown(element, false);
  return {
    element,
    /** Says whether it has to be asked. @param {State} state */
    draw({ sound: { hearing } }) {
      const asks = hearing !== 'on';
      shown(element, asks);
      if (asks) sayText(words, hearing === 'missing' ? 'try-again' : 'sound-hear');
      if (asks) sayText(text, variant === 'patient' ? `sound-${hearing}-patient` : `sound-${hearing}`);
      return asks;
    },
  };
}
