// What the list of rooms says of a host that is gone: that it ended, or only that nothing comes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

/** @type {any} */
const world = globalThis;
/** @type {any[]} */
const sockets = [];

world.document = Object.assign(new EventTarget(), { hidden: false });
world.addEventListener = () => {};
world.removeEventListener = () => {};
world.WebSocket = class {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    this.onmessage = null;
    this.onclose = null;
    sockets.push(this);
  }
  close() {}
};
const { lobby } = await import('../../ui/platform/browser/lobby.js');
const { Ways } = await import('../../ui/platform/browser/ways.js');
const { Lobby } = await import('../../ui/platform/tauri/lobby.js');

const ROOMS = { type: 'rooms', rooms: [], now_ms: 7 };

/** A browser's list, after a relay that spoke closed with this code. @param {number} code */
function browserAfter(code) {
  /** @type {any[]} */
  const seen = [];
  const stop = lobby({ ws: 'ws://a/lobby', https: 'http://a/rooms', health: 'http://a/health' }, new Ways(), (state) => seen.push(state));
  const socket = sockets.at(-1);
  socket.onmessage({ data: JSON.stringify(ROOMS) });
  socket.onclose({ code });
  return { seen, stop };
}

test('in a browser a host that says goodbye has ended', () => {
  const { seen, stop } = browserAfter(1001);
  assert.deepEqual(seen.map(({ state, ended }) => [state, ended]), [['connecting', undefined], ['live', undefined], ['lost', true]]);
  stop();
});

test('in a browser a line that breaks is only lost', () => {
  const { seen, stop } = browserAfter(1006);
  assert.deepEqual([seen.at(-1).state, seen.at(-1).ended], ['lost', undefined]);
  stop();
});

/** The app's list, after a relay that spoke told this last. @param {unknown} last @returns {Promise<any>} */
async function appAfter(last) {
  /** @type {(message: any) => void} */
  let say = () => {};
  world.window = {
    __TAURI__: { core: {
      Channel: class {
        constructor() {
          this.onmessage = () => {};
        }
      },
      invoke: async (/** @type {string} */ command, /** @type {any} */ given) => {
        if (command === 'plugin:websocket|connect') say = (message) => given.onMessage.onmessage(message);
        return command === 'relay_problem' ? 'unreachable' : 1;
      },
    } },
  };
  /** @type {any[]} */
  const seen = [];
  const relay = { watch: (/** @type {(relay: any) => void} */ on) => (on({ url: 'https://a', lobby: 'wss://a/lobby', fingerprint: 'f', ward: 'w' }), () => {}) };
  const stop = new Lobby(/** @type {any} */ (relay)).watch((state) => seen.push(state));
  await new Promise((done) => setImmediate(done));
  say({ type: 'Text', data: JSON.stringify(ROOMS) });
  say(last);
  while (seen.at(-1).state !== 'lost') await new Promise((done) => setImmediate(done));
  stop();
  return seen.at(-1);
}

test('in the app a host that says goodbye has ended', async () => {
  assert.equal((await appAfter({ type: 'Close', data: { code: 1001, reason: '' } })).ended, true);
});

test('in the app a line that breaks is only lost', async () => {
  assert.equal((await appAfter(null)).ended, undefined);
  assert.equal((await appAfter({ type: 'Close', data: null })).ended, undefined);
  assert.equal((await appAfter('connection reset')).ended, undefined);
});
