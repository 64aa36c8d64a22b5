// In the app: this device as host, and the hosts on this network.
import { sayAttribute } from '../texts/index.js';
import { openDialog } from './dialog.js';
import { h, icon, keep, sayText, shown } from './dom.js';
import { ownHost } from './own-host.js';
import { button, chip, field, fingerprintBlock, setBusy } from './parts.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('../platform/types').Host} Host */
/** @typedef {import('../platform/types').HostProblem} HostProblem */

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
 * @returns {Promise<{ problem: HostProblem } | { first_use: boolean, fingerprint: string }>}
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
  const searching = h('p', { class: 'row row-note late', attributes: { role: 'status' } },
    h('span', { class: 'row-icon' }, icon('search')), h('span', { class: 'row-words' },
      h('span', { class: 'row-title', t: 'hosts-searching' }), h('span', { class: 'row-text', t: 'hosts-searching-text' })));
  const none = h('p', { class: 'row row-note', attributes: { role: 'status' } },
    h('span', { class: 'row-icon warning' }, icon('wifi-off')), h('span', { class: 'row-words' },
      h('span', { class: 'row-title', t: 'hosts-none' }), h('span', { class: 'row-text', t: 'hosts-none-text' })));
  const list = h('ul', { class: 'rows', said: { 'aria-label': 'hosts-title' } });
  const wrong = h('p', { class: 'inline-notice warning', testid: 'host-wrong', attributes: { role: 'alert' } });
  const news = h('div', { class: 'first-use', attributes: { role: 'status' } });
  const other = h('button', {
    class: 'row row-link',
    testid: 'connect-other',
    attributes: { type: 'button' },
    on: { click: () => askAddress(app, done) },
  },
  h('span', { class: 'row-icon' }, icon('network')),
  h('span', { class: 'row-words' }, h('span', { class: 'row-title', t: 'hosts-other' }), h('span', { class: 'row-text', t: 'hosts-other-text' })),
  icon('chevron-right', 'row-end'));
  const element = h('section', { class: 'side-section', attributes: { 'aria-labelledby': 'hosts-title' } },
    h('h2', { class: 'subtitle', t: 'hosts-title', attributes: { id: 'hosts-title' } }),
    h('div', { class: 'card rows' }, list, searching, none, other),
    wrong, news);
  /** @type {Host[]} */
  let hosts = [];
  let searched = false;

  const draw = () => {
    keep(list, hosts, (host) => `${host.ward}@${host.url}`, (host) => makeHost(host, use), (row, host) => drawHost(row, host, isInUse(app, host)));
    shown(list, hosts.length > 0);
    shown(searching, hosts.length === 0 && !searched);
    shown(none, hosts.length === 0 && searched);
  };
  /** @param {Awaited<ReturnType<typeof useHost>>} answer @param {string} name */
  const done = (answer, name) => {
    const failed = 'problem' in answer;
    wrong.replaceChildren(...(failed ? [icon('wifi-off'), h('span', { t: [`use-problem-${answer.problem.replace(/_/g, '-')}`, { name }] })] : []));
    shown(wrong, failed);
    if (!failed && answer.first_use) {
      news.replaceChildren(firstUse(answer.fingerprint, () => shown(news, false)));
      shown(news, true);
    }
    draw();
  };
  /** @param {Host} host @param {HTMLButtonElement} pressed */
  const use = async (host, pressed) => {
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
    hosts = next;
    const renamed = hosts.find((host) => isInUse(app, host));
    if (app.inUse && renamed && renamed.name !== app.inUse.ward) setInUse(app, { ...app.inUse, ward: renamed.name });
    draw();
  });
  app.changed.add(draw);
  return {
    element,
    destroy() {
      clearTimeout(timer);
      app.changed.delete(draw);
      stop?.();
    },
  };
}

/** @param {App} app @param {Host} host */
function isInUse(app, host) {
  return Boolean(app.inUse) && (app.inUse?.url === host.url || app.inUse?.fingerprint.replace(/^sha256:/, '') === host.fingerprint.replace(/^sha256:/, ''));
}

/** @param {Host} host @param {(host: Host, pressed: HTMLButtonElement) => void} use */
function makeHost(host, use) {
  const press = button({ t: 'host-use', testid: 'host-use', label: ['host-use-label', { name: host.name }], on: () => use(host, press) });
  return h('li', { class: 'row', testid: 'host-row', attributes: { 'data-url': host.url } },
    h('span', { class: 'row-icon' }, icon('tablet')),
    h('div', { class: 'row-words' },
      h('span', { class: 'row-title', attributes: { dir: 'auto' } }), h('span', { class: 'row-text' })),
    chip('good', 'host-in-use', 'check', 'host-in-use'), press);
}

/** @param {HTMLElement} row @param {Host} host @param {boolean} inUse */
function drawHost(row, host, inUse) {
  const [mark, title, text, state, press] = /** @type {HTMLElement[]} */ ([
    row.querySelector('.row-icon'), row.querySelector('.row-title'), row.querySelector('.row-text'), row.querySelector('.chip'), row.querySelector('.button'),
  ]);
  // A ward may be renamed.
  title.textContent = host.name;
  sayAttribute(press, 'aria-label', 'host-use-label', { name: host.name });
  mark.classList.toggle('accent', inUse);
  sayText(text, [host.remembered && !inUse ? 'host-address-known' : 'host-address-new', { address: host.address }]);
  shown(state, inUse);
  shown(press, !inUse);
}

/** @param {string} fingerprint @param {() => void} close */
function firstUse(fingerprint, close) {
  return h('div', { class: 'card pad notice-card' },
    h('p', { class: 'notice-title' }, icon('fingerprint-pattern'), h('span', { t: 'first-use-title' })),
    h('p', { class: 'card-text', t: 'first-use-text' }),
    fingerprintBlock(fingerprint),
    button({ t: 'understood', icon: 'check', class: 'wide', testid: 'first-use-close', on: close }));
}

/**
 * @param {App} app
 * @param {(answer: Awaited<ReturnType<typeof useHost>>, name: string) => void} done
 */
function askAddress(app, done) {
  const address = field({
    t: 'address-label', hint: 'address-hint', testid: 'address-input',
    attributes: { inputmode: 'url', autocapitalize: 'none', placeholder: '192.0.2.14:3000' },
  });
  openDialog({
    title: 'hosts-other',
    text: 'address-text',
    body: [address.element],
    verb: 'connect',
    verbTestid: 'connect',
    submit: async (close, verb) => {
      const url = asUrl(address.input.value);
      address.say(url ? null : 'use-problem-bad-address');
      if (!url) return;
      setBusy(verb, true, 'host-connecting');
      const answer = await useHost(app, { url });
      setBusy(verb, false, 'connect');
      if ('problem' in answer) {
        address.say([`use-problem-${answer.problem.replace(/_/g, '-')}`, { name: address.input.value.trim() }]);
        return;
      }
      close();
      done(answer, '');
    },
  });
}

/**
 * An address as people write it, as a URL; null when it can't be one.
 * @param {string} text `192.0.2.14`, `tableta.local:3000`, `https://…`
 * @returns {string | null}
 */
export function asUrl(text) {
  const trimmed = text.trim();
  if (!trimmed || /\s/.test(trimmed)) return null;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme && scheme !== 'https' && scheme !== 'http') return null;
  const bare = scheme ? trimmed.slice(scheme.length + 3) : trimmed;
  try {
    const url = new URL(`https://${bare}`);
    // Without a port people mean the usual one; a full https address means its own.
    if (!url.port && scheme !== 'https' && !/:\d+(\/|$)/.test(bare)) url.port = '3000';
    return url.origin;
  } catch {
    return null;
  }
}
