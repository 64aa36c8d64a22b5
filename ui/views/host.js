// The host's own screen: how others come here, who is connected and how well, what this device has
// to do, and what hosting depends on.
import { language, languages } from '../texts/index.js';
import { askWardName } from './dialog-host.js';
import { h, icon, keep, pathSquare, sayText, setIcon, shown } from './dom.js';
import { conditionsCard } from './host-conditions.js';
import { hostProblemText, hostSwitch, otherPort } from './own-host.js';
import { brand, button, chip, fingerprintBlock, languageButton, nothing, setChip } from './parts.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./dom.js').Text} Text */
/** @typedef {import('../platform/types').HostStatus} HostStatus */
/** @typedef {NonNullable<HostStatus['connected']>[number]} Connected */

/**
 * @param {App} app
 * @returns {import('./app.js').Screen}
 */
export function hostScreen(app) {
  const code = hostCode(app);
  const stats = createStats();
  const list = h('ul', { class: 'card rows', said: { 'aria-label': 'host-connected' } });
  const empty = h('div', { class: 'card' }, nothing({ icon: 'smartphone', title: 'host-nobody', text: 'host-nobody-text' }));
  const people = h('section', { class: 'host-section', attributes: { 'aria-labelledby': 'host-connected-title' } },
    h('h2', { class: 'subtitle', t: 'host-connected', attributes: { id: 'host-connected-title' } }), list, empty);
  const conditions = conditionsCard(app);
  const element = h('div', { class: 'page host' },
    h('header', { class: 'top' }, brand(),
      h('div', { class: 'top-end' }, languageButton(), button({ t: 'rooms-title', icon: 'arrow-left', testid: 'back', on: app.home }))),
    h('main', { class: 'host-main' }, code.element,
      h('div', { class: 'host-side' }, stats.element, people, conditions.element)));

  const stop = app.platform.host?.watch((status) => {
    code.draw(status);
    const on = status.state === 'on';
    shown(stats.element, on);
    shown(people, on);
    stats.draw(status);
    conditions.draw(status);
    const connected = status.connected ?? [];
    keep(list, connected, (one) => String(one.id), makeRow, drawRow);
    shown(list, connected.length > 0);
    shown(empty, connected.length === 0);
  });
  return { element, destroy: () => stop?.() };
}

/** The switch, the ward's name, and how others come here. @param {App} app */
function hostCode(app) {
  const toggle = hostSwitch(app, 'host-stop-label');
  const state = chip('good', 'host-active', 'dot', 'host-state');
  let name = '';
  const ward = h('h1', { class: 'host-ward-name', testid: 'host-ward', attributes: { id: 'host-ward', tabindex: '-1', dir: 'auto' } });
  const rename = h('button', {
    class: 'icon-button', testid: 'ward-rename', attributes: { type: 'button' }, said: { 'aria-label': 'ward-rename-title' },
    on: { click: () => askWardName(app, name) },
  }, icon('pencil'));
  const line = h('div', { class: 'host-ward' }, ward, rename);
  const qr = h('div', { class: 'qr', attributes: { role: 'img' }, said: { 'aria-label': 'host-qr' } });
  const url = h('p', { class: 'host-url large', testid: 'host-url' });
  const others = h('p', { class: 'host-others' });
  const print = h('div', { class: 'host-print' });
  const on = h('div', { class: 'host-on' }, qr, url,
    h('p', { class: 'host-how', t: 'host-how' }), others,
    button({ t: 'cert-show', icon: 'lock', testid: 'host-certificate', on: () => void showCertificate(url.textContent ?? '') }),
    h('div', { class: 'host-fingerprint' },
      h('p', { class: 'host-print-title' }, icon('fingerprint-pattern'), h('span', { t: 'host-fingerprint' })), print));
  const off = h('div', { class: 'host-off', attributes: { role: 'status' } });
  const element = h('section', { class: 'card host-card', attributes: { 'aria-labelledby': 'host-ward' } },
    h('div', { class: 'host-card-head' }, state,
      h('div', { class: 'host-switch-line' }, h('span', { t: 'host-stop-label', attributes: { id: 'host-stop-label' } }), toggle.element)),
    line, on, off);

  let qrShown = '';
  let printShown = '';
  let offShown = '';
  return {
    element,
    /** @param {HostStatus} status */
    draw(status) {
      toggle.draw(status);
      drawState(state, status);
      name = status.ward ?? '';
      // Without a ward's name the screen still has a heading.
      if (name) ward.replaceChildren(name);
      else sayText(ward, 'host-title');
      shown(rename, status.state === 'on');
      shown(on, status.state === 'on');
      shown(off, status.state !== 'on');
      const offNow = JSON.stringify([status.state, status.problem, status.port, status.holder, status.free_port]);
      if (offNow !== offShown) {
        offShown = offNow;
        off.replaceChildren(...(status.state === 'on' ? [] : [drawOff(app, status)]));
      }
      url.textContent = status.url ?? '';
      if (status.qr && status.qr.d !== qrShown) {
        qr.replaceChildren(pathSquare(status.qr.size, status.qr.d, 'qr-code'));
        qrShown = status.qr.d;
      }
      shown(qr, Boolean(status.qr));
      const addresses = (status.addresses ?? []).filter((address) => !(status.url ?? '').includes(address));
      shown(others, addresses.length > 0);
      if (addresses.length) sayText(others, ['host-other-addresses', { addresses }]);
      if (status.fingerprint && status.fingerprint !== printShown) {
        print.replaceChildren(fingerprintBlock(status.fingerprint));
        printShown = status.fingerprint;
      }
    },
  };
}

/** @param {HTMLElement} state @param {HostStatus} status */
function drawState(state, status) {
  if (status.state === 'on') setChip(state, 'good', 'host-active');
  else if (status.state === 'starting') setChip(state, 'neutral', 'host-starting');
  else if (status.state === 'failed') setChip(state, 'danger', 'host-failed');
  else setChip(state, 'neutral', 'host-inactive');
}

/** @param {App} app @param {HostStatus} status */
function drawOff(app, status) {
  if (status.state === 'failed') {
    const other = otherPort(app, status);
    return nothing({ icon: 'triangle-alert', tone: 'danger', title: 'host-failed', text: hostProblemText(status) }, ...(other ? [other] : []));
  }
  if (status.state === 'starting') return nothing({ icon: 'radio-tower', title: 'host-starting', text: 'host-starting-text', late: true });
  return nothing({ icon: 'radio-tower', title: 'host-inactive', text: 'host-hint' });
}

/** People, load, traffic and battery, in figures; and in words when it is too much. */
function createStats() {
  const people = stat('stat-people');
  const load = stat('stat-load');
  const bar = h('span', { class: 'stat-bar', attributes: { 'aria-hidden': 'true' } }, h('span', { class: 'stat-bar-full' }));
  load.element.append(bar);
  const traffic = stat('stat-traffic');
  const battery = stat('stat-battery');
  const strain = h('div', { class: 'host-strain', testid: 'host-strain', attributes: { role: 'status' } });
  const element = h('div', { class: 'host-figures' },
    h('div', { class: 'stats' }, people.element, load.element, traffic.element, battery.element), strain);
  let strained = '';
  return {
    element,
    /** @param {HostStatus} status */
    draw({ connected = [], load: measured, conditions }) {
      const lost = connected.filter((one) => one.state === 'reconnecting').length;
      const rooms = new Set(connected.map((one) => one.room)).size;
      people.number.textContent = String(connected.length);
      sayText(people.text, lost ? ['stat-people-lost', { count: lost }] : ['stat-people-rooms', { count: rooms }]);
      // Android tells neither of them.
      shown(load.element, measured?.processor !== undefined);
      shown(traffic.element, Boolean(measured));
      shown(battery.element, measured?.battery !== undefined);
      if (!measured) return;
      sayText(load.number, ['percent', { percent: String(measured.processor ?? 0) }]);
      sayText(load.text, ['stat-load-text', { percent: String(measured.memory ?? 0) }]);
      /** @type {HTMLElement} */ (bar.firstElementChild).style.width = `${measured.processor ?? 0}%`;
      bar.classList.toggle('strained', measured.strain.includes('processor'));
      sayText(traffic.number, ['stat-traffic-number', () => ({ size: megabits(measured.bits_out) })]);
      sayText(traffic.text, ['stat-traffic-text', () => ({ size: megabits(measured.bits_in) })]);
      sayText(battery.number, ['percent', { percent: String(measured.battery ?? 0) }]);
      sayText(battery.text, `power-${conditions?.power ?? 'unknown'}`);
      const now = measured.strain.join(' ');
      if (now !== strained) {
        strained = now;
        strain.replaceChildren(...measured.strain.map((what) =>
          h('p', { class: 'inline-notice warning' }, icon('triangle-alert'), h('span', { t: `strain-${what}` }))));
      }
      shown(strain, measured.strain.length > 0);
    },
  };
}

/** @param {string} label */
function stat(label) {
  const number = h('span', { class: 'stat-number' });
  const text = h('span', { class: 'stat-text' });
  return { element: h('div', { class: 'card stat' }, h('span', { class: 'stat-label', t: label }), number, text), number, text };
}

/** Bits a second as megabits, as people of this language write them. @param {number} bits */
function megabits(bits) {
  return new Intl.NumberFormat(languages[language()].locale, { maximumFractionDigits: 1 }).format(bits / 1e6);
}

/** @param {Connected} one @returns {import('./dom.js').IconName} */
function roleIcon(one) {
  if (one.role === 'bedside') return 'bed-double';
  return one.role === 'family' ? 'smartphone' : 'circle-user-round';
}

/** @param {Connected} one */
function makeRow(one) {
  return h('li', { class: 'row', testid: 'connected-row' },
    h('span', { class: 'row-icon' }, icon(roleIcon(one))),
    h('div', { class: 'row-words' },
      h('span', { class: 'row-title', attributes: { dir: 'auto' } }),
      h('span', { class: 'row-text' })),
    chip('accent', 'room-in-call', '', 'connected-line'),
    h('span', { class: 'row-figure' }));
}

/** @param {HTMLElement} row @param {Connected} one */
function drawRow(row, one) {
  const [title, text, state, figure] = /** @type {HTMLElement[]} */ ([
    row.querySelector('.row-title'), row.querySelector('.row-text'), row.querySelector('.chip'), row.querySelector('.row-figure'),
  ]);
  setIcon(row, roleIcon(one));
  title.textContent = one.name;
  const line = one.state === 'reconnecting' ? 'lost' : one.line ?? 'good';
  sayText(text, ['connected-text', { role: one.role, room: one.room, line }]);
  if (line === 'lost') setChip(state, 'warning', 'member-reconnecting');
  else if (line === 'poor') setChip(state, 'danger', 'line-poor');
  else if (line === 'weak') setChip(state, 'warning', 'line-weak');
  else setChip(state, 'accent', 'room-in-call');
  const known = one.round_trip_ms !== undefined && line !== 'lost';
  figure.classList.toggle('unknown', !known);
  if (known) sayText(figure, ['milliseconds', { time: String(Math.max(1, Number(one.round_trip_ms))) }]);
}

/** @param {string} url */
async function showCertificate(url) {
  const { openCertificate } = await import('./invite.js');
  openCertificate(url);
}
