// The host's own screen: how others come here, and who is connected.
import { h, icon, keep, pathSquare, sayText, setIcon, shown } from './dom.js';
import { hostProblemText, hostSwitch } from './hosts.js';
import { brand, button, chip, fingerprintBlock, languageButton, nothing, setChip } from './parts.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('../platform/types').HostStatus} HostStatus */
/** @typedef {NonNullable<HostStatus['connected']>[number]} Connected */

/**
 * @param {App} app
 * @returns {import('./app.js').Screen}
 */
export function hostScreen(app) {
  const toggle = hostSwitch(app, 'host-stop-label');
  const state = chip('good', 'host-active', 'dot', 'host-state');
  const ward = h('h1', { class: 'host-ward', attributes: { tabindex: '-1', dir: 'auto' } });
  const qr = h('div', { class: 'qr', attributes: { role: 'img' }, said: { 'aria-label': 'host-qr' } });
  const url = h('p', { class: 'host-url large', testid: 'host-url' });
  const others = h('p', { class: 'host-others' });
  const print = h('div', { class: 'host-print' });
  const on = h('div', { class: 'host-on' }, qr, url,
    h('p', { class: 'host-how', t: 'host-how' }), others,
    h('div', { class: 'host-fingerprint' },
      h('p', { class: 'host-print-title' }, icon('fingerprint-pattern'), h('span', { t: 'host-fingerprint' })), print));
  const off = h('div', { class: 'host-off' });
  const people = h('span', { class: 'stat-number' });
  const peopleText = h('span', { class: 'stat-text' });
  const talks = h('span', { class: 'stat-number' });
  const list = h('ul', { class: 'card rows', said: { 'aria-label': 'host-connected' } });
  const empty = h('div', { class: 'card' }, nothing({ icon: 'smartphone', title: 'host-nobody', text: 'host-nobody-text' }));
  const element = h('div', { class: 'page host' },
    h('header', { class: 'top' }, brand(),
      h('div', { class: 'top-end' }, languageButton(), button({ t: 'rooms-title', icon: 'arrow-left', testid: 'back', on: app.home }))),
    h('main', { class: 'host-main' },
      h('section', { class: 'card host-card', attributes: { 'aria-labelledby': 'host-ward' } },
        h('div', { class: 'host-card-head' }, state,
          h('div', { class: 'host-switch-line' }, h('span', { t: 'host-stop-label', attributes: { id: 'host-stop-label' } }), toggle.element)),
        ward, on, off),
      h('section', { class: 'host-people', attributes: { 'aria-labelledby': 'host-connected-title' } },
        h('div', { class: 'stats' },
          h('div', { class: 'card stat' }, h('span', { class: 'stat-label', t: 'stat-people' }), people, peopleText),
          h('div', { class: 'card stat' }, h('span', { class: 'stat-label', t: 'stat-rooms' }), talks, h('span', { class: 'stat-text', t: 'stat-rooms-text' }))),
        h('h2', { class: 'subtitle', t: 'host-connected', attributes: { id: 'host-connected-title' } }),
        list, empty)));
  ward.id = 'host-ward';

  let qrShown = '';
  let printShown = '';
  const stop = app.platform.host?.watch((status) => {
    toggle.draw(status);
    drawState(state, status);
    ward.textContent = status.ward ?? '';
    shown(ward, Boolean(status.ward));
    shown(on, status.state === 'on');
    shown(off, status.state !== 'on');
    off.replaceChildren(...(status.state === 'on' ? [] : [drawOff(status)]));
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
    const connected = status.connected ?? [];
    people.textContent = String(connected.length);
    const lost = connected.filter((one) => one.state === 'reconnecting').length;
    sayText(peopleText, lost ? ['stat-people-lost', { count: lost }] : 'stat-people-text');
    talks.textContent = String(new Set(connected.map((one) => one.room)).size);
    keep(list, connected, (one) => String(one.id), makeRow, drawRow);
    shown(list, connected.length > 0);
    shown(empty, connected.length === 0);
  });
  return { element, destroy: () => stop?.() };
}

/** @param {HTMLElement} state @param {HostStatus} status */
function drawState(state, status) {
  if (status.state === 'on') setChip(state, 'good', 'host-active');
  else if (status.state === 'starting') setChip(state, 'neutral', 'host-starting');
  else if (status.state === 'failed') setChip(state, 'danger', 'host-failed');
  else setChip(state, 'neutral', 'host-inactive');
}

/** @param {HostStatus} status */
function drawOff(status) {
  if (status.state === 'failed') {
    return nothing({ icon: 'triangle-alert', tone: 'danger', title: 'host-failed', text: hostProblemText(status) });
  }
  if (status.state === 'starting') return nothing({ icon: 'radio-tower', title: 'host-starting', text: 'host-starting-text', late: true });
  return nothing({ icon: 'radio-tower', title: 'host-inactive', text: 'host-hint' });
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
    chip('accent', 'room-in-call'));
}

/** @param {HTMLElement} row @param {Connected} one */
function drawRow(row, one) {
  const [title, text, state] = /** @type {HTMLElement[]} */ ([
    row.querySelector('.row-title'), row.querySelector('.row-text'), row.querySelector('.chip'),
  ]);
  setIcon(row, roleIcon(one));
  title.textContent = one.name;
  sayText(text, ['connected-text', { role: one.role, room: one.room }]);
  if (one.state === 'reconnecting') setChip(state, 'warning', 'member-reconnecting');
  else setChip(state, 'accent', 'room-in-call');
}
