// What hosting depends on, each as it was measured: a word with an icon, and what to do about it.
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { chip, setChip } from './parts.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./dom.js').Text} Text */
/** @typedef {import('./dom.js').IconName} IconName */
/** @typedef {import('../platform/types').HostStatus} HostStatus */
/** @typedef {NonNullable<HostStatus['conditions']>} Conditions */
/** @typedef {{ mark: IconName, text: Text, tone: import('./parts.js').Tone, word: Text }} Said */

/** @param {App} app */
export function conditionsCard(app) {
  const power = row('condition-power', 'condition-power');
  const network = row('condition-network', 'condition-network');
  const awake = row('condition-awake', 'condition-awake');
  const reached = row('condition-reached', 'condition-reached');
  const boot = bootRow(app);
  const element = h('section', { class: 'host-section', attributes: { 'aria-labelledby': 'conditions-title' } },
    h('h2', { class: 'subtitle', t: 'conditions-title', attributes: { id: 'conditions-title' } }),
    h('ul', { class: 'card rows', said: { 'aria-label': 'conditions-title' } },
      power.element, network.element, awake.element, reached.element, boot.element));
  return {
    element,
    /** @param {HostStatus} status */
    draw(status) {
      const { conditions } = status;
      const on = status.state === 'on';
      shown(element, Boolean(conditions));
      boot.draw(status.at_boot);
      if (!conditions) return;
      power.draw(sayPower(conditions));
      network.draw(sayNetwork(conditions));
      shown(awake.element, on && conditions.awake !== 'off');
      if (conditions.awake !== 'off') awake.draw(sayAwake(conditions.awake));
      shown(reached.element, on);
      if (on) reached.draw(sayReached(status, conditions));
    },
  };
}

/** @param {Conditions} conditions @returns {Said} */
function sayPower({ power }) {
  if (power === 'battery') return { mark: 'battery-low', text: 'power-battery-text', tone: 'warning', word: 'power-battery' };
  if (power === 'unknown') return { mark: 'plug', text: 'power-unknown-text', tone: 'neutral', word: 'power-unknown' };
  return { mark: 'plug', text: `power-${power}-text`, tone: 'good', word: `power-${power}` };
}

/** @param {Conditions} conditions @returns {Said} */
function sayNetwork({ networks }) {
  const [first, ...more] = networks;
  if (!first) return { mark: 'wifi-off', text: 'network-none-text', tone: 'danger', word: 'network-none' };
  const words = { kind: first.kind, interface: first.interface, address: first.address };
  return {
    mark: first.kind === 'wifi' ? 'wifi' : 'network',
    text: more.length
      ? ['network-several-text', { ...words, others: more.map((one) => `${one.interface} (${one.address})`) }]
      : ['network-text', words],
    tone: 'good',
    word: 'network-on',
  };
}

/** @param {'kept' | 'refused'} awake @returns {Said} */
function sayAwake(awake) {
  return awake === 'kept'
    ? { mark: 'sun', text: 'awake-kept-text', tone: 'good', word: 'awake-kept' }
    : { mark: 'moon', text: 'awake-refused-text', tone: 'warning', word: 'awake-refused' };
}

/**
 * Whether a firewall keeps all out can't be seen from inside; that somebody came in can.
 * @param {HostStatus} status @param {Conditions} conditions @returns {Said}
 */
function sayReached({ url = '' }, { visited, unheard }) {
  if (unheard) return { mark: 'qr-code', text: 'reached-unheard-text', tone: 'warning', word: 'reached-unheard' };
  if (visited) return { mark: 'circle-check', text: 'reached-yes-text', tone: 'good', word: 'reached-yes' };
  return { mark: 'hourglass', text: ['reached-not-yet-text', { port: new URL(url).port || '443' }], tone: 'neutral', word: 'reached-not-yet' };
}

/** @param {string} title @param {string} testid */
function row(title, testid) {
  const text = h('span', { class: 'row-text' });
  const state = chip('neutral', 'power-unknown', '', `${testid}-word`);
  const element = h('li', { class: 'row condition', testid },
    h('span', { class: 'row-icon' }, icon('plug')),
    h('div', { class: 'row-words' }, h('span', { class: 'row-title', t: title }), text), state);
  return {
    element,
    /** @param {Said} said */
    draw({ mark, text: words, tone, word }) {
      setIcon(element, mark);
      sayText(text, words);
      setChip(state, tone, word);
    },
  };
}

/** Whether the app starts with the system. @param {App} app */
function bootRow(app) {
  let on = false;
  const toggle = h('button', {
    class: 'switch',
    testid: 'host-at-boot',
    attributes: { type: 'button', role: 'switch', 'aria-checked': 'false', 'aria-labelledby': 'boot-title' },
    on: { click: () => void app.platform.host?.atBoot(!on) },
  }, h('span', { class: 'switch-knob', attributes: { 'aria-hidden': 'true' } }));
  const element = h('li', { class: 'row condition' },
    h('span', { class: 'row-icon' }, icon('power')),
    h('div', { class: 'row-words' },
      h('span', { class: 'row-title', t: 'boot-title', attributes: { id: 'boot-title' } }),
      h('span', { class: 'row-text', t: 'boot-text' })), toggle);
  return {
    element,
    /** @param {boolean | undefined} atBoot  absent where the system offers none */
    draw(atBoot) {
      shown(element, atBoot !== undefined);
      on = atBoot === true;
      toggle.setAttribute('aria-checked', String(on));
    },
  };
}
