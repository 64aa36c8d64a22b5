// The call by keyboard: one key for each thing that is done often. Never while somebody writes,
// and not at all for who switches them off, since a program that speaks for them presses keys too.
import { recall, remember } from './storage.js';

/** @typedef {'microphone' | 'camera' | 'chat' | 'people' | 'full' | 'self' | 'menu'} KeyAction */

/** Which key does what. @type {readonly [key: string, action: KeyAction][]} */
export const KEYS = [['M', 'microphone'], ['V', 'camera'], ['C', 'chat'], ['P', 'people'], ['F', 'full'], ['H', 'self'], ['A', 'menu']];

/** Where keys write, choose or scroll. */
const BUSY = 'input, textarea, select, [contenteditable], dialog, [role="dialog"], .panel';

export function keysOn() {
  return recall('keys') !== 'off';
}

/** @param {boolean} on */
export function switchKeys(on) {
  remember('keys', on ? 'on' : 'off');
}

/**
 * @param {(action: KeyAction) => void} act
 * @param {(key: string) => boolean} steer what an arrow key moves; whether it did
 * @param {() => boolean} escape whether there was something to close
 * @param {(action: KeyAction) => void} over the key isn't held any more, wherever that happened
 * @returns {() => void} ends it
 */
export function listenToKeys(act, steer, escape, over) {
  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.key === 'Escape') {
      if (!document.querySelector('dialog[open]') && escape()) event.preventDefault();
      return;
    }
    if (target.closest(BUSY)) return;
    if (event.key.startsWith('Arrow')) {
      if (steer(event.key)) event.preventDefault();
      return;
    }
    if (event.repeat || !keysOn()) return;
    const found = actionOf(event);
    if (!found) return;
    event.preventDefault();
    act(found);
  };
  /** @param {KeyboardEvent} event */
  const released = (event) => {
    const found = actionOf(event);
    if (found) over(found);
  };
  document.addEventListener('keydown', pressed);
  document.addEventListener('keyup', released);
  return () => {
    document.removeEventListener('keydown', pressed);
    document.removeEventListener('keyup', released);
  };
}

/** @param {KeyboardEvent} event */
function actionOf(event) {
  return KEYS.find(([key]) => key === event.key.toUpperCase())?.[1] ?? null;
}
