// Over what the call travels, why not over something better, and how it fares: live, while it is
// open. Words for whoever looks; beneath them, smaller, what a network's keeper asks for.
import { answersIn, connectionWords } from '../call/connection.js';
import { verdict } from '../call/line-test.js';
import { clock } from '../texts/index.js';
import { openDialog } from './dialog.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { lastTest } from './line-test.js';

/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('../call/connection.js').Mood} Mood */

/** @type {Record<Mood, [import('./dom.js').IconName, import('./parts.js').Tone]>} */
const looks = {
  good: ['circle-check', 'good'],
  slow: ['info', 'warning'],
  none: ['video-off', 'warning'],
  waits: ['hourglass', 'neutral'],
};

/** As they are written everywhere. @type {Partial<Record<import('../generated').Codec, string>>} */
const CODECS = { h264: 'H.264', vp8: 'VP8', jpeg: 'JPEG', opus: 'Opus' };

/**
 * @param {{ state: State, inApp: boolean, measure?: import('../platform/types').CallHandle['measure'], closed: () => void }} options
 */
export function openConnection({ state, inApp, measure, closed }) {
  const mark = h('span', { class: 'badge' }, icon('hourglass'));
  const title = h('p', { class: 'connection-title' });
  const text = h('p');
  const why = h('p', { testid: 'connection-why' });
  const rows = h('dl', { class: 'connection-rows' });
  const control = row(rows, 'way-messages', 'connection-control');
  const answers = row(rows, 'way-answers', 'connection-answers');
  const line = row(rows, 'way-line', 'connection-line');
  const test = row(rows, 'way-test', 'connection-test');
  const ways = [h('li'), h('li')];
  const reason = h('li');
  const trip = h('li');
  const rates = h('li');
  const codecs = h('li');
  const tech = h('section', { class: 'connection-tech', testid: 'connection-tech', attributes: { 'aria-labelledby': 'connection-tech' } },
    h('h3', { t: 'way-tech', attributes: { id: 'connection-tech' } }),
    h('ul', {}, ...ways, reason, trip, rates, codecs));
  const dialog = openDialog({
    title: 'way-title',
    body: [
      h('div', { class: 'connection-told', testid: 'connection-told', attributes: { role: 'status' } },
        mark, h('div', { class: 'connection-words' }, title, text, why)),
      rows, tech,
    ],
    verb: 'close',
    verbTestid: 'connection-close',
    kind: 'plain',
    submit: (close) => close(),
  });
  dialog.classList.add('connection-dialog');
  // What is so stands at the top.
  /** @type {HTMLElement | null} */ (dialog.querySelector('[data-testid="dialog-close"]'))?.focus();
  const last = lastTest();
  if (last) {
    sayText(test.label, ['way-test', () => ({ time: clock(last.at) })]);
    sayText(test.value, `line-test-${verdict(last.figures)}`);
  }
  shown(test.element, last !== null);
  for (const one of [answers.element, trip, rates, codecs]) shown(one, false);

  /** @param {import('../platform/types').LineNow} now */
  const measured = ({ roundTrip, down, up, gets, sends }) => {
    shown(answers.element, roundTrip !== null);
    shown(trip, roundTrip !== null);
    if (roundTrip !== null) {
      sayText(answers.value, answersIn(roundTrip));
      sayText(trip, ['way-tech-trip', { time: Math.round(roundTrip) }]);
    }
    shown(rates, down !== null && up !== null);
    if (down !== null && up !== null) sayText(rates, ['way-tech-rates', { down: Math.round(down), up: Math.round(up) }]);
    const named = (/** @type {import('../generated').Codec[]} */ all) => all.map((one) => CODECS[one]).filter(Boolean).join(', ') || '–';
    shown(codecs, gets.length + sends.length > 0);
    sayText(codecs, ['way-tech-codecs', { gets: named(gets), sends: named(sends) }]);
  };

  /** @param {State} now */
  const draw = (now) => {
    const said = connectionWords(now, { inApp });
    const [name, tone] = looks[said.mood];
    setIcon(mark, name);
    mark.className = `badge ${tone}`;
    sayText(title, said.title);
    sayText(text, said.text);
    put(why, why, said.why);
    put(control.element, control.value, said.control);
    put(line.element, line.value, said.line);
    shown(tech, said.tech.length > 0);
    for (const [at, one] of ways.entries()) put(one, one, said.tech[at] ?? null);
    shown(reason, said.reason !== null);
    if (said.reason) sayText(reason, ['way-tech-reason', { word: said.reason }]);
  };
  draw(state);
  const stop = measure?.(measured);
  dialog.addEventListener('close', () => {
    stop?.();
    closed();
  });
  return { draw };
}

/** A row of a name and what is so. @param {HTMLElement} rows @param {string} label @param {string} testid */
function row(rows, label, testid) {
  const name = h('dt');
  const value = h('dd', { testid });
  const element = h('div', {}, name, value);
  if (label !== 'way-test') sayText(name, label);
  rows.append(element);
  return { element, label: name, value };
}

/** @param {HTMLElement} whole what is shown with it @param {HTMLElement} element @param {string | null} id */
function put(whole, element, id) {
  shown(whole, id !== null);
  if (id) sayText(element, id);
}
