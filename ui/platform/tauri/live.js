// A value that Rust keeps up to date, for any number of listeners.

import { channel, invoke } from './ipc.js';

/** @template T */
export class Live {
  /** @param {string} command  the command that takes a channel `on` and tells each new value */
  constructor(command) {
    this._command = command;
    /** @type {Set<(value: T) => void>} */
    this._listeners = new Set();
    this._subscribed = false;
    /** @type {{ value: T } | null} */
    this._last = null;
  }

  /**
   * Calls `on` with the value as it is, as soon as it is known, and with each new one.
   * @param {(value: T) => void} on
   * @returns {() => void} ends it
   */
  watch(on) {
    this._listeners.add(on);
    if (this._last) on(this._last.value);
    if (!this._subscribed) {
      this._subscribed = true;
      // Once is enough: the subscription lives as long as the page.
      invoke(this._command, { on: channel((value) => this._tell(value)) }).catch((error) => {
        this._subscribed = false;
        console.error(this._command, error);
      });
    }
    return () => this._listeners.delete(on);
  }

  /** @param {T} value */
  _tell(value) {
    this._last = { value };
    for (const on of [...this._listeners]) on(value);
  }
}
