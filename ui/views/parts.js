// Small parts that several screens share.
import { languages, onLanguage, otherLanguage, use } from '../texts/index.js';
import { h, icon, sayText, setIcon } from './dom.js';
import { remember } from './storage.js';

/** @typedef {import('./dom.js').Text} Text */
/** @typedef {import('./dom.js').IconName} IconName */
/** A state as a word with an icon or a dot. @typedef {'good' | 'warning' | 'danger' | 'accent' | 'neutral' | 'stage'} Tone */

/** The mark and the name. */
export function brand() {
  return h('div', { class: 'brand' },
    h('span', { class: 'brand-mark' }, icon('heart-handshake')),
    h('span', { class: 'brand-name', t: 'app-name' }));
}

/** @param {import('../texts/index.js').Language} next */
export function chooseLanguage(next) {
  remember('language', next);
  use(next);
}

/**
 * Offers the other language, in that language.
 * @param {string} [className]
 */
export function languageButton(className = '') {
  const name = h('span', { class: 'button-words' });
  const button = h('button', {
    class: `button quiet language ${className}`,
    testid: 'language',
    attributes: { type: 'button' },
    on: {
      click: () => chooseLanguage(otherLanguage()),
    },
  }, icon('languages'), name);
  const draw = () => {
    const other = otherLanguage();
    name.textContent = languages[other].name;
    button.lang = languages[other].locale;
  };
  draw();
  const stop = onLanguage(() => {
    // Gone from the page for good: the screen was left.
    if (button.isConnected) draw();
    else if (!button.dataset.kept) stop();
  });
  return button;
}

/**
 * @param {Tone} tone @param {Text} text @param {IconName | 'dot' | ''} [mark] @param {string} [testid]
 */
export function chip(tone, text, mark = '', testid = '') {
  return h('span', { class: `chip ${tone}`, testid },
    mark === 'dot' ? h('span', { class: 'dot', attributes: { 'aria-hidden': 'true' } }) : mark && icon(mark),
    h('span', { class: 'chip-words', t: text }));
}

/**
 * Changes a chip in place.
 * @param {HTMLElement} element @param {Tone} tone @param {Text} text
 * @param {IconName} [mark]
 */
export function setChip(element, tone, text, mark) {
  const wanted = `chip ${tone}`;
  if (element.className !== wanted) element.className = wanted;
  const words = element.querySelector('.chip-words');
  if (words) sayText(words, text);
  if (mark) setIcon(element, mark);
}

/**
 * @param {{
 *   kind?: 'primary' | 'plain' | 'quiet' | 'danger', t: Text, icon?: IconName, testid?: string,
 *   class?: string, label?: Text, submit?: boolean, on?: () => void,
 * }} options
 */
export function button({ kind = 'plain', t, icon: name, testid = '', class: extra = '', label, submit = false, on }) {
  return h('button', {
    class: `button ${kind} ${extra}`.trim(),
    testid,
    attributes: { type: submit ? 'submit' : 'button' },
    said: label ? { 'aria-label': label } : {},
    on: on ? { click: on } : {},
  }, name && icon(name), h('span', { class: 'button-words', t }));
}

/**
 * A button's work takes a while: it says so, and can't be pressed twice.
 * @param {HTMLButtonElement} element @param {boolean} busy @param {Text} text
 */
export function setBusy(element, busy, text) {
  element.disabled = busy;
  element.setAttribute('aria-busy', String(busy));
  const words = element.querySelector('.button-words');
  if (words) sayText(words, text);
}

let fields = 0;

/**
 * A field with its label, and a place for what is wrong with it.
 * @param {{ t: Text, hint?: Text, testid: string, value?: string, attributes?: Record<string, string> }} options
 */
export function field({ t, hint, testid, value = '', attributes = {} }) {
  fields += 1;
  const id = `field-${fields}`;
  const input = h('input', {
    class: 'input',
    testid,
    attributes: { id, type: 'text', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': `${id}-hint ${id}-wrong`, ...attributes },
  });
  input.value = value;
  const wrong = h('p', { class: 'field-wrong', attributes: { id: `${id}-wrong`, role: 'alert' } });
  const element = h('div', { class: 'field' },
    h('label', { class: 'field-label', t, attributes: { for: id } }),
    input,
    hint && h('p', { class: 'field-hint', t: hint, attributes: { id: `${id}-hint` } }),
    wrong);
  return {
    element,
    input,
    /** Says what is wrong, or with null that nothing is. @param {Text | null} text */
    say(text) {
      wrong.replaceChildren();
      input.setAttribute('aria-invalid', String(Boolean(text)));
      if (!text) return;
      wrong.append(icon('circle-alert'), h('span', { t: text }));
      input.focus();
    },
  };
}

/**
 * One of a few, all of them seen. `t` of an option is a text's id, `text` raw.
 * @param {{
 *   t: Text, name: string, chosen?: (value: string) => void,
 *   options: { value: string, icon: IconName, testid: string, checked?: boolean, t?: Text, text?: string, lang?: string }[],
 * }} options
 */
export function choice({ t, name, options, chosen }) {
  const inputs = options.map(({ value, testid, checked = false }) => h('input', {
    testid, attributes: { type: 'radio', name, value, checked }, on: chosen ? { change: () => chosen(value) } : {},
  }));
  const element = oneOf(t, 'choice', h('div', { class: 'choice-row' }, ...options.map((option, at) => h('label', { class: 'choice-option', attributes: { lang: option.lang } },
    inputs[at],
    h('span', { class: 'choice-face' }, icon(option.icon), h('span', { t: option.t, text: option.text }), icon('check', 'choice-mark'))))));
  return {
    element,
    value: () => inputs.find((input) => input.checked)?.value ?? '',
    /** @param {string} value */
    choose(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}

let titles = 0;

/**
 * What there is to choose one of, under its title. No fieldset: WebKit lays one out twice, with the
 * legend's height too much at first, and what stands below it jumps under the finger.
 * @param {Text} t @param {string} className @param {...Node} inside
 */
export function oneOf(t, className, ...inside) {
  titles += 1;
  const id = `one-of-${titles}`;
  return h('div', { class: className, attributes: { role: 'radiogroup', 'aria-labelledby': id } },
    h('div', { class: 'field-label', t, attributes: { id } }), ...inside);
}

/** The longest name, in characters (protocol/src/name.rs). */
const MAX_NAME_CHARS = 80;

/**
 * What is wrong with a name of a person or a room, or null.
 * @param {string} name @returns {string | null}
 */
export function nameProblem(name) {
  // The relay leaves out what can't be seen; a name of nothing else is empty.
  const seen = name.replace(/[\p{C}\p{Z}]/gu, '');
  if (!seen) return 'name-empty';
  return Array.from(name.trim()).length > MAX_NAME_CHARS ? 'name-too-long' : null;
}

/**
 * A fingerprint as people compare it: groups of four digits.
 * @param {string} fingerprint `sha256:…` or the digits alone
 */
export function fingerprintGroups(fingerprint) {
  return fingerprint.replace(/^sha256:/, '').match(/.{1,4}/g) ?? [];
}

/** @param {string} fingerprint */
export function fingerprintBlock(fingerprint) {
  return h('p', { class: 'fingerprint', testid: 'fingerprint' },
    ...fingerprintGroups(fingerprint).flatMap((group) => [h('span', { text: group }), ' ']));
}

/**
 * Something that isn't there, or isn't there yet: an icon, what is, what to do.
 * @param {{ icon: IconName, title: Text, text?: Text, tone?: Tone, testid?: string, late?: boolean }} options
 * @param {...import('./dom.js').Child} actions
 */
export function nothing({ icon: name, title, text, tone = 'neutral', testid = '', late = false }, ...actions) {
  return h('div', { class: `nothing ${tone}${late ? ' late' : ''}`, testid },
    h('span', { class: `badge ${tone}` }, icon(name)),
    h('p', { class: 'nothing-title', t: title }),
    text && h('p', { class: 'nothing-text', t: text }),
    actions.length > 0 && h('div', { class: 'actions' }, ...actions));
}
