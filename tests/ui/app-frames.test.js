// Whom the app's page asks Rust to show: nobody, once nobody can see it.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { UNSEEN_MS } from '../../ui/platform/browser/sight.js';
import { Frames } from '../../ui/platform/tauri/frames.js';

/** The page's document, as far as it is asked. */
class Page extends EventTarget {
  hidden = false;

  /** @param {boolean} hidden */
  turn(hidden) {
    this.hidden = hidden;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

/** Rust's end of the socket: keeps what it is told. */
class Socket {
  static told = /** @type {any[]} */ ([]);

  constructor() {
    queueMicrotask(() => /** @type {any} */ (this).onopen());
  }

  /** @param {string} text */
  send(text) {
    if (text.startsWith('{')) Socket.told.push(JSON.parse(text));
  }
}

const SIZE = { width: 640, height: 360 };
/** @type {Page} */
let page;

/** Frames that show Ana, who is member 4. */
async function showing() {
  const frames = new Frames(Promise.resolve({ port: 1, token: 'x' }), () => {});
  await new Promise((resolve) => setImmediate(resolve));
  frames.show(4, /** @type {any} */ ({}), SIZE);
  return frames;
}

/** What was told since this was asked last. */
const told = () => Socket.told.splice(0).map(({ type, member }) => `${type} ${member}`);

beforeEach(() => {
  page = new Page();
  Object.assign(globalThis, { document: page, WebSocket: Socket });
  mock.timers.enable({ apis: ['setTimeout'] });
  Socket.told = [];
});

afterEach(() => mock.timers.reset());

test('a page that goes out of sight asks for nothing after a while, and for all at once when it is seen', async () => {
  let now = 1000;
  mock.method(performance, 'now', () => now);
  await showing();
  assert.deepEqual(told(), ['show 4']);
  const pass = (/** @type {number} */ ms) => {
    now += ms;
    mock.timers.tick(ms);
  };

  page.turn(true);
  pass(UNSEEN_MS - 1);
  assert.deepEqual(told(), [], 'a glance elsewhere costs no key frame');
  pass(1);
  assert.deepEqual(told(), ['hide 4']);
  page.turn(false);
  pass(0);
  assert.deepEqual(told(), ['show 4']);

  page.turn(true);
  pass(UNSEEN_MS - 1);
  page.turn(false);
  pass(UNSEEN_MS);
  assert.deepEqual(told(), ['show 4'], 'it came back before');
});

test('what is laid out while nobody sees it is asked for when somebody does', async () => {
  page.hidden = true;
  await showing();
  assert.deepEqual(told(), ['hide 4']);
  page.turn(false);
  mock.timers.tick(0);
  assert.deepEqual(told(), ['show 4']);
});
