// Ways to a host that isn't chosen from the list: its address, its QR code, a link; and the words
// about one that isn't who it was.
import { inTrouble, troubleCard } from './device-trouble.js';
import { openDialog } from './dialog.js';
import { h, icon, sayText, shown } from './dom.js';
import { button, field, fingerprintBlock, setBusy } from './parts.js';
import { devicePixels } from './tiles.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./dom.js').Text} Text */
/** @typedef {import('../platform/types').Host} Host */
/** @typedef {import('../platform/types').HostProblem} HostProblem */
/** @typedef {import('../platform/types').OpenedLink} OpenedLink */
/** @typedef {{ problem: HostProblem } | { first_use: boolean, fingerprint: string }} Answer */

/**
 * How these ways use a host: `use` connects, `done` shows what came of it.
 * @typedef {{
 *   use(choice: { url: string, fingerprint?: string }): Promise<Answer>,
 *   done(answer: Answer, name: string, invitation?: import('../call/door.js').Invitation): void,
 * }} Way
 */

/** What kept a host from being used, in words. @param {HostProblem} problem @param {string} name @returns {Text} */
export function problemText(problem, name) {
  return [`use-problem-${problem.replace(/_/g, '-')}`, { name }];
}

/** @param {Way} way */
export function askAddress(way) {
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
      const answer = await way.use({ url });
      setBusy(verb, false, 'connect');
      if ('problem' in answer) {
        address.say(problemText(answer.problem, address.input.value.trim()));
        return;
      }
      close();
      way.done(answer, '');
    },
  });
}

/**
 * Reads the QR code that a host shows.
 * @param {App} app @param {Way} way
 */
export function readCode(app, way) {
  const { devices } = app.platform;
  const canvas = h('canvas', { class: 'scan-canvas', testid: 'scan-canvas', attributes: { role: 'img', width: 4, height: 3 }, said: { 'aria-label': 'scan-picture' } });
  const words = h('p', { class: 'scan-words', t: 'scan-starting' });
  const frame = h('div', { class: 'scan-frame' }, canvas, h('span', { class: 'scan-corners', attributes: { 'aria-hidden': 'true' } }), words);
  const trouble = h('div', { class: 'scan-trouble' });
  const said = h('p', { class: 'scan-said', testid: 'scan-said', attributes: { role: 'status' } });
  const again = button({ t: 'scan-again', icon: 'qr-code', testid: 'scan-again', class: 'wide', on: () => look() });
  const dialog = openDialog({
    title: 'hosts-code',
    text: 'scan-text',
    body: [frame, trouble, said, again],
    verb: 'hosts-other',
    verbTestid: 'scan-address',
    kind: 'plain',
    submit: (close) => {
      close();
      askAddress(way);
    },
  });
  const preview = devices.preview((event) => {
    if (event.type === 'picture') {
      frame.style.setProperty('--picture', String(event.width / event.height));
      shown(words, false);
      shown(canvas, true);
      return;
    }
    const failed = inTrouble(event.state);
    trouble.replaceChildren(...(inTrouble(event.state) ? [troubleCard({ device: 'camera', state: event.state }, { inApp: true, before: true, again: () => preview.again() })] : []));
    shown(frame, !failed);
    shown(said, !failed);
    if (event.state !== 'on') shown(words, true);
  });
  const pixels = () => devicePixels(frame.clientWidth || 1, frame.clientHeight || 1);
  const shows = preview.show(canvas, pixels());
  const sized = new ResizeObserver(() => shows.resize(pixels()));
  sized.observe(frame);
  /** @type {(() => void) | undefined} */
  let stop;
  let gone = false;

  /** @param {Text} text @param {boolean} [bad] */
  const say = (text, bad = false) => {
    said.classList.toggle('wrong', bad);
    const told = h('span');
    sayText(told, text);
    said.replaceChildren(icon(bad ? 'circle-alert' : 'qr-code'), told);
  };
  const look = () => {
    shown(again, false);
    say('scan-looking');
    stop?.();
    stop = app.platform.scan?.((opened) => void found(opened));
  };
  /** @param {OpenedLink} opened */
  const found = async (opened) => {
    if (opened.kind !== 'host') return say('scan-other', true);
    stop?.();
    say(['scan-found', { address: opened.address }]);
    const answer = await way.use(choiceOf(opened));
    if (gone) return;
    if ('problem' in answer) {
      say(problemText(answer.problem, opened.address), true);
      shown(again, true);
      return;
    }
    dialog.close();
    way.done(proven(answer, opened), opened.name ?? opened.address, opened.invitation);
  };
  dialog.addEventListener('close', () => {
    gone = true;
    stop?.();
    sized.disconnect();
    shows.stop();
    preview.stop();
  });
  look();
}

/**
 * Puts a link from elsewhere to the person: whoever wrote it isn't known.
 * @param {OpenedLink} opened @param {Way} way
 */
export function offerLink(opened, way) {
  if (opened.kind !== 'host') {
    openDialog({ title: 'link-other', text: 'link-other-text', verb: 'understood', verbTestid: 'link-close', submit: (close) => close() });
    return;
  }
  const wrong = h('p', { class: 'field-wrong', attributes: { role: 'alert' } });
  openDialog({
    title: opened.known && opened.name ? ['link-known', { name: opened.name }] : 'link-new',
    text: opened.known ? 'link-known-text' : 'link-new-text',
    body: [
      h('p', { class: 'host-url', text: opened.address, testid: 'link-address' }),
      opened.fingerprint && h('div', { class: 'link-print' }, h('p', { class: 'field-label', t: 'host-fingerprint' }), fingerprintBlock(opened.fingerprint)),
      wrong,
    ],
    verb: 'connect',
    verbTestid: 'link-connect',
    submit: async (close, verb) => {
      setBusy(verb, true, 'host-connecting');
      const answer = await way.use(choiceOf(opened));
      setBusy(verb, false, 'connect');
      if ('problem' in answer) {
        wrong.replaceChildren(icon('circle-alert'), h('span', { t: problemText(answer.problem, opened.address) }));
        return;
      }
      close();
      way.done(proven(answer, opened), opened.name ?? opened.address, opened.invitation);
    },
  });
}

/**
 * What is with a host in whose place another one answers. There is no way on from here but to
 * forget it, knowingly.
 * @param {App} app @param {Host} host
 */
export function sayChanged(app, host) {
  const sure = h('input', { testid: 'forget-sure', attributes: { type: 'checkbox' } });
  const wrong = h('p', { class: 'field-wrong', attributes: { role: 'alert' } });
  openDialog({
    title: 'changed-title',
    text: ['changed-text', { name: host.name, address: host.address }],
    body: [
      h('div', { class: 'link-print' }, h('p', { class: 'field-label', t: 'changed-print' }), fingerprintBlock(host.fingerprint)),
      h('p', { class: 'dialog-text', t: 'changed-staff' }),
      h('label', { class: 'forget-sure' }, sure, h('span', { t: 'forget-sure' })),
      wrong,
    ],
    verb: 'forget-host',
    verbTestid: 'forget-host',
    kind: 'danger',
    submit: async (close) => {
      if (!sure.checked) {
        wrong.replaceChildren(icon('circle-alert'), h('span', { t: 'forget-first' }));
        sure.focus();
        return;
      }
      await app.platform.forgetHost?.(host.fingerprint);
      close();
    },
  });
}

/** @param {Extract<OpenedLink, { kind: 'host' }>} opened */
function choiceOf({ url, fingerprint }) {
  return fingerprint ? { url, fingerprint } : { url };
}

/**
 * Where the fingerprint came with the link or code, it was compared: nobody needs to do it again.
 * @param {Exclude<Answer, { problem: HostProblem }>} answer @param {Extract<OpenedLink, { kind: 'host' }>} opened
 */
function proven(answer, opened) {
  return opened.fingerprint ? { ...answer, first_use: false } : answer;
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
    if (url.port) return url.origin;
    if (scheme !== 'https' && !/:\d+(\/|$)/.test(bare)) return `${url.origin}:3000`;
    return `${url.origin}:443`;
  } catch {
    return null;
  }
}
