// What this device's line carries, tried before a call for who wants to know: in words, with what to
// do. Nobody has to wait for it.
import { LineTestError, verdict } from '../call/line-test.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { button, setBusy } from './parts.js';

/** @typedef {import('../call/line-test.js').Figures} Figures */
/** @typedef {import('../call/line-test.js').Verdict | 'testing' | 'limited' | 'unreachable'} Told */

/** What was measured last in this page, and when. @type {{ figures: Figures, at: number } | null} */
let last = null;

export function lastTest() {
  return last;
}

/** @type {Record<Told, [import('./dom.js').IconName, 'good' | 'warning' | 'neutral']>} */
const looks = {
  testing: ['hourglass', 'neutral'],
  several: ['circle-check', 'good'],
  one: ['circle-check', 'good'],
  sound: ['volume-2', 'warning'],
  none: ['wifi-off', 'warning'],
  limited: ['hourglass', 'neutral'],
  unreachable: ['wifi-off', 'warning'],
};

/**
 * @param {NonNullable<import('../platform/types').Platform['testLine']>} start
 * @param {{ figures: boolean }} options whether numbers are shown, too: to staff they say where to look
 */
export function lineTest(start, { figures: numbers }) {
  const go = button({ kind: 'quiet', t: 'line-test', icon: 'gauge', testid: 'line-test', on: () => void run() });
  const mark = h('span', { class: 'badge' }, icon('hourglass'));
  const title = h('p', { class: 'line-test-title' });
  const text = h('p', { class: 'line-test-text' });
  const figures = h('p', { class: 'line-test-figures' });
  const told = h('div', { class: 'line-test-told', testid: 'line-told' }, mark, h('div', { class: 'line-test-words' }, title, text, figures));
  const element = h('section', { class: 'line-test', said: { 'aria-label': 'line-test' } },
    go, h('div', { attributes: { role: 'status' } }, told));
  /** @type {import('../platform/types').LineTest | null} */
  let running = null;
  let gone = false;

  /** @param {Told} word @param {Figures} [found] */
  const say = (word, found) => {
    const [name, tone] = looks[word];
    told.dataset.told = word;
    setIcon(mark, name);
    mark.className = `badge ${tone}`;
    sayText(title, `line-test-${word}`);
    sayText(text, `line-test-${word}-text`);
    shown(told, true);
    told.scrollIntoView({ block: 'nearest' });
    shown(figures, numbers && found !== undefined);
    if (found) {
      sayText(figures, ['line-test-figures', { time: Math.round(found.latency), down: megabits(found.down), up: megabits(found.up) }]);
    }
    setBusy(go, word === 'testing', word === 'testing' ? 'line-test-testing' : 'line-test-again');
  };

  const run = async () => {
    if (running) return;
    running = start();
    say('testing');
    try {
      const found = await running.figures;
      last = { figures: found, at: Date.now() };
      if (!gone) say(verdict(found), found);
    } catch (error) {
      if (!gone) say(error instanceof LineTestError ? error.reason : 'unreachable');
    } finally {
      running = null;
    }
  };
  shown(told, false);

  return {
    element,
    /** Who goes on needs no answer. */
    destroy() {
      gone = true;
      running?.stop();
    },
  };
}

/** @param {number} kilobits a second @returns {number} megabits, as exactly as it is known */
function megabits(kilobits) {
  const value = kilobits / 1000;
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
}
