// Dialogs: one at a time, closed by its button, by Escape or by a touch beside it.
import { h, icon } from './dom.js';
import { button, field, nameProblem } from './parts.js';

/** @typedef {import('./dom.js').Text} Text */

/**
 * Opens a dialog with a form in it.
 * @param {{
 *   title: Text, text?: Text, body?: import('./dom.js').Child[], verb: Text, verbTestid: string,
 *   kind?: 'primary' | 'danger', submit: (close: () => void, verb: HTMLButtonElement) => void,
 * }} options
 * @returns {HTMLDialogElement}
 */
export function openDialog({ title, text, body = [], verb, verbTestid, kind = 'primary', submit }) {
  const submitButton = button({ kind, t: verb, testid: verbTestid, submit: true, class: 'wide' });
  const close = () => dialog.close();
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
    h('h2', { class: 'dialog-title', t: title, attributes: { id: 'dialog-title' } }),
    h('button', { class: 'icon-button', testid: 'dialog-close', attributes: { type: 'button' }, said: { 'aria-label': 'close' }, on: { click: close } }, icon('x'))),
  text && h('p', { class: 'dialog-text', t: text }),
  ...body,
  h('div', { class: 'dialog-actions' }, submitButton));
  const dialog = h('dialog', {
    class: 'dialog',
    attributes: { 'aria-labelledby': 'dialog-title' },
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
  (form.querySelector('input') ?? submitButton).focus();
  return dialog;
}

/** Closes what is open: the screen under it is left. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
}

/**
 * Asks what the person is called.
 * @param {{ value: string, verb: Text, done: (name: string) => void }} options
 */
export function askName({ value, verb, done }) {
  const name = field({ t: 'name-label', hint: 'name-hint', testid: 'name-input', value, attributes: { autocomplete: 'name' } });
  openDialog({
    title: 'name-title',
    body: [name.element],
    verb,
    verbTestid: 'enter',
    submit: (close) => {
      const problem = nameProblem(name.input.value);
      name.say(problem);
      if (problem) return;
      close();
      done(name.input.value.trim());
    },
  });
}

/**
 * Asks for a new room.
 * @param {(name: string, kind: import('../generated').RoomKind) => void} done
 */
export function askRoom(done) {
  const name = field({ t: 'room-name-label', hint: 'room-name-hint', testid: 'new-room-name' });
  const kinds = h('fieldset', { class: 'choice' },
    h('legend', { class: 'field-label', t: 'room-kind-label' }),
    h('div', { class: 'choice-row' }, kind('meeting', 'users-round', true), kind('bed', 'bed-double', false)));
  openDialog({
    title: 'room-new-title',
    body: [name.element, kinds],
    verb: 'room-create',
    verbTestid: 'create-room',
    submit: (close) => {
      const problem = nameProblem(name.input.value);
      name.say(problem);
      if (problem) return;
      const chosen = kinds.querySelector('input:checked');
      close();
      done(name.input.value.trim(), chosen instanceof HTMLInputElement && chosen.value === 'bed' ? 'bed' : 'meeting');
    },
  });
}

/** @param {'meeting' | 'bed'} value @param {import('./dom.js').IconName} name @param {boolean} checked */
function kind(value, name, checked) {
  return h('label', { class: 'choice-option' },
    h('input', { testid: `kind-${value}`, attributes: { type: 'radio', name: 'room-kind', value, checked } }),
    h('span', { class: 'choice-face' }, icon(name), h('span', { t: `room-kind-${value}` })));
}
