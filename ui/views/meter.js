// How loud somebody is, drawn: three bars beside a name, or a row of them where one tries out the
// own microphone. For screen readers the state is in words beside it.
import { loudness } from '../call/sound.js';
import { h } from './dom.js';

/** @typedef {import('../platform/types').Level} Level */

/** A change smaller than this part of the whole isn't drawn: it can't be seen, and tablets are slow. */
const STEPS = 8;
/** Bars of the row. */
const ROW = 7;

/** Three bars that swell with the voice. */
export function bars() {
  const element = h('span', { class: 'bars', attributes: { 'aria-hidden': 'true' } }, h('i'), h('i'), h('i'));
  let drawn = 0;
  return {
    element,
    /** @param {Level} level */
    set(level) {
      const step = Math.round(loudness(level) * STEPS);
      if (step === drawn) return;
      drawn = step;
      element.style.setProperty('--loud', String(step / STEPS));
    },
  };
}

/** A row of bars, lit from its start. */
export function meter() {
  const all = Array.from({ length: ROW }, () => h('i'));
  const element = h('span', { class: 'meter', testid: 'meter', attributes: { 'aria-hidden': 'true' } }, ...all);
  return {
    element,
    /** @param {Level} level */
    set(level) {
      const lit = Math.round(loudness(level) * ROW);
      for (const [index, bar] of all.entries()) bar.classList.toggle('lit', index < lit);
    },
  };
}
