// This device as host: the switch, and its card on the first screen.
import { askToStop } from './dialog-host.js';
import { h, icon, sayText, shown } from './dom.js';
import { button } from './parts.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./dom.js').Text} Text */
/** @typedef {import('../platform/types').HostStatus} HostStatus */

/** What a failed start of the host says, and what to do. @param {HostStatus} status @returns {Text} */
export function hostProblemText({ problem = 'other', port = 0, holder }) {
  if (problem !== 'port_in_use') return `host-problem-${problem.replace(/_/g, '-')}`;
  const known = !holder ? 'none' : holder.startsWith('visita') ? 'visita' : 'other';
  return ['host-problem-port-in-use', { port: String(port), known, holder: holder ?? '' }];
}

/** Offers the port that is free, when the usual one is taken. @param {App} app @param {HostStatus} status */
export function otherPort(app, { free_port: free }) {
  if (!free) return null;
  return button({
    t: ['host-other-port', { port: String(free) }], icon: 'radio-tower', testid: 'host-other-port',
    on: () => void app.platform.host?.start(free),
  });
}

/**
 * The switch that makes this device the host. Switching off while others are connected asks once.
 * @param {App} app @param {string} labelledBy
 */
export function hostSwitch(app, labelledBy) {
  /** @type {HostStatus} */
  let status = { state: 'off' };
  const element = h('button', {
    class: 'switch',
    testid: 'host-switch',
    attributes: { type: 'button', role: 'switch', 'aria-checked': 'false', 'aria-labelledby': labelledBy },
    on: { click: () => press() },
  }, h('span', { class: 'switch-knob', attributes: { 'aria-hidden': 'true' } }));
  const press = () => {
    if (status.state === 'starting') return;
    if (status.state !== 'on') void app.platform.host?.start();
    else if (!status.connected?.length) void app.platform.host?.stop();
    else askToStop(status.connected, 'host-stop', () => void app.platform.host?.stop());
  };
  return {
    element,
    /** @param {HostStatus} next */
    draw(next) {
      status = next;
      element.setAttribute('aria-checked', String(next.state === 'on' || next.state === 'starting'));
      element.setAttribute('aria-busy', String(next.state === 'starting'));
    },
  };
}

/** @param {App} app */
export function ownHost(app) {
  const toggle = hostSwitch(app, 'own-host-title');
  const text = h('span', { class: 'row-text', attributes: { role: 'status' } });
  const hint = h('p', { class: 'card-text', t: 'host-hint' });
  const wrong = h('div', { class: 'host-wrong', attributes: { role: 'alert' } });
  const url = h('span', { class: 'host-url', testid: 'host-url' });
  const more = h('div', { class: 'host-more' },
    url,
    button({ t: 'host-panel', icon: 'qr-code', testid: 'host-panel', class: 'wide', on: app.hostPanel }));
  const conditions = button({ kind: 'quiet', t: 'host-conditions-show', icon: 'list-checks', testid: 'host-panel-off', class: 'wide', on: app.hostPanel });
  const element = h('section', { class: 'side-section', attributes: { 'aria-labelledby': 'this-device' } },
    h('h2', { class: 'subtitle', t: 'this-device', attributes: { id: 'this-device' } }),
    h('div', { class: 'card pad' },
      h('div', { class: 'card-line' },
        h('span', { class: 'row-icon accent' }, icon('radio-tower')),
        h('span', { class: 'row-words' },
          h('span', { class: 'row-title', t: 'host-title', attributes: { id: 'own-host-title' } }), text),
        toggle.element),
      hint, wrong, more, conditions));

  let said = '';
  const stop = app.platform.host?.watch((status) => {
    toggle.draw(status);
    sayText(text, `host-${status.state}`);
    url.textContent = status.url ?? '';
    shown(more, status.state === 'on');
    shown(hint, status.state === 'off' || status.state === 'starting');
    shown(conditions, status.state !== 'on');
    shown(wrong, status.state === 'failed');
    const say = status.state === 'failed' ? JSON.stringify([status.problem, status.port, status.holder, status.free_port]) : '';
    // Once: what is said again and again is read aloud again and again.
    if (say !== said) {
      said = say;
      wrong.replaceChildren(...(say ? problem(app, status) : []));
    }
  });
  return { element, destroy: () => stop?.() };
}

/** @param {App} app @param {HostStatus} status */
function problem(app, status) {
  const words = h('p', { class: 'inline-notice danger' }, icon('triangle-alert'), h('span', { t: hostProblemText(status) }));
  const other = otherPort(app, status);
  return other ? [words, other] : [words];
}
