// Help that a person reads while the browser is in the way: the ward's certificate, and permission
// for camera and microphone. A page of its own, or a dialog over what goes on.
import { guess } from '../call/agent.js';
import { openDialog } from './dialog.js';
import { h, icon, shown } from './dom.js';
import { drawing } from './drawings.js';
import { certificate, ordered, permissions } from './help-steps.js';
import { brand, button, choice, fingerprintBlock, languageButton } from './parts.js';

/** @typedef {import('./help-steps.js').Topic} Topic */
/** @typedef {import('./help-steps.js').Way} Way */
/** @typedef {import('../call/agent.js').System} System */
/** @typedef {import('../platform/types').Reach} Reach */

/** @type {readonly { value: System, icon: import('./dom.js').IconName, t: string }[]} */
const SYSTEMS = [
  { value: 'ios', icon: 'smartphone', t: 'system-ios' },
  { value: 'android', icon: 'smartphone', t: 'system-android' },
  { value: 'windows', icon: 'monitor', t: 'system-windows' },
  { value: 'macos', icon: 'laptop', t: 'system-macos' },
  { value: 'linux', icon: 'monitor', t: 'system-linux' },
];

/**
 * @param {Topic} topic
 * @param {{ reach?: () => Promise<Reach>, home: () => void }} options
 * @returns {import('./app.js').Screen}
 */
export function helpScreen(topic, { reach, home }) {
  const title = topic === 'certificate' ? 'cert-title' : 'allow-title';
  return {
    title,
    element: h('div', { class: 'page guide' },
      h('header', { class: 'top' }, brand(), languageButton()),
      h('main', { class: 'guide-main' },
        h('h1', { class: 'title', t: title, attributes: { tabindex: '-1' } }),
        h('p', { class: 'lead', t: topic === 'certificate' ? 'cert-text' : 'allow-text' }),
        topic === 'certificate' && download(reach),
        steps(topic),
        h('div', { class: 'guide-end' },
          h('a', { class: 'button plain', testid: 'help-other', attributes: { href: `${topic === 'certificate' ? '/ayuda/permisos' : '/ayuda/certificado'}${location.search}` } },
            icon('info'), h('span', { class: 'button-words', t: topic === 'certificate' ? 'allow-title' : 'cert-title' })),
          button({ t: 'help-home', icon: 'arrow-left', testid: 'help-home', on: home })))),
  };
}

/** How to allow what was refused, over what goes on. @param {{ inApp: boolean }} options */
export function openPermissions({ inApp }) {
  const dialog = openDialog({
    title: 'allow-title', text: inApp ? 'allow-text-app' : 'allow-text', body: [steps('permissions', inApp)],
    verb: 'close', verbTestid: 'help-close', kind: 'plain', submit: (close) => close(),
  });
  dialog.classList.add('guide-dialog');
  // It is read from its top.
  /** @type {HTMLElement | null} */ (dialog.querySelector('[data-testid="dialog-close"]'))?.focus();
}

/** The certificate itself, and what it is compared by. @param {(() => Promise<Reach>) | undefined} reach */
function download(reach) {
  const print = h('div', { class: 'link-print' });
  shown(print, false);
  reach?.().then(({ fingerprint }) => {
    print.replaceChildren(h('p', { class: 'field-label', t: 'host-fingerprint' }), fingerprintBlock(fingerprint), h('p', { class: 'field-hint', t: 'cert-compare' }));
    shown(print, true);
  }, () => {
    print.replaceChildren(h('p', { class: 'inline-notice warning', attributes: { role: 'status' } }, icon('wifi-off'), h('span', { t: 'cert-no-print' })));
    shown(print, true);
  });
  return h('section', { class: 'card pad' },
    h('a', { class: 'button primary wide', testid: 'cert-download', attributes: { href: '/api/v1/ca?format=der' } }, icon('download'), h('span', { class: 'button-words', t: 'cert-get' })),
    print);
}

/**
 * The steps for one system, and the choice of it.
 * @param {Topic} topic @param {boolean} [inApp] only the system's own settings are of use
 */
function steps(topic, inApp = false) {
  const { system, browser } = guess({ agent: navigator.userAgent, touches: navigator.maxTouchPoints });
  const body = h('div', { class: 'guide-ways' });
  /** @param {System} of */
  const draw = (of) => {
    const device = of === 'ios' || of === 'android' ? 'phone' : 'computer';
    const all = topic === 'certificate' ? certificate[of].install : permissions[of];
    const [first, ...rest] = ordered(inApp ? all.filter(({ title }) => title === 'way-system') : all, browser);
    const without = topic === 'certificate' ? ordered(certificate[of].without, browser) : [];
    body.replaceChildren(...[
      first ? wayOf(first, device, false) : h('p', { class: 'card-text', t: 'allow-none' }),
      ...rest.map((way) => wayOf(way, device, true)),
      ...(without.length ? [
        h('h2', { class: 'subtitle', t: 'cert-without' }),
        h('p', { class: 'card-text', t: of === 'ios' ? 'cert-without-ios' : 'cert-without-text' }),
        ...without.map((way) => wayOf(way, device, true)),
      ] : []),
    ]);
  };
  draw(system);
  return h('div', { class: 'guide-steps' },
    choice({
      t: 'system-label', name: `help-system-${topic}`, chosen: (value) => draw(/** @type {System} */ (value)),
      options: SYSTEMS.map((one) => ({ ...one, checked: one.value === system, testid: `system-${one.value}` })),
    }).element,
    body);
}

/** @param {Way} way @param {'phone' | 'computer'} device @param {boolean} folded */
function wayOf({ title, steps: all }, device, folded) {
  const list = h('ol', { class: 'guide-list' }, ...all.map(({ t, draw }, at) => h('li', { class: 'guide-step' },
    drawing(draw, device),
    h('span', { class: 'guide-number', text: String(at + 1), attributes: { 'aria-hidden': 'true' } }),
    h('p', { class: 'guide-words', t }))));
  if (!folded) return h('section', { class: 'guide-way' }, h('h2', { class: 'subtitle', t: title }), list);
  return h('details', { class: 'guide-way device-fold' },
    h('summary', { class: 'device-now', testid: 'help-fold' }, h('span', { class: 'field-label', t: title }), icon('chevron-right', 'fold-mark')), list);
}
