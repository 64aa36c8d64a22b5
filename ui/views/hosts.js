// In the app: this device as host, and the hosts on this network.
import { h, icon, keep, shown } from './dom.js';
import { drawHost, isInUse, makeHost, nothingFound } from './host-rows.js';
import { askAddress, offerLink, problemText, readCode, sayChanged } from './host-ways.js';
import { ownHost } from './own-host.js';
import { button, fingerprintBlock, setBusy } from './parts.js';

/** @typedef {import('./app.js').App} App */

/** After this long without a host the page says what was tried, in ms. mDNS answers within one or two seconds. */
const SEARCH_MS = 6_000;

/** @param {App} app */
export function hostSide(app) {
  const own = ownHost(app);
  const around = hostsAround(app);
  return {
    element: h('div', { class: 'side' }, own.element, around.element),
    destroy() {
      own.destroy();
      around.destroy();
    },
  };
}

/**
 * Who hosts takes part through its own relay; who stops has none any more. On whatever screen.
 * @param {App} app
 */
export function followOwnHost(app) {
  /** @type {string | null} */
  let before = null;
  app.platform.host?.watch((status) => {
    const begins = status.state === 'on' && before !== 'on' && (before !== null || !app.inUse);
    if (begins && status.url) void useHost(app, { url: status.url, fingerprint: status.fingerprint });
    if (status.state === 'off' && before === 'on') setInUse(app, null);
    before = status.state;
  });
}

/**
 * @param {App} app @param {{ url: string, fingerprint?: string }} choice
 * @returns {Promise<import('./host-ways.js').Answer>}
 */
async function useHost(app, choice) {
  const answer = await app.platform.useHost?.(choice);
  if (!answer) return { problem: 'unreachable' };
  if (!answer.ok) {
    // Another machine under a known name: full stop, nothing to click away.
    if (answer.problem === 'pin_mismatch' || answer.problem === 'version') app.stop(answer.problem);
    return { problem: answer.problem };
  }
  setInUse(app, { url: choice.url, ward: answer.ward, fingerprint: answer.fingerprint });
  return { first_use: answer.first_use, fingerprint: answer.fingerprint };
}

/** @param {App} app @param {import('./app.js').InUse | null} inUse */
function setInUse(app, inUse) {
  app.inUse = inUse;
  for (const changed of app.changed) changed();
}

/** @param {App} app */
function hostsAround(app) {
  const searching = h('p', { class: 'row row-note late', testid: 'hosts-searching', attributes: { role: 'status' } },
    h('span', { class: 'row-icon' }, icon('search')), h('span', { class: 'row-words' },
      h('span', { class: 'row-title', t: 'hosts-searching' }), h('span', { class: 'row-text', t: 'hosts-searching-text' })));
  const nothing = nothingFound();
  const list = h('ul', { class: 'rows', said: { 'aria-label': 'hosts-title' } });
  const wrong = h('p', { class: 'inline-notice warning', testid: 'host-wrong', attributes: { role: 'alert' } });
  const news = h('div', { class: 'first-use', attributes: { role: 'status' } });
  /** @type {import('./host-ways.js').Way} */
  const way = {
    use: (choice) => useHost(app, choice),
    done: (answer, name, invitation) => {
      done(answer, name);
      // Who meets a ward for the first time compares its fingerprint before anything else.
      if (invitation && !('problem' in answer) && !answer.first_use) app.invited(invitation);
    },
  };
  const element = h('section', { class: 'side-section', attributes: { 'aria-labelledby': 'hosts-title' } },
    h('h2', { class: 'subtitle', t: 'hosts-title', attributes: { id: 'hosts-title' } }),
    wrong, news,
    h('div', { class: 'card rows' }, list, searching,
      wayIn('read-code', 'qr-code', 'hosts-code', 'hosts-code-text', () => readCode(app, way)),
      wayIn('connect-other', 'network', 'hosts-other', 'hosts-other-text', () => askAddress(way)),
      nothing.element));
  /** @type {import('../platform/types').HostsAround} */
  let around = { hosts: [], search: 'looking', addresses: [] };
  let searched = false;

  const draw = () => {
    const { hosts, search } = around;
    const names = hosts.map((host) => host.name.trim().toLowerCase());
    const now = Date.now();
    keep(list, hosts, ({ ward }) => ward, ({ ward }) => {
      const row = makeHost(() => void use(ward, row), () => {
        const host = of(ward);
        if (host) sayChanged(app, host);
      });
      return row;
    }, (row, host) => {
      const name = host.name.trim().toLowerCase();
      drawHost(row, host, { inUse: isInUse(app, host), twin: names.filter((other) => other === name).length > 1, now });
    });
    const found = hosts.some((host) => host.state === 'here' || host.state === 'silent' || isInUse(app, host));
    const asked = hosts.some((host) => host.state === 'asked');
    const over = search !== 'looking' || (searched && !asked);
    shown(list, hosts.length > 0);
    shown(searching, !found && !over && !asked);
    shown(nothing.element, !found && over);
    nothing.draw(around);
  };
  /** @param {string} ward */
  const of = (ward) => around.hosts.find((host) => host.ward === ward);
  /** @param {import('./host-ways.js').Answer} answer @param {string} name */
  const done = (answer, name) => {
    const failed = 'problem' in answer;
    wrong.replaceChildren(...(failed ? [icon('wifi-off'), h('span', { t: problemText(answer.problem, name) })] : []));
    shown(wrong, failed);
    if (!failed && answer.first_use) {
      news.replaceChildren(firstUse(answer.fingerprint, () => shown(news, false)));
      shown(news, true);
    }
    draw();
    // The list may have been scrolled to its end.
    for (const told of [wrong, news]) if (!told.hidden) told.scrollIntoView({ block: 'nearest' });
  };
  /** @param {string} ward @param {HTMLElement} row */
  const use = async (ward, row) => {
    const host = of(ward);
    const pressed = /** @type {HTMLButtonElement | null} */ (row.querySelector('[data-testid="host-use"]'));
    if (!host || !pressed) return;
    setBusy(pressed, true, 'host-connecting');
    const answer = await useHost(app, { url: host.url, fingerprint: host.fingerprint });
    setBusy(pressed, false, 'host-use');
    done(answer, host.name);
  };
  shown(wrong, false);
  shown(news, false);
  draw();
  const timer = setTimeout(() => {
    searched = true;
    draw();
  }, SEARCH_MS);
  const stop = app.platform.hosts?.((next) => {
    around = next;
    const renamed = around.hosts.find((host) => isInUse(app, host));
    if (app.inUse && renamed && renamed.name !== app.inUse.ward) setInUse(app, { ...app.inUse, ward: renamed.name });
    draw();
  });
  const unlink = app.platform.links?.((opened) => offerLink(opened, way));
  app.changed.add(draw);
  return {
    element,
    destroy() {
      clearTimeout(timer);
      app.changed.delete(draw);
      stop?.();
      unlink?.();
    },
  };
}

/**
 * @param {string} testid @param {import('./dom.js').IconName} mark
 * @param {string} title @param {string} text @param {() => void} click
 */
function wayIn(testid, mark, title, text, click) {
  return h('button', { class: 'row row-link', testid, attributes: { type: 'button' }, on: { click } },
    h('span', { class: 'row-icon' }, icon(mark)),
    h('span', { class: 'row-words' }, h('span', { class: 'row-title', t: title }), h('span', { class: 'row-text', t: text })),
    icon('chevron-right', 'row-end'));
}

/** @param {string} fingerprint @param {() => void} close */
function firstUse(fingerprint, close) {
  return h('div', { class: 'card pad notice-card' },
    h('p', { class: 'notice-title' }, icon('fingerprint-pattern'), h('span', { t: 'first-use-title' })),
    h('p', { class: 'card-text', t: 'first-use-text' }),
    fingerprintBlock(fingerprint),
    button({ t: 'understood', icon: 'check', class: 'wide', testid: 'first-use-close', on: close }));
}
