// Every text that a person reads, in the language in use. Texts are put into elements with `say`
// and `sayAttribute`, which remember what they say, so that a change of language changes the page
// in place: a call goes on while its words change.
import { FluentBundle, FluentResource } from '../vendor/fluent/index.js';

/** @typedef {'es' | 'en'} Language */
/** @typedef {Record<string, string | number | string[]>} Args */
/** Arguments, or a function that makes them anew in the language in use. @typedef {Args | (() => Args)} Given */
/** @typedef {{ id: string, args: Given | undefined }} Said */

/** `name` is in the language itself: who looks for it can't read the other. @type {Record<Language, { locale: string, dir: 'ltr' | 'rtl', file: string, name: string }>} */
export const languages = {
  es: { locale: 'es-MX', dir: 'ltr', file: 'es-MX.ftl', name: 'Español' },
  en: { locale: 'en', dir: 'ltr', file: 'en.ftl', name: 'English' },
};

/** @type {Map<Language, FluentBundle>} */
const bundles = new Map();
/** @type {Language} */
let current = 'es';
/** What elements say: their text under '', their attributes under the attribute's name. @type {WeakMap<Element, Map<string, Said>>} */
const said = new WeakMap();
/** @type {Set<() => void>} */
const listeners = new Set();

/** What the window's title says. @type {Said | null} */
let titled = null;

/** Where the page's own folder is, as seen from this file. */
const here = new URL('.', import.meta.url);

/**
 * Reads both languages (a few KB each), so that a change of language needs no network.
 * @param {Language} language the first one
 */
export async function load(language) {
  await Promise.all(/** @type {Language[]} */ (Object.keys(languages)).map(async (key) => {
    const answer = await fetch(new URL(languages[key].file, here));
    add(key, await answer.text());
  }));
  use(language);
}

/**
 * Takes one language's texts.
 * @param {Language} language @param {string} ftl
 */
export function add(language, ftl) {
  const bundle = new FluentBundle(languages[language].locale);
  for (const error of bundle.addResource(new FluentResource(ftl))) console.warn('texts', language, error);
  bundles.set(language, bundle);
}

/**
 * The first of the wanted languages that there are texts in; English if there is none.
 * @param {readonly string[]} wanted as browsers name them, the best first
 * @returns {Language}
 */
export function nearest(wanted) {
  for (const one of wanted) {
    const short = one.toLowerCase().split('-')[0];
    if (short in languages) return /** @type {Language} */ (short);
  }
  return 'en';
}

/** The language in use. @returns {Language} */
export function language() {
  return current;
}

/** The language that the button offers. @returns {Language} */
export function otherLanguage() {
  return current === 'es' ? 'en' : 'es';
}

/**
 * Changes the language of all that is on the page.
 * @param {Language} next
 */
export function use(next) {
  current = next;
  document.documentElement.lang = languages[next].locale;
  document.documentElement.dir = languages[next].dir;
  for (const element of document.querySelectorAll('[data-said]')) repeat(element);
  if (titled) putTitle(titled);
  for (const listener of listeners) listener();
}

/**
 * Says again what an element and all in it say: for elements that were out of the page while the
 * language changed.
 * @param {Element} root
 */
export function refresh(root) {
  repeat(root);
  for (const element of root.querySelectorAll('[data-said]')) repeat(element);
}

/** @param {() => void} listener @returns {() => void} ends it */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * A text in the language in use. An id without a text is shown as it is and told to the console,
 * where the gallery's test sees it; `tests/ui/texts.test.js` finds it before.
 * @param {string} id @param {Given} [args]
 * @returns {string}
 */
export function t(id, args) {
  const bundle = bundles.get(current);
  const message = bundle?.getMessage(id);
  if (!bundle || !message?.value) {
    console.warn('texts', 'missing', current, id);
    return id;
  }
  /** @type {Record<string, string | number>} */
  const values = {};
  for (const [key, value] of Object.entries(typeof args === 'function' ? args() : args ?? {})) {
    values[key] = Array.isArray(value) ? list(value) : value;
  }
  /** @type {Error[]} */
  const errors = [];
  const text = bundle.formatPattern(message.value, values, errors);
  for (const error of errors) console.warn('texts', id, error.message);
  return text;
}

/**
 * Puts a text into an element, now and after each change of language.
 * @template {Element} E
 * @param {E} element @param {string} id @param {Given} [args]
 * @returns {E}
 */
export function say(element, id, args) {
  return remember(element, '', id, args);
}

/**
 * Puts a text into an attribute, now and after each change of language.
 * @template {Element} E
 * @param {E} element @param {string} attribute @param {string} id @param {Given} [args]
 * @returns {E}
 */
export function sayAttribute(element, attribute, id, args) {
  return remember(element, attribute, id, args);
}

/**
 * Puts a text into the window's title, now and after each change of language. Browsers keep titles
 * in their history, so nobody's name may be in one.
 * @param {string} id
 */
export function sayTitle(id) {
  titled = { id, args: undefined };
  putTitle(titled);
}

/** @param {Said} title */
function putTitle({ id }) {
  const page = id === 'app-name' ? t(id) : t('title-page', { page: t(id) });
  // The marks that set apart what is put into a text are for the page; some windows draw them.
  document.title = page.replace(/[\u2068\u2069]/g, '');
}

/** The hour and minute of a wall-clock time in ms. @param {number} at @returns {string} */
export function clock(at) {
  return new Intl.DateTimeFormat(languages[current].locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
    .format(new Date(at));
}

/** The day of a wall-clock time in ms, as people say it. @param {number} at @returns {string} */
export function longDate(at) {
  return new Intl.DateTimeFormat(languages[current].locale, { weekday: 'long', day: 'numeric', month: 'long' }).format(new Date(at));
}

/** @param {string[]} items each set apart, so that a right-to-left name doesn't turn its neighbours */
function list(items) {
  return new Intl.ListFormat(languages[current].locale, { style: 'long', type: 'conjunction' })
    .format(items.map((item) => `\u2068${item}\u2069`));
}

/**
 * @template {Element} E
 * @param {E} element @param {string} place @param {string} id @param {Given | undefined} args
 * @returns {E}
 */
function remember(element, place, id, args) {
  const places = said.get(element) ?? new Map();
  places.set(place, { id, args });
  said.set(element, places);
  element.setAttribute('data-said', '');
  put(element, place, t(id, args));
  return element;
}

/** @param {Element} element */
function repeat(element) {
  for (const [place, { id, args }] of said.get(element) ?? []) put(element, place, t(id, args));
}

/**
 * Only writes what changed: a live region must not be read aloud again.
 * @param {Element} element @param {string} place @param {string} text
 */
function put(element, place, text) {
  if (place) {
    if (element.getAttribute(place) !== text) element.setAttribute(place, text);
  } else if (element.textContent !== text) {
    element.textContent = text;
  }
}
