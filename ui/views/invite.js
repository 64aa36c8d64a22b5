// How others get into the room of this call: a code to scan, six digits to type, a link to send.
import { grouped, linkTo, shownBase } from '../call/door.js';
import { clock } from '../texts/index.js';
import { copy } from './clipboard.js';
import { openDialog } from './dialog.js';
import { h, icon, sayText, shown } from './dom.js';
import { button } from './parts.js';
import { qrCode } from './qr.js';

/** @typedef {import('../platform/types').RoomCode} RoomCode */
/** @typedef {import('../platform/types').Reach} Reach */

/**
 * @param {{
 *   room: Pick<import('../generated').RoomInfo, 'id' | 'kind'>,
 *   reach: () => Promise<Reach>, code: () => Promise<RoomCode>,
 * }} options
 */
export function openInvite({ room, reach, code }) {
  const qr = h('div', { class: 'invite-qr', testid: 'invite-qr', attributes: { role: 'img' }, said: { 'aria-label': 'invite-qr' } });
  const where = h('p', { class: 'invite-where' });
  const digits = h('p', { class: 'invite-digits', testid: 'invite-code' });
  const until = h('p', { class: 'field-hint', testid: 'invite-until' });
  const typed = h('div', { class: 'invite-part', attributes: { 'aria-live': 'polite' } }, where, digits, until);
  const again = button({ t: 'try-again', icon: 'refresh-cw', testid: 'invite-again', on: () => void begin() });
  const wrong = h('div', { class: 'inline-notice warning', testid: 'invite-wrong', attributes: { role: 'alert' } });
  const link = h('p', { class: 'host-url invite-link', testid: 'invite-link' });
  const said = h('p', { class: 'done', attributes: { role: 'status' } });
  const share = typeof navigator.share === 'function'
    ? button({ t: 'invite-share', icon: 'share-2', testid: 'invite-share', on: () => void send(href) }) : null;
  const copying = button({ t: 'invite-copy', icon: 'copy', testid: 'invite-copy', on: async () => {
    const done = await copy(href, link);
    said.replaceChildren(icon(done ? 'circle-check' : 'info'), h('span', { t: done ? 'invite-copied' : 'invite-copy-by-hand' }));
  } });
  const sent = h('div', { class: 'invite-part' },
    h('p', { class: 'field-label', t: 'invite-link' }), link,
    h('div', { class: 'invite-actions' }, copying, share), said);
  const dialog = openDialog({
    title: room.kind === 'meeting' ? 'invite-title-meeting' : 'invite-title',
    text: 'invite-text',
    body: [h('div', { class: 'invite' }, qr, h('div', { class: 'invite-words' }, typed, sent)), wrong, again],
    verb: 'close',
    verbTestid: 'invite-close',
    kind: 'plain',
    submit: (close) => close(),
  });
  dialog.classList.add('invite-dialog');
  /** @type {HTMLElement | null} */ (dialog.querySelector('[data-testid="dialog-close"]'))?.focus();

  let href = '';
  let gone = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const begin = async () => {
    shown(wrong, false);
    shown(again, false);
    const [at, made] = await Promise.allSettled([reach(), code()]);
    if (gone) return;
    shown(qr, at.status === 'fulfilled');
    shown(sent, at.status === 'fulfilled');
    shown(typed, at.status === 'fulfilled' && made.status === 'fulfilled');
    if (at.status === 'fulfilled') drawLink(at.value);
    if (at.status === 'fulfilled' && made.status === 'fulfilled') drawCode(at.value, made.value);
    const problem = at.status === 'rejected' ? 'invite-unreachable' : made.status === 'rejected' ? 'invite-no-code' : null;
    shown(wrong, problem !== null);
    shown(again, problem !== null);
    if (problem) wrong.replaceChildren(icon('triangle-alert'), h('span', { t: problem }));
  };

  /** @param {Reach} at */
  const drawLink = (at) => {
    href = linkTo(at.url, { room: room.id, kind: room.kind });
    link.textContent = href;
    qr.replaceChildren(qrCode(href));
  };

  /** @param {Reach} at @param {RoomCode} made */
  const drawCode = (at, made) => {
    sayText(where, ['invite-where', { address: shownBase(at.url) }]);
    digits.textContent = grouped(made.code);
    const end = Date.now() + made.valid_s * 1000;
    sayText(until, ['invite-until', () => ({ time: clock(end) })]);
    clearTimeout(timer);
    // Whoever reads it aloud then reads one that works.
    timer = setTimeout(() => void begin(), made.valid_s * 1000);
  };

  dialog.addEventListener('close', () => {
    gone = true;
    clearTimeout(timer);
  });
  shown(qr, false);
  shown(sent, false);
  shown(typed, false);
  void begin();
}

/** @param {string} url */
async function send(url) {
  try {
    await navigator.share({ url });
  } catch {
    // Closed without sending: nothing to say.
  }
}

/**
 * How others get to the help page about the ward's certificate.
 * @param {string} base where others reach the host
 */
export function openCertificate(base) {
  const href = `${base}/ayuda/certificado`;
  const dialog = openDialog({
    title: 'cert-title',
    text: 'cert-scan',
    body: [
      h('div', { class: 'invite-qr', testid: 'cert-qr', attributes: { role: 'img' }, said: { 'aria-label': 'cert-qr' } }, qrCode(href)),
      h('p', { class: 'host-url invite-link', testid: 'cert-link', text: href }),
    ],
    verb: 'close',
    verbTestid: 'cert-close',
    kind: 'plain',
    submit: (close) => close(),
  });
  dialog.classList.add('cert-dialog');
}
