// Full screens for what went wrong, and for the end: what is, then what to do.
import { h, icon } from './dom.js';
import { brand, button, languageButton } from './parts.js';

/** @typedef {import('../generated').Code | 'unreachable' | 'pin_mismatch'} Problem */
/** @typedef {import('./dom.js').IconName} IconName */

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

/** A code's key among the texts (`problem-KEY-title`, `problem-KEY-text`). @param {Problem} code */
export function problemKey(code) {
  return code in words ? code.replace(/_/g, '-') : 'other';
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
 * @param {{ code: Problem, large?: boolean, retry?: () => void, back?: () => void }} options
 */
export function problemScreen({ code, large = false, retry, back }) {
  const key = problemKey(code);
  const again = retry && worthRetrying(code);
  return page({
    testid: 'error-screen',
    tone: code === 'pin_mismatch' ? 'danger' : 'warning',
    icon: problemIcon(code),
    title: `problem-${key}-title`,
    text: `problem-${key}-text`,
    large,
    alert: true,
    actions: [
      again && button({ kind: 'primary', t: 'try-again', icon: 'refresh-cw', testid: 'retry', on: retry }),
      back && button({ kind: again ? 'plain' : 'primary', t: 'back', icon: 'arrow-left', testid: 'back', on: back }),
    ],
  });
}

/**
 * The end of a call.
 * @param {{ variant: 'staff' | 'family' | 'patient', left?: boolean, again?: () => void, back?: () => void }} options
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
      back && button({ kind: 'primary', t: 'back', icon: 'arrow-left', testid: 'back', on: back }),
      again && button({ kind: back ? 'plain' : 'primary', t: 'enter-again', icon: 'log-in', testid: 'enter-again', on: again }),
    ],
  });
}

/**
 * @param {{
 *   testid: string, tone: import('./parts.js').Tone, icon: IconName, title: string, text: string,
 *   large: boolean, alert: boolean, actions: import('./dom.js').Child[],
 * }} options
 */
function page({ testid, tone, icon: name, title, text, large, alert, actions }) {
  return h('div', { class: `page message-page${large ? ' large' : ''}`, testid },
    h('header', { class: 'top' }, brand(), languageButton()),
    h('main', { class: 'message' },
      h('div', { class: 'message-words', attributes: alert ? { role: 'alert' } : {} },
        h('span', { class: `badge big ${tone}` }, icon(name)),
        h('h1', { class: 'message-title', t: title, attributes: { tabindex: '-1' } }),
        h('p', { class: 'message-text', t: text })),
      h('div', { class: 'actions' }, ...actions)));
}
