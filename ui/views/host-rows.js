// The rows of the list of hosts, and what is said when there are none.
import { clock, longDate, sayAttribute } from '../texts/index.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { button, chip, fingerprintGroups, setChip } from './parts.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./dom.js').Text} Text */
/** @typedef {import('../platform/types').Host} Host */
/** @typedef {import('../platform/types').HostsAround} HostsAround */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Days after which a date says more than their number. */
const MOST_DAYS = 14;
/** Groups of four digits of a fingerprint that tell two wards of one name apart. */
const SHORT = 2;

/** @param {App} app @param {Host} host */
export function isInUse(app, host) {
  return app.inUse !== null && digits(app.inUse.fingerprint) === digits(host.fingerprint);
}

/** @param {string} fingerprint */
function digits(fingerprint) {
  return fingerprint.replace(/^sha256:/, '');
}

/** @param {() => void} use @param {() => void} why */
export function makeHost(use, why) {
  return h('li', { class: 'row host-row', testid: 'host-row' },
    h('span', { class: 'row-icon' }, icon('tablet')),
    h('div', { class: 'row-words' },
      h('span', { class: 'row-title', attributes: { dir: 'auto' } }),
      h('span', { class: 'row-text', testid: 'host-where' }),
      h('span', { class: 'row-text host-seen', testid: 'host-seen' }),
      h('span', { class: 'row-text host-hint', testid: 'host-hint' }),
      h('span', { class: 'row-text host-short', testid: 'host-short' })),
    chip('good', 'host-in-use', 'check', 'host-in-use'),
    button({ t: 'host-use', testid: 'host-use', on: use }),
    button({ t: 'host-why', testid: 'host-why', on: why }));
}

/**
 * @param {HTMLElement} row @param {Host} host
 * @param {{ inUse: boolean, twin: boolean, now: number }} how `twin`: another one has the same name
 */
export function drawHost(row, host, { inUse, twin, now }) {
  const find = (/** @type {string} */ wanted) => /** @type {HTMLElement} */ (row.querySelector(wanted));
  const part = (/** @type {string} */ id) => find(`[data-testid="${id}"]`);
  row.dataset.url = host.url;
  row.dataset.state = host.state;
  const there = host.state === 'here' || inUse;
  const mark = find('.row-icon');
  mark.classList.toggle('accent', inUse);
  mark.classList.toggle('danger', host.state === 'changed' && !inUse);
  setIcon(mark, host.state === 'changed' && !inUse ? 'shield-alert' : 'tablet');
  find('.row-title').textContent = host.name;
  sayText(part('host-where'), [host.remembered && there && !inUse ? 'host-address-known' : 'host-address-new', { address: host.address }]);
  const gone = !there && host.state !== 'asked' && host.seen_ms !== undefined;
  if (gone) sayText(part('host-seen'), ['host-seen', () => seen(host.seen_ms ?? 0, now)]);
  shown(part('host-seen'), gone);
  shown(part('host-where'), !gone);
  const hint = there ? null : hintOf(host);
  if (hint) sayText(part('host-hint'), hint);
  shown(part('host-hint'), hint !== null);
  if (twin) sayText(part('host-short'), ['host-short', { digits: fingerprintGroups(host.fingerprint).slice(0, SHORT).join(' ') }]);
  shown(part('host-short'), twin);
  const changed = host.state === 'changed' && !inUse;
  const [state, use, why] = [find('.chip'), part('host-use'), part('host-why')];
  setChip(state, 'good', 'host-in-use', 'check');
  shown(state, inUse);
  shown(use, !inUse && !changed);
  shown(why, changed);
  if (use.getAttribute('aria-busy') !== 'true') sayText(find('[data-testid="host-use"] .button-words'), there ? 'host-use' : 'host-try');
  sayAttribute(use, 'aria-label', there ? 'host-use-label' : 'host-try-label', { name: host.name });
  sayAttribute(why, 'aria-label', 'host-why-label', { name: host.name });
}

/** What is with a host that can't be used just so, and what to do. @param {Host} host @returns {Text} */
function hintOf({ state }) {
  switch (state) {
    case 'silent': return 'host-silent';
    case 'asked': return 'host-asked';
    case 'changed': return 'host-changed';
    default: return 'host-away';
  }
}

/**
 * How long ago, in words.
 * @param {number} at @param {number} now
 */
export function seen(at, now) {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const days = Math.max(0, Math.ceil((midnight - at) / DAY));
  const when = now - at < 2 * MINUTE ? 'now' : days === 0 ? 'today' : days === 1 ? 'yesterday' : days <= MOST_DAYS ? 'days' : 'long';
  return { when, days, time: clock(at), date: longDate(at) };
}

/** What was tried, and what it suggests. */
export function nothingFound() {
  const title = h('p', { class: 'row-title' });
  const text = h('p', { class: 'row-text' });
  const network = h('li', { testid: 'tried-network' });
  const known = h('li', { testid: 'tried-known' });
  const tried = h('div', { class: 'help-part' }, h('p', { class: 'help-title', t: 'hosts-tried' }), h('ul', { class: 'help-list' }, network, known));
  const reasons = h('div', { class: 'help-part' }, h('p', { class: 'help-title', t: 'hosts-reasons' }),
    h('ul', { class: 'help-list' },
      h('li', { t: 'reason-off' }), h('li', { t: 'reason-network' }), h('li', { t: 'reason-apart' }), h('li', { t: 'reason-firewall' })));
  const element = h('div', { class: 'row row-note hosts-help', testid: 'hosts-help', attributes: { role: 'status' } },
    h('span', { class: 'row-icon warning' }, icon('wifi-off')),
    h('div', { class: 'row-words' }, title, text, tried, reasons));
  return {
    element,
    /** @param {HostsAround} around */
    draw({ hosts, search, addresses }) {
      const looking = search === 'looking';
      const asked = hosts.filter((host) => host.remembered).length;
      sayText(title, looking ? 'hosts-none' : search === 'no_network' ? 'hosts-no-network' : 'hosts-failed');
      if (!looking) sayText(text, search === 'no_network' ? 'hosts-no-network-text' : 'hosts-failed-text');
      shown(text, !looking);
      sayText(network, ['tried-network', { addresses }]);
      sayText(known, ['tried-known', { count: asked }]);
      shown(known, asked > 0);
      shown(tried, looking);
      shown(reasons, looking);
    },
  };
}
