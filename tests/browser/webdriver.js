// A W3C WebDriver client, as small as the tests need it.

/** The property that an element's reference is under (W3C WebDriver §12). */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/**
 * Does one HTTP request: the driver may be in another network namespace than this program.
 * @typedef {(url: string, options: { method: string, body?: string }) => Promise<{ status: number, body: string }>} Request
 */

/** One window of one program under a driver's control. */
export class Session {
  /**
   * @param {Request} request
   * @param {string} base  the driver's address, such as `http://127.0.0.1:4444`
   * @param {object} capabilities
   */
  static async open(request, base, capabilities) {
    const value = await call(request, 'POST', `${base}/session`, { capabilities: { alwaysMatch: capabilities } });
    return new Session(request, `${base}/session/${value.sessionId}`);
  }

  /** Takes what {@link Session.open} made. */
  constructor(request, base) {
    this._request = request;
    this._base = base;
  }

  /** @returns {Promise<any>} */
  _call(method, path, body) {
    return call(this._request, method, this._base + path, body);
  }

  /**
   * Runs a function in the page; what it returns must be JSON.
   * @param {Function} script
   * @param {...any} args
   */
  run(script, ...args) {
    return this._call('POST', '/execute/sync', { script: `return (${script}).apply(null, arguments)`, args });
  }

  /** The elements that a CSS selector finds. */
  async all(selector) {
    const found = await this._call('POST', '/elements', { using: 'css selector', value: selector });
    return found.map((element) => element[ELEMENT]);
  }

  /** Waits for the first element that a selector finds and that is displayed. */
  find(selector, seconds = 15) {
    return until(`${selector} to be displayed`, seconds, async () => {
      for (const element of await this.all(selector)) {
        if (await this._call('GET', `/element/${element}/displayed`)) return element;
      }
      return null;
    });
  }

  /**
   * Clicks what a selector finds, as a person would: once it is there, stands still, and nothing
   * covers it: the driver measures first and clicks then, wherever the element is by then.
   */
  click(selector, seconds = 15) {
    let stood = '';
    return until(`${selector} to be free`, seconds, async () => {
      const element = await this.find(selector, seconds);
      try {
        const { x, y, width, height } = await this._call('GET', `/element/${element}/rect`);
        const stands = [x, y, width, height].join(' ');
        const moves = stands !== stood;
        stood = stands;
        if (moves) return false;
        await this._call('POST', `/element/${element}/click`, {});
        return true;
      } catch (error) {
        // Something is still moving out of the way, or the page drew it anew, or hasn't shown it yet.
        if (error.code === 'element not interactable') {
          // Or it stands below the edge of what scrolls.
          await this.run((css) => document.querySelector(css)?.scrollIntoView({ block: 'center' }), selector);
          return false;
        }
        if (error.code === 'element click intercepted' || error.code === 'stale element reference') return false;
        throw error;
      }
    });
  }

  /** Types into what a selector finds, instead of what stands there. */
  async type(selector, text) {
    const element = await this.find(selector);
    await this._call('POST', `/element/${element}/clear`, {});
    await this._call('POST', `/element/${element}/value`, { text });
  }

  /** The text that a person reads in the first element that a selector finds. */
  async text(selector) {
    const element = await this.find(selector);
    return this._call('GET', `/element/${element}/text`);
  }

  /** Waits until `script` returns something true in the page, and gives that. */
  wait(what, script, args = [], seconds = 15) {
    return until(what, seconds, () => this.run(script, ...args));
  }

  /** Closes the window, and with it the program. */
  close() {
    return this._call('DELETE', '');
  }
}

/**
 * Waits until `condition` gives something true. A deadline only: nothing passes by being early.
 * @template T
 * @param {string} what  what is waited for, for the error
 * @param {number} seconds
 * @param {() => T | Promise<T>} condition
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, seconds, condition) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function call(request, method, url, body) {
  const answer = await request(url, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  const { value } = JSON.parse(answer.body);
  if (answer.status === 200) return value;
  throw Object.assign(new Error(`${method} ${url}: ${value.error}: ${value.message}`), { code: value.error });
}
