// The list of rooms asked for now and then, with a WebSocket's face, where WebSockets are refused.

/** Milliseconds between two lists, while somebody looks. */
const EVERY = 2000;
/** Milliseconds for the relay to answer. */
const ANSWER = 5000;
/** How a WebSocket is closed that goes away without a word. */
const ABNORMAL = 1006;

export class Rooms {
  /** @param {string} url */
  constructor(url) {
    this._url = url;
    /** @type {((event: { data: string }) => void) | null} */
    this.onmessage = null;
    /** @type {((event: { code: number }) => void) | null} */
    this.onclose = null;
    this._over = new AbortController();
    this._ask();
  }

  close() {
    this._over.abort();
  }

  async _ask() {
    while (!this._over.signal.aborted) {
      const timer = setTimeout(() => this._closed(ABNORMAL), ANSWER);
      try {
        const answer = await fetch(this._url, { cache: 'no-store', credentials: 'omit', signal: this._over.signal });
        const list = await answer.json();
        clearTimeout(timer);
        if (!answer.ok) return this._closed(ABNORMAL);
        // As the lobby's socket says it.
        this.onmessage?.({ data: JSON.stringify({ type: 'rooms', ...list }) });
      } catch {
        clearTimeout(timer);
        return this._closed(ABNORMAL);
      }
      await this._pause();
    }
    return undefined;
  }

  /** Until the next list is due and somebody looks. */
  async _pause() {
    do {
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    } while (document.hidden && !this._over.signal.aborted);
  }

  /** @param {number} code */
  _closed(code) {
    if (this._over.signal.aborted) return;
    this._over.abort();
    this.onclose?.({ code });
  }
}
