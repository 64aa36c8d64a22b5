// Links and QR codes that lead to a host. Rust reads them; the page asks the person.

import { channel, invoke } from './ipc.js';

/** @typedef {import('../types').OpenedLink} OpenedLink */

/** Links that the system opens the app with. One that nobody takes yet waits: the last one counts. */
export class Links {
  constructor() {
    /** @type {((opened: OpenedLink) => void) | null} */
    this._on = null;
    /** @type {OpenedLink | null} */
    this._waiting = null;
    this._subscribed = false;
  }

  /**
   * @param {(opened: OpenedLink) => void} on
   * @returns {() => void} ends it
   */
  watch(on) {
    this._on = on;
    if (!this._subscribed) {
      this._subscribed = true;
      invoke('watch_links', { on: channel((opened) => this._tell(opened)) }).catch((error) => {
        this._subscribed = false;
        console.error('watch_links', error);
      });
    }
    const waiting = this._waiting;
    this._waiting = null;
    // Not before the screen stands that takes it.
    if (waiting) queueMicrotask(() => this._tell(waiting));
    return () => {
      if (this._on === on) this._on = null;
    };
  }

  /** @param {OpenedLink} opened */
  _tell(opened) {
    if (this._on) this._on(opened);
    else this._waiting = opened;
  }
}

/**
 * Looks for QR codes in the preview's picture.
 * @param {(opened: OpenedLink) => void} on
 * @returns {() => void} ends it
 */
export function scan(on) {
  let over = false;
  invoke('scan', {
    on: channel((opened) => {
      if (!over) on(opened);
    }),
  }).catch((error) => console.error('scan', error));
  return () => {
    if (over) return;
    over = true;
    invoke('scan_stop').catch((error) => console.error('scan_stop', error));
  };
}
