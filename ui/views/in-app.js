// A page that another app shows in itself: what doesn't work there, and the way into a browser.
import { insideOf } from '../call/agent.js';
import { intentFor } from '../call/door.js';
import { copy } from './clipboard.js';
import { h, icon, shown } from './dom.js';
import { button } from './parts.js';

/** A notice, where the page stands in another app; null in a browser. */
export function insideNotice() {
  const { userAgent } = navigator;
  const inside = insideOf({ agent: userAgent, secure: window.isSecureContext, devices: Boolean(navigator.mediaDevices?.getUserMedia) });
  if (!inside) return null;
  const android = /Android/.test(userAgent);
  const browser = android ? 'Chrome' : 'Safari';
  const said = h('p', { class: 'done', attributes: { role: 'status' } });
  const address = h('p', { class: 'host-url inside-address' });
  shown(address, false);
  const copying = button({
    t: 'invite-copy', icon: 'copy', testid: 'inside-copy',
    on: async () => {
      address.textContent = location.href;
      const done = await copy(location.href, address);
      said.replaceChildren(icon(done ? 'circle-check' : 'info'), h('span', { t: done ? 'inside-copied' : 'invite-copy-by-hand' }));
    },
  });
  return h('section', { class: 'card pad inside-card', testid: 'inside', said: { 'aria-label': 'inside-label' } },
    h('p', { class: 'notice-title' }, icon('info'), h('span', { t: inside.name ? ['inside-title', { app: inside.name }] : 'inside-title-unknown' })),
    h('p', { class: 'card-text inside-text', t: 'inside-text' }),
    h('p', { class: 'inside-way', t: [`inside-${inside.out}`, { browser }] }),
    h('div', { class: 'invite-actions' },
      android && h('a', { class: 'button plain', testid: 'inside-open', attributes: { href: intentFor(location.href) } }, icon('external-link'), h('span', { class: 'button-words', t: 'inside-open' })),
      copying),
    address, said);
}
