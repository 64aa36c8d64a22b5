// The `https` carrier's connection: control over plain requests, with a WebSocket's face. Packets go
// out by POST, one request after the other, and come in over one streamed answer. `EventSource`
// can't show a token in a header, and a token has no place in an address; so the stream is a
// fetch.

import { Events } from '../../protocol/events.js';
import { BackOff } from './back-off.js';

/** Packets that go out together, at most, in characters: far below what the relay takes. */
const TOGETHER = 32 * 1024;
/** Milliseconds for the relay to answer a request: it lets one who speaks too fast wait. */
const ANSWER = 10_000;
/** Statuses after which the same request may do: the relay or a proxy before it is busy. */
const PASSING = new Set([429, 502, 503, 504]);
/** How a WebSocket is closed that goes away without a word. */
const ABNORMAL = 1006;

export class HttpsSocket {
  /** Opens at once, in the way of a WebSocket. @param {string} url */
  constructor(url) {
    this._url = url;
    /** @type {number} */
    this.readyState = WebSocket.OPEN;
    /** Nothing waits below this: what is sent is small. */
    this.bufferedAmount = 0;
    /** @type {(() => void) | null} */
    this.onopen = null;
    /** @type {((event: { data: string }) => void) | null} */
    this.onmessage = null;
    /** @type {((event: { code: number }) => void) | null} */
    this.onclose = null;
    /** Something came, a word or not. @type {(() => void) | null} */
    this.onlife = null;
    this._over = new AbortController();
    this._token = '';
    /** The number of the last message that came. */
    this._last = '';
    /** @type {string[]} */
    this._queue = [];
    this._posting = false;
    queueMicrotask(() => this.onopen?.());
  }

  /** @param {string | ArrayBufferView} packet */
  send(packet) {
    if (typeof packet !== 'string') throw new TypeError('this carrier has no media of its own');
    if (this._over.signal.aborted) return;
    this._queue.push(packet);
    this._pump();
  }

  /**
   * Ends it. A normal end is told to the relay, even while the page goes away.
   * @param {number} code
   */
  close(code) {
    if (this._over.signal.aborted) return;
    this._over.abort();
    this.readyState = WebSocket.CLOSED;
    if (code === 1000 && this._token) {
      fetch(this._url, { ...this._common(), method: 'DELETE', keepalive: true }).catch(() => {});
    }
  }

  /** @returns {RequestInit} */
  _common() {
    return { cache: 'no-store', credentials: 'omit', headers: { Authorization: `Bearer ${this._token}` } };
  }

  /** @param {number} [code] */
  _closed(code = ABNORMAL) {
    if (this._over.signal.aborted) return;
    this._over.abort();
    this.readyState = WebSocket.CLOSED;
    this.onclose?.({ code });
  }

  async _pump() {
    if (this._posting) return;
    this._posting = true;
    try {
      while (this._queue.length > 0 && !this._over.signal.aborted) {
        if (this._token === '') await this._hello(/** @type {string} */ (this._queue.shift()));
        else await this._post();
      }
    } finally {
      this._posting = false;
    }
  }

  /** @param {string} packet */
  async _hello(packet) {
    try {
      const answer = await this._ask('', { ...this._common(), headers: {}, method: 'POST', body: packet });
      const said = await answer.json();
      if (answer.ok) {
        this._token = String(said.token);
        this._listen();
        this.onmessage?.({ data: JSON.stringify(said.welcome) });
        return;
      }
      this.onmessage?.({ data: JSON.stringify({ type: 'refused', code: said.error.code }) });
    } catch {
      // No relay, or something before it that speaks otherwise.
    }
    this._closed();
  }

  /** Sends what waits, as often as it takes: what the relay has already, it leaves. */
  async _post() {
    let count = 1;
    for (let size = this._queue[0].length; count < this._queue.length; count += 1) {
      size += this._queue[count].length + 1;
      if (size > TOGETHER) break;
    }
    const body = this._queue.slice(0, count).join('\n');
    const backOff = new BackOff();
    for (;;) {
      let status = 0;
      try {
        ({ status } = await this._ask('/packets', { ...this._common(), method: 'POST', body }));
      } catch {
        // The line: again.
      }
      if (this._over.signal.aborted) return;
      if (status >= 200 && status < 300) break;
      // Why it is refused, the stream says.
      if (status !== 0 && !PASSING.has(status)) return void this._refused();
      await new Promise((resolve) => setTimeout(resolve, backOff.next()));
    }
    this._queue.splice(0, count);
  }

  /** No more is taken: what the stream still says is waited for, but not for long. */
  _refused() {
    this._queue = [];
    setTimeout(() => this._closed(), 1000);
  }

  async _listen() {
    const backOff = new BackOff();
    while (!this._over.signal.aborted) {
      try {
        const common = this._common();
        const headers = this._last ? { ...common.headers, 'Last-Event-ID': this._last } : common.headers;
        const answer = await fetch(`${this._url}/events`, { ...common, headers, signal: this._over.signal });
        if (answer.ok && answer.body) {
          backOff.reset();
          await this._read(answer.body);
        } else if (!PASSING.has(answer.status)) {
          return this._closed();
        }
      } catch {
        // The line: again, from where it was.
      }
      if (!this._over.signal.aborted) await new Promise((resolve) => setTimeout(resolve, backOff.next()));
    }
    return undefined;
  }

  /** @param {ReadableStream<Uint8Array>} body */
  async _read(body) {
    const events = new Events();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (this._over.signal.aborted) return;
      this.onlife?.();
      for (const event of events.push(decoder.decode(value, { stream: true }))) {
        if (event.name === 'end') return this._closed(Number(event.data) || ABNORMAL);
        if (event.id) this._last = event.id;
        this.onmessage?.({ data: event.data });
        if (this._over.signal.aborted) return;
      }
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit} options
   */
  async _ask(path, options) {
    const patience = new AbortController();
    const give = () => patience.abort();
    const timer = setTimeout(give, ANSWER);
    this._over.signal.addEventListener('abort', give);
    try {
      const answer = await fetch(this._url + path, { ...options, signal: patience.signal });
      // All of it, so that the connection can be used again.
      const text = await answer.text();
      return { ok: answer.ok, status: answer.status, json: () => JSON.parse(text) };
    } finally {
      clearTimeout(timer);
      this._over.signal.removeEventListener('abort', give);
    }
  }
}
