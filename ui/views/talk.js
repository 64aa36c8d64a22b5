// Push-to-talk: the microphone is open as long as its button or its key is held. A setting, off at
// first; it is kept on this device.
import { recall, remember } from './storage.js';

/** Keys that press a button. */
const PRESS = ['Enter', ' '];

/** Whether one is heard only while something is held. */
export function holdsToTalk() {
  return recall('hold-to-talk') === 'on';
}

/** @param {boolean} on */
export function switchHold(on) {
  remember('hold-to-talk', on ? 'on' : 'off');
}

/**
 * The microphone's button and key: pressed once, or held, as it is set.
 * @param {HTMLElement} button
 * @param {{ toggle: () => void, talk: (on: boolean) => void, holds: () => boolean }} options
 *   `holds`: whether it is set so, for this person
 */
export function microphoneButton(button, { toggle, talk, holds }) {
  /** What is held now. @type {Set<string>} */
  const held = new Set();
  let byKey = false;

  /** @param {string} what */
  const press = (what) => {
    if (!holds() || held.has(what)) return;
    held.add(what);
    if (held.size === 1) talk(true);
  };
  /** @param {string} what */
  const release = (what) => {
    if (held.delete(what) && !held.size) talk(false);
  };
  const releaseAll = () => {
    for (const what of [...held]) release(what);
  };

  button.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !holds()) return;
    // A finger that slides off the button is still held down.
    button.setPointerCapture(event.pointerId);
    press('pointer');
  });
  for (const over of ['pointerup', 'pointercancel', 'lostpointercapture']) button.addEventListener(over, () => release('pointer'));
  button.addEventListener('keydown', (event) => {
    if (!PRESS.includes(event.key) || !holds()) return;
    byKey = true;
    press('button');
  });
  button.addEventListener('keyup', (event) => {
    if (PRESS.includes(event.key)) release('button');
  });
  button.addEventListener('blur', () => release('button'));
  // A long touch would open a menu over what is held.
  button.addEventListener('contextmenu', (event) => {
    if (holds()) event.preventDefault();
  });
  button.addEventListener('click', (event) => {
    // What was held was heard already. Who can't hold, because a program presses for them, toggles.
    const wasHeld = event.detail > 0 || byKey;
    byKey = false;
    if (!holds() || !wasHeld) toggle();
  });
  // A key's or a finger's end isn't told to a page that was left.
  const left = () => {
    if (document.visibilityState === 'hidden') releaseAll();
  };
  window.addEventListener('blur', releaseAll);
  document.addEventListener('visibilitychange', left);
  return {
    /** The key on the keyboard went down. */
    pressed: () => (holds() ? press('key') : toggle()),
    released: () => release('key'),
    held: () => held.size > 0,
    destroy() {
      releaseAll();
      window.removeEventListener('blur', releaseAll);
      document.removeEventListener('visibilitychange', left);
    },
  };
}
