// The own sound before entering: whether one is heard, whether one hears, and with which devices.
import { isVoice, SILENCE } from '../call/sound.js';
import { sayAttribute } from '../texts/index.js';
import { deviceList } from './device-list.js';
import { inTrouble } from './device-trouble.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { meter } from './meter.js';
import { button } from './parts.js';
import { processingSwitch } from './processing.js';

/** @typedef {import('../platform/types').Devices} Devices */
/** @typedef {import('../platform/types').MicState} MicState */
/** @typedef {import('../platform/types').SoundCheck} SoundCheck */
/** @typedef {Extract<import('../platform/types').SoundCheckEvent, { type: 'sample' }>['state']} Sample */

/**
 * @param {Devices} devices @param {() => void} changed something that is drawn beside it
 */
export function soundCheck(devices, changed) {
  const loud = meter();
  const pill = h('span', { class: 'check-meter', testid: 'check-meter' }, icon('mic'), loud.element);
  const toggle = h('button', { class: 'check-toggle', testid: 'check-mic-toggle', attributes: { type: 'button' }, on: { click: () => (wanted ? stop() : start()) } }, icon('mic'));

  const tone = button({ t: 'check-tone', icon: 'volume-2', testid: 'check-tone', on: () => devices.tone?.() });
  const sample = button({ t: 'check-sample', icon: 'audio-lines', testid: 'check-sample', on: () => check?.sample() });
  const says = h('p', { class: 'check-sample-words', attributes: { role: 'status' } });
  const lists = [deviceList(devices, 'mic'), deviceList(devices, 'speaker'), processingSwitch(devices)];
  const fold = h('details', { class: 'device-fold sound-fold' },
    h('summary', { class: 'device-now', testid: 'sound-fold' }, icon('headphones'), h('span', { class: 'device-name', t: 'check-sound' }), icon('chevron-right', 'fold-mark')),
    h('div', { class: 'sound-fold-body' }, h('div', { class: 'check-tries' }, tone, sample), says, ...lists.map((list) => list.element)));

  /** @type {SoundCheck | null} */
  let check = null;
  /** `unknown` before the platform said what it can, `asks` before the person lets the browser ask. @type {MicState | 'unknown' | 'asks'} */
  let state = 'unknown';
  /** @type {Sample} */
  let sampling = 'none';
  /** Whether somebody was heard by the microphone in use. */
  let heard = false;
  /** Whether to enter with the microphone open. */
  let wanted = true;
  let gone = false;
  /** @type {string | null | undefined} */
  let using;

  const start = () => {
    wanted = true;
    if (check) {
      check.again();
      return;
    }
    state = 'starting';
    check = devices.listen?.((event) => {
      if (gone) return;
      if (event.type === 'level') {
        loud.set(event.level);
        if (heard || !isVoice(event.level)) return;
        heard = true;
      } else if (event.type === 'sample') {
        sampling = event.state;
      } else {
        state = event.state;
        if (state !== 'on') quiet();
      }
      draw();
    }) ?? null;
    draw();
  };

  /** One enters muted. */
  const stop = () => {
    wanted = false;
    check?.stop();
    check = null;
    state = 'off';
    quiet();
    draw();
  };

  const quiet = () => {
    heard = false;
    sampling = 'none';
    loud.set(SILENCE);
  };

  const draw = () => {
    drawOwn();
    changed();
  };

  const drawOwn = () => {
    const on = state === 'on';
    shown(pill, on || state === 'starting');
    shown(toggle, state === 'off' || on || state === 'starting');
    setIcon(toggle, wanted ? 'mic' : 'mic-off');
    toggle.setAttribute('aria-pressed', String(wanted));
    sayAttribute(toggle, 'aria-label', wanted ? 'control-mic-off' : 'control-mic-on');
    says.classList.toggle('now', sampling !== 'none');
    sample.disabled = !on || sampling !== 'none';
    sayText(says, sampling === 'none' ? (on ? 'check-sample-none' : 'check-sample-muted') : `check-sample-${sampling}`);
  };
  drawOwn();

  // Another microphone has to be tried out anew.
  const stopWatching = devices.watch((all) => {
    if (all.microphone === using) return;
    using = all.microphone;
    if (!heard) return;
    heard = false;
    draw();
  });

  return {
    pill,
    toggle,
    fold,
    start,
    /** What is known before it is tried. @param {MicState | 'asks'} can */
    known(can) {
      state = can;
      draw();
    },
    state: () => state,
    trouble: () => (state === 'unknown' || state === 'asks' ? null : inTrouble(state) ? state : null),
    /** Whether it can be said that one is heard: `waits` until one speaks. @returns {'heard' | 'waits' | null} */
    word: () => (state === 'on' ? (heard ? 'heard' : 'waits') : null),
    /** Whether to enter with the microphone: not where there can be none, or where it was muted. */
    microphone: () => wanted && state !== 'insecure' && state !== 'missing',
    /** Gives the microphone back; to be called before the call opens it. */
    destroy() {
      gone = true;
      check?.stop();
      stopWatching();
      for (const list of lists) list.destroy();
    },
  };
}
