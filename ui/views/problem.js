// Full screens for what went wrong, and for the end: what is, then what to do.
import { h, icon } from './dom.js';
import { brand, button, languageButton } from './parts.js';

/** @typedef {import('../generated').Code | 'unreachable' | 'pin_mismatch'} Problem */
/** @typedef {import('./dom.js').IconName} IconName */
/** @typedef {import('./app.js').Variant} Variant */

/** Which words and icon a code has. Codes that only our own mistakes cause share one text. */
const words = /** @type {const} */ ({
  unreachable: 'wifi-off',
  pin_mismatch: 'shield-alert',
  version: 'refresh-cw',
  busy: 'users-round',
  room_missing: 'search',
  room_full: 'users-round',
  too_many_rooms: 'users-round',
  name_empty: 'circle-user-round',
  name_too_long: 'circle-user-round',
  forbidden: 'lock',
  origin: 'lock',
  timeout: 'wifi-off',
  session_gone: 'wifi-off',
  replaced: 'smartphone',
  shutting_down: 'radio-tower',
  rate_limited: 'hourglass',
  internal: 'triangle-alert',
});

/** What a relative reads in other words: nobody at home knows what a host is. */
const forFamily = new Set(['unreachable', 'version', 'busy', 'room_missing', 'shutting_down', 'pin_mismatch']);
/** After so many ms the patient's screen goes back by itself: not every patient can touch it. */
const PATIENT_MS = 60_000;

/** A code's key among the texts (`problem-KEY-title`, `problem-KEY-text`). @param {Problem} code @param {Variant} [variant] */
export function problemKey(code, variant = 'staff') {
  if (variant === 'patient') return code === 'room_missing' || code === 'replaced' ? `patient-${code.replace(/_/g, '-')}` : 'patient';
  const key = code === 'unreachable' && navigator.onLine === false ? 'offline' : code in words ? code.replace(/_/g, '-') : 'other';
  return variant === 'family' && forFamily.has(code) && key !== 'offline' ? `${key}-family` : key;
}

/** @param {Problem} code @returns {IconName} */
function problemIcon(code) {
  return code in words ? words[/** @type {keyof typeof words} */ (code)] : 'triangle-alert';
}

/** Trying again can help, or would only meet the same answer. @param {Problem} code */
function worthRetrying(code) {
  return code !== 'pin_mismatch' && code !== 'origin' && code !== 'forbidden' && code !== 'room_missing';
}

/**
 * @param {{ code: Problem, variant?: Variant, retry?: () => void, back?: () => void }} options
 */
export function problemScreen({ code, variant = 'staff', retry, back }) {
  const key = problemKey(code, variant);
  const again = retry && worthRetrying(code);
  return page({
    testid: 'error-screen',
    tone: code === 'pin_mismatch' ? 'danger' : 'warning',
    icon: problemIcon(code),
    title: `problem-${key}-title`,
    text: `problem-${key}-text`,
    large: variant === 'patient',
    alert: true,
    actions: [
      again && button({ kind: 'primary', t: code === 'replaced' ? 'bring-here' : 'try-again', icon: 'refresh-cw', testid: 'retry', on: retry }),
      back && button({ kind: again ? 'plain' : 'primary', t: backWord(variant), icon: 'arrow-left', testid: 'back', on: back }),
    ],
  });
}

/**
 * The end of a call.
 * @param {{ variant: Variant, left?: boolean, again?: () => void, back?: () => void }} options
 *   `left`: by one's own wish
 */
export function endedScreen({ variant, left = false, again, back }) {
  return page({
    testid: 'ended-screen',
    tone: 'accent',
    icon: 'hand-heart',
    title: left ? 'ended-title-left' : 'ended-title',
    text: variant === 'family' ? 'ended-text-family' : 'ended-text',
    large: variant === 'patient',
    alert: false,
    actions: [
      back && button({ kind: 'primary', t: backWord(variant), icon: 'arrow-left', testid: 'back', on: back }),
      again && button({ kind: back ? 'plain' : 'primary', t: 'enter-again', icon: 'log-in', testid: 'enter-again', on: again }),
    ],
  });
}

/**
 * A call ended and nobody here ended it.
 * @param {{ code: Problem | null, variant: Variant, again: () => void, back: () => void }} options
 * @returns {import('./app.js').Screen}
 */
export function overScreen({ code, variant, again, back }) {
  const element = code
    ? problemScreen({ code, variant, retry: again, back })
    // `back` of a relative is a fresh page: nothing to go back to.
    : endedScreen({ variant, again, back: variant === 'family' ? undefined : back });
  if (variant !== 'patient') return { element };
  const timer = setTimeout(back, PATIENT_MS);
  return { element, destroy: () => clearTimeout(timer) };
}

/** @param {Variant} variant */
function backWord(variant) {
  return variant === 'family' ? 'back' : 'back-to-list';
}

/**
 * @param {{
 *   testid: string, tone: import('./parts.js').Tone, icon: IconName, title: string, text: string,
 *   large: boolean, alert: boolean, actions: import('./dom.js').Child[],
 * }} options
 */
function page({ testid, tone, icon: name, title, text, large, alert, actions }) {
  return h('div', { class: `page message-page${large ? ' large' : ''}`, testid, attributes: { 'data-title': title } },
    h('header', { class: 'top' }, brand(), languageButton()),
    h('main', { class: 'message' },
      h('div', { class: 'message-words', attributes: alert ? { role: 'alert' } : {} },
        h('span', { class: `badge big ${tone}` }, icon(name)),
        h('h1', { class: 'message-title', t: title, attributes: { tabindex: '-1' } }),
        h('p', { class: 'message-text', t: text })),
      h('div', { class: 'actions' }, ...actions)));
}
