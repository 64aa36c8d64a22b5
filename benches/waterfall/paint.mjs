// The rest of a picture's way, which `main.rs` ends at the decoded picture: painted in a browser's
// page, and in the app's own window. A sender and a relay run as in `main.rs`; the whole is read
// from the marker in the painted canvas, on the clock that the sender drew it by.
// `scripts/bench waterfall` starts it: node benches/waterfall/paint.mjs --built DIR [--seconds S]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { Lan, whyNot } from '../../tests/browser/app-lan.js';
import { Person, browserPage } from '../../tests/browser/app-person.js';
import { openApp } from '../../tests/browser/app-window.js';
import { chromium } from '../../tests/browser/browsers.js';

const { values } = parseArgs({ options: { built: { type: 'string' }, seconds: { type: 'string', default: '30' } } });
const built = resolve(values.built ?? 'target/release');
const seconds = Number(values.seconds);
/** Pictures at the start that don't count. */
const SETTLE = 60;

const reader = readFileSync(new URL('../../tests/browser/marker.js', import.meta.url), 'utf8').replace(/^export /gm, '');

/**
 * Runs in the page: its clock, and where stamps go, by the time of capture. Its `Date.now` is the
 * system's clock in whole milliseconds; `performance` ticks finer and may be off by a constant.
 */
function prepare(read) {
  const fine = () => performance.timeOrigin + performance.now();
  const offs = [];
  for (let edge = 0, last = Date.now(); edge < 20;) {
    const now = Date.now();
    if (now === last) continue;
    last = now;
    edge += 1;
    offs.push(now - fine());
  }
  offs.sort((a, b) => a - b);
  const off = offs[offs.length / 2];
  const way = { stamps: {}, painted: [], unreadable: 0, off };
  globalThis.way = way;
  const now = () => fine() + off;
  way.stamp = (at, station) => {
    (way.stamps[at] ??= {})[station] = now();
  };
  /** What stands on the canvas now, read from its pixels: only the rows with the marker. */
  way.paintedOn = (canvas, context) => {
    const rows = Math.ceil(canvas.height / 4);
    const { data } = context.getImageData(0, 0, canvas.width, rows);
    const mark = read({ width: canvas.width, height: canvas.height, data });
    if (!mark) {
      way.unreadable += 1;
      return;
    }
    if (way.stamps[mark.time]?.painted) return;
    way.stamp(mark.time, 'painted');
  };
}

/** The same with the marker's reader in it, as text: the app's page evaluates none by itself. */
const prepared = `function () { ${reader}\n(${prepare})(read); }`;

/** Runs in a browser's page before its scripts: stamps at the socket, the decoder and the canvas. */
function hookBrowser() {
  const { way } = globalThis;
  const Socket = WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (!(data instanceof ArrayBuffer) || data.byteLength < 25) return;
        way.stamp(Number(new DataView(data).getBigUint64(12)), 'arrived');
      });
    }
  };
  const Decoder = VideoDecoder;
  globalThis.VideoDecoder = class extends Decoder {
    constructor({ output, error }) {
      super({
        output: (frame) => {
          way.stamp(frame.timestamp, 'decoded');
          output(frame);
        },
        error,
      });
    }

    decode(chunk) {
      way.stamp(chunk.timestamp, 'decoding');
      super.decode(chunk);
    }
  };
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function drawn(image, ...given) {
    draw.call(this, image, ...given);
    if (image instanceof VideoFrame) way.paintedOn(this.canvas, this);
  };
}

/** Runs in the app's page: stamps where Rust's picture comes, and on the canvas. */
function hookApp() {
  const { way } = globalThis;
  const put = CanvasRenderingContext2D.prototype.putImageData;
  let taken = null;
  // The header's time is read by the page's own code, with this call, before it paints.
  const { getUint16 } = DataView.prototype;
  DataView.prototype.getUint16 = function got(offset, little) {
    if (offset === 8 && this.byteLength > 24) {
      taken = Number(this.getBigUint64(16));
      way.stamp(taken, 'arrived');
    }
    return getUint16.call(this, offset, little);
  };
  CanvasRenderingContext2D.prototype.putImageData = function painted(...given) {
    put.apply(this, given);
    way.paintedOn(this.canvas, this);
  };
}

/** A relay and a sender; `end()` answers when each picture was where. */
async function sender(machine) {
  const folder = mkdtempSync(join(tmpdir(), 'visita-paint-'));
  const file = join(folder, 'stamps');
  const program = join(built, 'examples/waterfall');
  const options = { stdio: ['pipe', 'pipe', 'inherit'] };
  const child = machine ? machine.spawn(program, ['--for-pages', file], options) : spawn(program, ['--for-pages', file], options);
  const ended = new Promise((done) => {
    child.once('exit', done);
  });
  const first = await new Promise((done, fail) => {
    createInterface({ input: child.stdout }).once('line', done);
    child.once('exit', (code) => fail(new Error(`the sender ended with ${code}`)));
  });
  return {
    ...JSON.parse(first),
    async end() {
      child.stdin.end();
      await ended;
      const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
      rmSync(folder, { recursive: true });
      return lines;
    },
    kill: () => child.kill('SIGKILL'),
  };
}

const pause = () => new Promise((done) => {
  setTimeout(done, seconds * 1000);
});

async function inBrowser() {
  const from = await sender(null);
  const chrome = await chromium({ device: false });
  try {
    const page = await chrome.browser.newPage();
    await page.setViewport({ width: 1280, height: 800 });
    await page.evaluateOnNewDocument(`(${prepared})(); (${hookBrowser})();`);
    await page.goto(`${from.url}/`);
    const person = new Person('page', browserPage(page));
    await person.click('room-enter');
    await person.type('name-input', 'Bench');
    await person.click('enter');
    await person.sees(1);
    await pause();
    const way = await page.evaluate(() => ({ stamps: globalThis.way.stamps, unreadable: globalThis.way.unreadable, off: globalThis.way.off }));
    await chrome.close();
    return { from, way, out: await from.end(), log: '' };
  } catch (error) {
    await chrome.close();
    from.kill();
    throw error;
  }
}

async function inWindow() {
  const lan = new Lan(['a']);
  const cleaning = [() => lan.remove()];
  const t = { after: (last) => cleaning.push(last) };
  const state = mkdtempSync(join(tmpdir(), 'visita-paint-'));
  cleaning.push(() => rmSync(state, { recursive: true, force: true, maxRetries: 5 }));
  try {
    const machine = lan.machine('a');
    const from = await sender(machine);
    let log = '';
    const app = await openApp(t, {
      machine, binary: join(built, 'visita'), state,
      env: { VISITA_DATA: join(state, 'visita'), VISITA_CAMERA: 'none', VISITA_LOG: 'warn,visita::way=trace', NO_COLOR: '1', VISITA_TEST_LOGS: '' },
      heard: (text) => {
        log += text;
      },
    });
    const person = new Person('window', app.session);
    await person.click('connect-other');
    await person.type('address-input', from.url);
    await person.click('connect');
    await person.reads('room-row', 'Bench');
    await app.session.run(prepared);
    await app.session.run(hookApp);
    await person.click('room-enter');
    await person.type('name-input', 'Bench');
    await person.click('enter');
    await person.sees(1);
    await pause();
    const way = await app.session.run(() => ({ stamps: globalThis.way.stamps, unreadable: globalThis.way.unreadable, off: globalThis.way.off }));
    const out = await from.end();
    return { from, way, out, log };
  } finally {
    for (const last of cleaning.reverse()) await last();
  }
}

/** Percentile of numbers, sorted here. */
const at = (numbers, share) => numbers[Math.min(numbers.length - 1, Math.floor(share * numbers.length))];
const sorted = (numbers) => numbers.slice().sort((a, b) => a - b);

/**
 * A table as `main.rs` prints it. `rows`: a name and the two stations between which it lies.
 * @param {string} title
 */
function print(title, ways, rows, note) {
  const whole = sorted(ways.map((way) => way.painted - way.source));
  const scale = Math.max(0.001, at(whole, 0.5));
  let begin = 0;
  console.log(`\n**${title}**\n`);
  console.log('| part | p50 ms | p95 ms | p99 ms | |\n| --- | ---: | ---: | ---: | --- |');
  for (const [name, from, to] of rows) {
    const part = sorted(ways.map((way) => way[to] - way[from]).filter((ms) => Number.isFinite(ms)));
    if (part.length === 0) throw new Error(`nothing between ${from} and ${to}`);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => at(part, share));
    const cells = (ms) => Math.max(0, Math.round((ms / scale) * 40));
    console.log(`| ${name} | ${p50.toFixed(2)} | ${p95.toFixed(2)} | ${p99.toFixed(2)} | \`${'·'.repeat(cells(begin))}${'█'.repeat(Math.max(1, cells(p50)))}\` |`);
    begin += Math.max(0, p50);
  }
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => at(whole, share).toFixed(2));
  console.log(`| **from source to painted pixels, read from the canvas** | **${p50}** | **${p95}** | **${p99}** | |\n`);
  console.log(note);
}

/** Joins what the sender and the page stamped, in milliseconds on the sender's clock. */
function joined({ from, way, out, log }) {
  const page = (wall) => wall - (from.wall_us - from.clock_us) / 1000;
  const rust = new Map();
  for (const [, station, captured, now] of log.matchAll(/at="(\w+)" captured=(\d+) now=(\d+)/g)) {
    const known = rust.get(captured) ?? {};
    known[station] ??= Number(now) / 1000;
    rust.set(captured, known);
  }
  const ways = out.flatMap(({ at: source, captured, encoded, sent }) => {
    const seen = way.stamps[source];
    if (!seen?.painted) return [];
    const there = Object.fromEntries(Object.entries(seen).map(([station, wall]) => [`page_${station}`, page(wall)]));
    const here = rust.get(String(source)) ?? {};
    return [{
      source: source / 1000, captured: captured / 1000, encoded: encoded / 1000, sent: sent / 1000,
      ...there, ...here, painted: there.page_painted,
    }];
  }).slice(SETTLE);
  return { ways, sent: out.length - SETTLE, unreadable: way.unreadable };
}

const OUT = [
  ['capture: drawn, handed on', 'source', 'captured'],
  ['encode: waiting for the encoder’s thread, scaling, H.264', 'captured', 'encoded'],
  ['send: queue, WebSocket, TLS, until the socket has it', 'encoded', 'sent'],
];
const found = ({ ways, sent, unreadable }) => `${ways.length} pictures painted of ${sent} sent; ${unreadable} paintings without a readable marker.`;

const browser = joined(await inBrowser());
print('In a page of Chromium', browser.ways, [
  ...OUT,
  ['relay: two sockets, TLS in and out, the browser’s network process, until the page has the last chunk', 'sent', 'page_arrived'],
  ['receive: chunks to a frame, until the decoder has it', 'page_arrived', 'page_decoding'],
  ['decode: H.264, in the browser’s own process', 'page_decoding', 'page_decoded'],
  ['paint: waiting for the screen’s next frame, drawn on the canvas, marker read back', 'page_decoded', 'painted'],
], found(browser));
const why = whyNot();
if (why) console.log(`\nIn the app's window: not measured, ${why}.`);
else {
  const app = joined(await inWindow());
  print('In the app’s window (WebKitGTK, on a screen in memory)', app.ways, [
    ...OUT,
    ['relay: two sockets, TLS in and out, forwarding, until the frame is whole', 'sent', 'arrived'],
    ['receive and decode: waiting for the decoder’s thread, H.264', 'arrived', 'decoded'],
    ['to the page: waiting for the tile, scaled, turned into RGBA', 'decoded', 'handed'],
    ['into the page: the WebSocket on 127.0.0.1', 'handed', 'page_arrived'],
    ['paint: put on the canvas, marker read back', 'page_arrived', 'painted'],
  ], found(app));
}
console.log('\nPages know the wall clock only, Chromium’s in steps of 0.1 ms, WebKit’s of 1 ms; what the screen does with a painted canvas comes after.');
