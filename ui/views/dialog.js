// Dialogs: one at a time, closed by its button, by Escape or by a touch beside it.
import { h, icon, sayText, shown } from './dom.js';
import { button, choice, field, nameProblem } from './parts.js';

/** @typedef {import('./dom.js').Text} Text */

let dialogs = 0;

/**
 * Opens a dialog with a form in it.
 * @param {{
 *   title: Text, text?: Text, body?: import('./dom.js').Child[], verb: Text, verbTestid: string,
 *   kind?: 'primary' | 'plain' | 'danger', submit: (close: () => void, verb: HTMLButtonElement) => void,
 * }} options
 * @returns {HTMLDialogElement}
 */
export function openDialog({ title, text, body = [], verb, verbTestid, kind = 'primary', submit }) {
  const submitButton = button({ kind, t: verb, testid: verbTestid, submit: true, class: 'wide' });
  const close = () => dialog.close();
  dialogs += 1;
  // Help may lie over another dialog.
  const id = `dialog-title-${dialogs}`;
  const form = h('form', {
    class: 'dialog-form',
    attributes: { novalidate: true },
    on: {
      submit: (event) => {
        event.preventDefault();
        submit(close, submitButton);
      },
    },
  },
  h('header', { class: 'dialog-head' },
    h('h2', { class: 'dialog-title', t: title, attributes: { id } }),
    h('button', { class: 'icon-button', testid: 'dialog-close', attributes: { type: 'button' }, said: { 'aria-label': 'close' }, on: { click: close } }, icon('x'))),
  text && h('p', { class: 'dialog-text', t: text }),
  ...body,
  h('div', { class: 'dialog-actions' }, submitButton));
  const dialog = h('dialog', {
    class: 'dialog',
    attributes: { 'aria-labelledby': id },
    on: {
      close: () => dialog.remove(),
      click: (event) => {
        if (event.target === dialog) close();
      },
    },
  }, form);
  document.body.append(dialog);
  dialog.showModal();
  // The first thing to fill in, rather than the button that closes.
  (/** @type {HTMLElement | null} */ (form.querySelector('.input')) ?? submitButton).focus();
  return dialog;
}

/** Closes what is open: the screen under it is left. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
}

/**
 * Asks what the person is called.
 * @param {{ value: string, verb: Text, done: (name: string) => void, body?: import('./dom.js').Child[], closed?: () => void }} options
 *   `body`: what else the dialog shows, `closed`: it is gone, by whichever way
 */
export function askName({ value, verb, done, body = [], closed }) {
  const name = field({ t: 'name-label', hint: 'name-hint', testid: 'name-input', value, attributes: { autocomplete: 'name' } });
  openDialog({
    title: 'name-title',
    body: [...body, name.element],
    verb,
    verbTestid: 'enter',
    submit: (close) => {
      const problem = nameProblem(name.input.value);
      name.say(problem);
      if (problem) return;
      close();
      closed?.();
      done(name.input.value.trim());
    },
  }).addEventListener('close', () => closed?.());
}

/**
 * Asks for a new room. A name that a room has already leads into that room.
 * @param {(name: string) => boolean} exists
 * @param {(name: string, kind: import('../generated').RoomKind) => void} done
 */
export function askRoom(exists, done) {
  const name = field({ t: 'room-name-label', hint: 'room-name-hint', testid: 'new-room-name' });
  const there = h('p', { class: 'inline-notice accent', testid: 'new-room-exists', attributes: { role: 'status' } });
  const kinds = choice({
    t: 'room-kind-label',
    name: 'room-kind',
    options: [
      { value: 'meeting', icon: 'users-round', t: 'room-kind-meeting', testid: 'kind-meeting', checked: true },
      { value: 'bed', icon: 'bed-double', t: 'room-kind-bed', testid: 'kind-bed' },
    ],
  });
  const dialog = openDialog({
    title: 'room-new-title',
    body: [name.element, kinds.element, there],
    verb: 'room-create',
    verbTestid: 'create-room',
    submit: (close) => {
      const problem = nameProblem(name.input.value);
      name.say(problem);
      if (problem) return;
      close();
      done(name.input.value.trim(), kinds.value() === 'bed' ? 'bed' : 'meeting');
    },
  });
  const verb = dialog.querySelector('[data-testid="create-room"] .button-words');
  const look = () => {
    const known = exists(name.input.value.trim());
    there.replaceChildren(...(known ? [icon('info'), h('span', { t: 'room-exists' })] : []));
    shown(there, known);
    shown(kinds.element, !known);
    if (verb) sayText(verb, known ? 'enter' : 'room-create');
  };
  name.input.addEventListener('input', look);
  look();
}
