// How long it takes a page in Chromium to get into a room, step by step, from the touch on "Enter"
// to the first painted picture; `join.rs` has the same for the native client. Stamps are the
// page's performance marks and the browser's own record of the WebSocket.
// `scripts/bench join` starts it: node benches/waterfall/join.mjs --built DIR [--times N]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { chromium, until } from '../../tests/browser/browsers.js';
import { writeY4m } from '../../tests/browser/y4m.js';

const { values } = parseArgs({ options: { built: { type: 'string' }, times: { type: 'string', default: '20' } } });
const built = resolve(values.built ?? 'target/release');

const STEPS = [
  ['connected', 'TCP and TLS'],
  ['upgraded', 'WebSocket'],
  ['welcomed', 'hello and welcome'],
  ['joined', 'join: in the room'],
  ['arrived', 'the other’s first key frame is here'],
  ['decoded', 'and decoded'],
  ['painted', 'and painted'],
  ['captured', 'own camera opened'],
  ['asked', 'own picture asked for'],
  ['encoded', 'own first key frame encoded'],
  ['sent', 'and given to the socket'],
];

/** Runs in the page before its scripts. */
function hook() {
  const first = (name) => {
    if (!performance.getEntriesByName(name).length) performance.mark(name);
  };
  document.addEventListener('click', ({ target }) => {
    if (target instanceof Element && target.closest('[data-testid=room-enter]')) performance.mark('start');
  }, true);
  const Socket = WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(url, ...more) {
      super(url, ...more);
      if (!String(url).endsWith('/ws')) return;
      this.addEventListener('open', () => first('upgraded'));
      this.addEventListener('message', ({ data }) => {
        if (data instanceof ArrayBuffer) {
          if (new Uint8Array(data)[0] === 0x10) first('arrived');
          return;
        }
        if (data.includes('"welcome"')) first('welcomed');
        if (data.includes('"joined"')) first('joined');
        if (data.includes('"send"')) first('asked');
      });
    }

    send(data) {
      super.send(data);
      if (typeof data !== 'string' && new Uint8Array(data.buffer ?? data)[data.byteOffset ?? 0] === 0x10) first('sent');
    }
  };
  const decoded = VideoDecoder;
  globalThis.VideoDecoder = class extends decoded {
    constructor({ output, error }) {
      super({
        output: (frame) => {
          first('decoded');
          output(frame);
        },
        error,
      });
    }
  };
  const encoded = VideoEncoder;
  globalThis.VideoEncoder = class extends encoded {
    constructor({ output, error }) {
      super({
        output: (chunk, metadata) => {
          if (chunk.type === 'key') first('encoded');
          output(chunk, metadata);
        },
        error,
      });
    }
  };
  const { drawImage } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.drawImage = function drawn(image, ...given) {
    drawImage.call(this, image, ...given);
    if (image instanceof VideoFrame && this.canvas.closest('[data-testid=tile]')) first('painted');
  };
  const { getUserMedia } = MediaDevices.prototype;
  MediaDevices.prototype.getUserMedia = async function opened(given) {
    const stream = await getUserMedia.call(this, given);
    first('captured');
    return stream;
  };
}

const folder = mkdtempSync(join(tmpdir(), 'visita-join-'));
const child = spawn(join(built, 'examples/waterfall'), ['--for-pages', join(folder, 'stamps')], { stdio: ['pipe', 'pipe', 'inherit'] });
const ended = new Promise((done) => {
  child.once('exit', done);
});
const chrome = await chromium({ camera: writeY4m(join(folder, 'camera.y4m')) });
const joins = [];
const loads = [];
try {
  const { url } = JSON.parse(await new Promise((done, fail) => {
    createInterface({ input: child.stdout }).once('line', done);
    child.once('exit', (code) => fail(new Error(`the sender ended with ${code}`)));
  }));
  for (let turn = 0; turn < Number(values.times); turn += 1) {
    const page = await chrome.browser.newPage();
    await page.evaluateOnNewDocument(`localStorage.setItem('visita.name', 'Bench'); (${hook})();`);
    const devtools = await page.createCDPSession();
    await devtools.send('Network.enable');
    /** When the browser wrote the WebSocket's handshake: TCP and TLS stand. */
    let handshake = NaN;
    devtools.on('Network.webSocketWillSendHandshakeRequest', ({ request, wallTime }) => {
      if (request && !Number.isFinite(handshake)) handshake = wallTime * 1000;
    });
    await page.goto(`${url}/`);
    await page.waitForSelector('[data-testid=room-enter]');
    // The lobby's socket is not the call's.
    handshake = NaN;
    await page.click('[data-testid=room-enter]');
    const marks = await until('all steps', () => page.evaluate((names) => {
      const times = Object.fromEntries(performance.getEntriesByType('mark').map(({ name, startTime }) => [name, startTime]));
      const [load] = performance.getEntriesByType('navigation');
      return names.every((name) => name in times) && {
        times,
        origin: performance.timeOrigin,
        load: { tcp: load.secureConnectionStart - load.connectStart, tls: load.connectEnd - load.secureConnectionStart, first: load.responseEnd, files: load.domContentLoadedEventEnd },
      };
    }, STEPS.map(([name]) => name).filter((name) => name !== 'connected')));
    const { start } = marks.times;
    joins.push({ ...Object.fromEntries(Object.entries(marks.times).map(([name, at]) => [name, at - start])), connected: handshake - marks.origin - start });
    loads.push(marks.load);
    await page.close();
  }
} finally {
  await chrome.close();
  child.stdin.end();
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

const at = (rows, step, share) => {
  const times = rows.map((row) => row[step]).filter(Number.isFinite).sort((a, b) => a - b);
  return times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? NaN;
};
const most = Math.max(...STEPS.map(([step]) => at(joins, step, 0.5)).filter(Number.isFinite));
console.log('| step | from the touch, p50 ms | p95 ms | |\n| --- | ---: | ---: | --- |');
for (const [step, name] of STEPS) {
  const [p50, p95] = [at(joins, step, 0.5), at(joins, step, 0.95)];
  console.log(`| ${name} | ${p50.toFixed(1)} | ${p95.toFixed(1)} | \`${'█'.repeat(Math.max(1, Math.round((p50 / most) * 40)))}\` |`);
}
// Later pages use the first one's connection.
const load = (part) => loads[0][part].toFixed(1);
console.log(`\n${joins.length} joins. The page itself, the first time: TCP ${load('tcp')} ms, TLS ${load('tls')} ms, its document after ${load('first')} ms, all of its files after ${load('files')} ms.`);
