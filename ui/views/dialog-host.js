// What is asked of whoever looks after the host: whether others may be cut off, what the ward is
// called, and that hosting goes on when the window is closed.
import { onLanguage, t } from '../texts/index.js';
import { openDialog } from './dialog.js';
import { h, icon, keep, sayText } from './dom.js';
import { button, field, nameProblem } from './parts.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {NonNullable<import('../platform/types').HostStatus['connected']>} Connected */

/** Names that are written out; more are counted. */
const NAMED = 8;

/**
 * Asks once, and says who will be cut off.
 * @param {Connected} connected @param {'host-stop' | 'host-quit'} verb @param {() => void} done
 */
export function askToStop(connected, verb, done) {
  const named = connected.length > NAMED + 1 ? connected.slice(0, NAMED) : connected;
  // Its end may have to be scrolled to.
  const list = h('ul', { class: 'cut-off', testid: 'cut-off', attributes: { tabindex: '0' }, said: { 'aria-label': 'host-stop-list' } });
  keep(list, named, (one) => String(one.id), (one) => h('li', { class: 'cut-off-one' },
    icon('circle-user-round'),
    h('span', { class: 'cut-off-words' },
      h('span', { class: 'cut-off-name', text: one.name, attributes: { dir: 'auto' } }),
      h('span', { class: 'cut-off-room', text: one.room, attributes: { dir: 'auto' } }))));
  if (named.length < connected.length) {
    list.append(h('li', { class: 'cut-off-one', t: ['host-stop-more', { count: connected.length - named.length }] }));
  }
  openDialog({
    title: 'host-stop-title',
    text: ['host-stop-text', { count: connected.length }],
    body: [list],
    verb,
    verbTestid: 'host-stop-confirm',
    kind: 'danger',
    submit: (close) => {
      close();
      done();
    },
  });
}

/** Asks what the ward is called. @param {App} app @param {string} now */
export function askWardName(app, now) {
  const name = field({ t: 'ward-name-label', hint: 'ward-name-hint', testid: 'ward-name', value: now });
  openDialog({
    title: 'ward-rename-title',
    text: 'ward-rename-text',
    body: [name.element],
    verb: 'save',
    verbTestid: 'ward-rename-save',
    submit: async (close) => {
      const problem = nameProblem(name.input.value);
      name.say(problem);
      if (problem) return;
      const wrong = await app.platform.host?.rename(name.input.value.trim());
      if (wrong) name.say(wrong === 'name_too_long' ? 'name-too-long' : 'name-empty');
      else close();
    },
  });
}

/**
 * Puts to the person what happens to the window while this device hosts.
 * @param {App} app
 */
export function watchWindow(app) {
  /** @type {Connected} */
  let connected = [];
  app.platform.host?.watch((status) => {
    connected = status.connected ?? [];
  });
  app.platform.window?.watch((event) => {
    if (event === 'closing') sayThatHostingGoesOn(app, () => connected);
    else if (event === 'quitting') askToStop(connected, 'host-quit', () => void app.platform.window?.quit());
    else app.home();
  });
  // The tray has no words of its own.
  const speak = () => void app.platform.window?.trayWords({ open: t('tray-open'), quit: t('tray-quit') });
  onLanguage(speak);
  speak();
}

/** @param {App} app @param {() => Connected} connected */
function sayThatHostingGoesOn(app, connected) {
  const quit = button({
    t: 'host-quit', testid: 'window-quit', class: 'wide',
    on: () => {
      dialog.close();
      const cutOff = connected();
      if (cutOff.length) askToStop(cutOff, 'host-quit', () => void app.platform.window?.quit());
      else void app.platform.window?.quit();
    },
  });
  const note = h('p', { class: 'dialog-text' });
  sayText(note, 'window-closing-again');
  const dialog = openDialog({
    title: 'window-closing-title',
    text: 'window-closing-text',
    body: [note],
    verb: 'window-close',
    verbTestid: 'window-close',
    submit: (close) => {
      close();
      void app.platform.window?.hide();
    },
  });
  dialog.classList.add('two-ways');
  dialog.querySelector('.dialog-actions')?.append(quit);
}
