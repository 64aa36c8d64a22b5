// The call by keyboard: one key for each thing that is done often. Never while somebody writes,
// and not at all for who switches them off, since a program that speaks for them presses keys too.
import { recall, remember } from './storage.js';

/** @typedef {'camera' | 'chat' | 'people' | 'full' | 'self' | 'menu'} KeyAction */

/** Which key does what; M is kept for the microphone. @type {readonly [key: string, action: KeyAction][]} */
export const KEYS = [['V', 'camera'], ['C', 'chat'], ['P', 'people'], ['F', 'full'], ['H', 'self'], ['A', 'menu']];

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
 * @returns {() => void} ends it
 */
export function listenToKeys(act, steer, escape) {
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
    const found = KEYS.find(([key]) => key === event.key.toUpperCase());
    if (!found) return;
    event.preventDefault();
    act(found[1]);
  };
  document.addEventListener('keydown', pressed);
  return () => document.removeEventListener('keydown', pressed);
}
