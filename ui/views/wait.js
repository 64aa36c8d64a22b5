// The relative waits, alone in the room: what is happening, what one can do meanwhile, and a sign
// of life, so that it never looks frozen.
import { sameTrouble, troubleCard } from './device-trouble.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { brand, button, chip, languageButton, setChip } from './parts.js';

/** @typedef {import('../call/state.js').State} State */

/** Waiting longer than this many ms isn't usual: the page says so, and what one can do. */
const LONG_MS = 10 * 60_000;

/**
 * @param {{ leave: () => void, again: (device: import('./device-trouble.js').Device) => void, ask: HTMLElement | null }} options
 *   `ask`: what has to be touched before anything is heard
 */
export function createWait({ leave, again, ask }) {
  const status = chip('neutral', 'call-connecting', 'dot', 'call-state');
  const badge = h('span', { class: 'wait-badge' }, icon('hourglass'));
  const ring = h('span', { class: 'wait-ring', attributes: { 'aria-hidden': 'true' } });
  const title = h('h1', { class: 'wait-title', attributes: { tabindex: '-1' } });
  const text = h('p', { class: 'wait-text' });
  const preview = h('div', { class: 'wait-preview' });
  const devices = h('div', { class: 'wait-devices' });
  const language = languageButton();
  language.dataset.kept = 'true';
  const element = h('div', { class: 'page wait', testid: 'waiting' },
    h('header', { class: 'top' }, brand(), h('div', { class: 'top-end' }, status, language)),
    h('main', { class: 'wait-main' },
      h('div', { class: 'wait-sign' }, ring, badge, preview),
      h('div', { class: 'wait-words', attributes: { role: 'status' } }, title, text),
      ask,
      devices,
      h('section', { class: 'card pad', attributes: { 'aria-labelledby': 'wait-tips' } },
        h('h2', { class: 'subtitle', t: 'wait-tips', attributes: { id: 'wait-tips' } }),
        h('ul', { class: 'tips' },
          tip('smartphone', 'wait-tip-phone'), tip('eye', 'wait-tip-see'), tip('hand-heart', 'wait-tip-leave')))),
    h('footer', { class: 'wait-foot' }, button({ t: 'wait-leave', icon: 'phone-off', testid: 'leave', class: 'wide tall', on: leave })));

  /** @type {import('./device-trouble.js').Trouble | null} */
  let trouble = null;
  let long = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {State | null} */
  let last = null;

  /** @param {State} state */
  const say = (state) => {
    const word = wordOf(state, long);
    sayText(title, `wait-${word}-title`);
    sayText(text, `wait-${word}-text`);
    setIcon(badge, word === 'reconnecting' ? 'wifi-off' : 'hourglass');
    element.dataset.state = word;
  };
  return {
    element,
    preview,
    /** @param {State} state @param {import('./device-trouble.js').Trouble | null} shownTrouble */
    draw(state, shownTrouble) {
      last = state;
      if (state.room) {
        timer ??= setTimeout(() => {
          long = true;
          if (last) say(last);
        }, LONG_MS);
      }
      say(state);
      if (state.connection === 'reconnecting') setChip(status, 'warning', 'call-reconnecting');
      else if (state.room) setChip(status, 'good', 'call-connected');
      else setChip(status, 'neutral', 'call-connecting');
      if (!sameTrouble(trouble, shownTrouble)) {
        devices.replaceChildren(...(shownTrouble ? [troubleCard(shownTrouble, { again: () => again(shownTrouble.device) })] : []));
        trouble = shownTrouble;
      }
      // Beside the card that explains it, a dark square that says "camera off" says it twice.
      const seen = shownTrouble?.device !== 'camera' && shownTrouble?.device !== 'both' && (state.camera === 'on' || state.camera === 'starting') && state.connection !== 'reconnecting';
      shown(preview, seen);
      shown(badge, !seen);
    },
    destroy: () => clearTimeout(timer),
  };
}

/** @param {State} state @param {boolean} long */
function wordOf(state, long) {
  if (state.connection === 'reconnecting') return 'reconnecting';
  if (!state.room) return 'connecting';
  if (state.met) return 'again';
  return long ? 'long' : 'waiting';
}

/** @param {import('./dom.js').IconName} name @param {string} id */
function tip(name, id) {
  return h('li', { class: 'tip' }, icon(name), h('span', { t: id }));
}
