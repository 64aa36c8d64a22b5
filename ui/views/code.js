// "Do you have a code?": six digits that lead into a room, for who can't scan.
import { digitsOf, grouped } from '../call/door.js';
import { clock } from '../texts/index.js';
import { h } from './dom.js';
import { button, field, setBusy } from './parts.js';

/** @typedef {import('../platform/types').Redeemed} Redeemed */
/** @typedef {import('../call/door.js').Invitation} Invitation */

/**
 * @param {(code: string) => Promise<Redeemed>} redeem
 * @param {(invitation: Invitation) => void} enter
 */
export function codeCard(redeem, enter) {
  const code = field({
    t: 'code-title', hint: 'code-hint', testid: 'code-input',
    attributes: { inputmode: 'numeric', autocomplete: 'one-time-code', enterkeyhint: 'go', placeholder: '000 000', dir: 'ltr' },
  });
  code.input.classList.add('code-input');
  const go = button({ t: 'enter', icon: 'log-in', testid: 'code-enter', submit: true, class: 'code-enter' });
  const { input } = code;
  const row = h('div', { class: 'code-row' });
  input.replaceWith(row);
  row.append(input, go);
  input.addEventListener('input', () => {
    const digits = digitsOf(input.value);
    // While somebody mends a digit in the middle nothing moves under the hand.
    if (input.selectionStart === input.value.length) input.value = grouped(digits);
    if (input.getAttribute('aria-invalid') === 'true') code.say(null);
  });

  const form = h('form', {
    attributes: { novalidate: true },
    on: {
      submit: async (event) => {
        event.preventDefault();
        const digits = digitsOf(input.value);
        code.say(digits.length === 6 ? null : 'code-short');
        if (digits.length !== 6 || go.disabled) return;
        setBusy(go, true, 'code-looking');
        const answer = await redeem(digits);
        setBusy(go, false, 'enter');
        if (answer.ok) enter(answer);
        else code.say(wordsFor(answer));
      },
    },
  }, code.element);
  return h('section', { class: 'card pad code-card', said: { 'aria-label': 'code-title' } }, form);
}

/** @param {Extract<Redeemed, { ok: false }>} answer @returns {import('./dom.js').Text} */
function wordsFor({ problem, wait_s: wait = 0 }) {
  switch (problem) {
    case 'code_unknown': return 'code-unknown';
    case 'rate_limited': {
      const at = Date.now() + wait * 1000;
      return wait > 60 ? ['code-too-many-until', () => ({ time: clock(at + 60_000) })] : ['code-too-many', { seconds: wait }];
    }
    case 'unreachable': return navigator.onLine === false ? 'code-offline' : 'code-unreachable';
    case 'busy': return 'code-busy';
    default: return 'code-other';
  }
}
