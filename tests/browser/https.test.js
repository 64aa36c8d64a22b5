// Control without WebSockets, in real browsers: the relay refuses them, and everything but picture
// and sound works all the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chromium, firefox, PATIENCE, until } from './browsers.js';
import { line, relay } from './harness.js';
import { freePort, NAME, nginx } from './nginx.js';
import { webkit } from './webkit.js';

const LONG = { timeout: 4 * PATIENCE };
/** Any document of the relay's origin; the test brings the scripts. */
const BLANK = '/api/v1/health';

/** Runs in the page: joins, and keeps what happens. */
async function joinHere(name) {
  const { createPlatform } = await import('/platform/browser/index.js');
  const platform = createPlatform();
  const here = { events: [], lobby: null, handle: null };
  globalThis.here = here;
  here.stopLobby = platform.lobby((lobby) => {
    here.lobby = lobby;
  });
  here.handle = platform.join({ room: { by: 'name', name: 'sala', create: 'meeting' }, name, role: 'family', camera: false, microphone: false });
  here.handle.subscribe((event) => here.events.push({ ...event, at: Date.now() }));
  return true;
}

/**
 * A participant in any browser's page.
 * @param {(script: Function, ...args: any[]) => Promise<any>} run
 */
async function joined(name, run) {
  await run(joinHere, name);
  const events = () => run(() => globalThis.here.events);
  const one = {
    name,
    run,
    events,
    event: (what, fits) => until(`${what} at ${name}`, async () => (await events()).find(fits)),
    chat: (text) => run((line) => {
      globalThis.here.handle.chat(line);
      return true;
    }, text),
    lines: async () => (await events()).filter(({ message }) => message?.type === 'chat').map(({ message }) => message.text),
    states: async () => (await events()).filter(({ type }) => type === 'connection').map(({ state }) => state),
    /** How the others see this one, from the first on. */
    seenBy: async (other) => (await other.events()).filter(({ message }) => message?.type === 'member_changed' && message.member.name === name)
      .map(({ message, at }) => ({ connection: message.member.connection, at })),
  };
  await one.event('joining', ({ message }) => message?.type === 'joined');
  return one;
}

async function inPuppeteer({ browser }, at, name) {
  const page = await browser.newPage();
  const problems = [];
  // That a WebSocket is refused, Firefox tells as an error of the page.
  page.on('pageerror', (error) => {
    if (!String(error).includes('establish a connection to the server at wss:')) problems.push(String(error));
  });
  await page.goto(at);
  const one = await joined(name, (script, ...args) => page.evaluate(script, ...args));
  return Object.assign(one, { problems, away: () => page.goto('about:blank') });
}

async function inWebKit(session, at, name) {
  await session._call('POST', '/url', { url: at });
  const one = await joined(name, (script, ...args) => session.run(script, ...args));
  return Object.assign(one, { problems: [], away: () => session._call('POST', '/url', { url: 'about:blank' }) });
}

const BROWSERS = {
  Chromium: async (t) => {
    const chrome = await chromium();
    t.after(chrome.close);
    return (at, name) => inPuppeteer(chrome, at, name);
  },
  Firefox: async (t) => {
    const fox = await firefox();
    t.after(fox.close);
    return (at, name) => inPuppeteer(fox, at, name);
  },
  WebKitGTK: async (t) => {
    const session = await webkit(t);
    return (at, name) => inWebKit(session, at, name);
  },
};

for (const [browser, open] of Object.entries(BROWSERS)) {
  test(`${browser} without WebSockets: joins, writes, comes back, goes`, LONG, async (t) => {
    const host = await relay(t, { config: '[carriers]\nws = false' });
    const wire = await line(t, host.port);
    const chrome = await chromium();
    t.after(chrome.close);
    const ana = await inPuppeteer(chrome, host.url + BLANK, 'Ana');
    const luis = await (await open(t))(`https://127.0.0.1:${wire.port}${BLANK}`, 'Luis');
    await ana.event('Luis', ({ message }) => message?.type === 'member_joined' && message.member.name === 'Luis');
    await until('the list of rooms', () => luis.run(() => globalThis.here.lobby?.state === 'live' && globalThis.here.lobby.rooms[0]?.members === 2));

    await luis.chat('uno');
    await ana.chat('dos');
    for (const one of [ana, luis]) await until(`two lines at ${one.name}`, async () => (await one.lines()).length === 2);

    // Everything that is on the way is cut, twice, and what is said meanwhile arrives once.
    wire.cut();
    await luis.chat('tres');
    await ana.chat('cuatro');
    wire.cut();
    for (const one of [ana, luis]) await until(`four lines at ${one.name}`, async () => (await one.lines()).length === 4);

    // The line is away, and back.
    const before = (await luis.seenBy(ana)).length;
    const cut = Date.now();
    wire.down = true;
    const gone = await until('the loss at Ana', async () => (await luis.seenBy(ana)).slice(before).find(({ connection }) => connection === 'reconnecting'));
    await until('the loss at Luis', async () => (await luis.states()).includes('reconnecting'));
    await luis.chat('cinco');
    await ana.chat('seis');
    wire.down = false;
    await until('the return at Ana', async () => (await luis.seenBy(ana)).pop()?.connection === 'connected');
    await until('the return at Luis', async () => (await luis.states()).pop() === 'connected');
    for (const one of [ana, luis]) {
      await until(`six lines at ${one.name}`, async () => (await one.lines()).length === 6);
      assert.deepEqual((await one.lines()).sort(), ['cinco', 'cuatro', 'dos', 'seis', 'tres', 'uno']);
    }
    assert.deepEqual(await ana.lines(), await luis.lines(), 'in one order');
    assert.ok(!(await ana.events()).some(({ message }) => message?.type === 'member_left'), 'the same member');

    const leaving = Date.now();
    await luis.away();
    const left = await ana.event("Luis's leaving", ({ message }) => message?.type === 'member_left');
    assert.equal(left.message.reason, 'left');
    assert.deepEqual([ana.problems, luis.problems], [[], []]);
    t.diagnostic(`${browser}: reconnecting after ${gone.at - cut} ms, gone after ${left.at - leaving} ms`);
  });
}

test('behind nginx, which buffers and compresses as it does by itself and speaks HTTP/2, nothing is held back', LONG, async (t) => {
  const port = await freePort();
  const host = await relay(t, {
    config: `public_url = "https://${NAME}:${port}"\ntrusted_proxies = ["127.0.0.1/32"]\n[carriers]\nws = false`,
  });
  await nginx(t, [[port, host.port]], {
    ssl: 'ssl http2',
    more: 'gzip on; gzip_min_length 0; gzip_proxied any; gzip_types text/event-stream application/json;',
  });
  const chrome = await chromium({ args: [`--host-resolver-rules=MAP ${NAME} 127.0.0.1`] });
  t.after(chrome.close);
  const at = `https://${NAME}:${port}${BLANK}`;
  const [ana, luis] = [await inPuppeteer(chrome, at, 'Ana'), await inPuppeteer(chrome, at, 'Luis')];
  for (const text of ['uno', 'dos', 'tres']) {
    await ana.chat(text);
    for (const one of [ana, luis]) await until(`${text} at ${one.name}`, async () => (await one.lines()).includes(text));
  }
  const spoken = await luis.run(() => performance.getEntriesByType('resource')
    .filter(({ name }) => name.endsWith('/https/packets')).map(({ nextHopProtocol }) => nextHopProtocol));
  assert.ok(spoken.length > 0 && spoken.every((protocol) => protocol === 'h2'), JSON.stringify(spoken));
  await luis.away();
  const left = await ana.event("Luis's leaving", ({ message }) => message?.type === 'member_left');
  assert.equal(left.message.reason, 'left');
});
