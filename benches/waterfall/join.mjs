// How long it takes a page in Chromium to get into a room, step by step, from the touch on "Enter"
// to the first painted picture, over its WebSocket and over WebRTC, which the page tries behind it;
// `join.rs` has the same for the native client. Stamps are the page's performance marks and the
// browser's own record of the WebSocket.
// `scripts/bench join` starts it: node benches/waterfall/join.mjs --built DIR [--times N]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { chromium, until } from '../../tests/browser/browsers.js';
import { writeY4m } from '../../tests/browser/y4m.js';
import { TRACK as SOUND } from '../../ui/platform/browser/sound/talk.js';

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

/** The way of the other's first picture over WebRTC, which begins when the host has welcomed. */
const RTC_STEPS = [
  ['welcomed', 'hello and welcome'],
  ['captured', 'own camera opened'],
  ['offered', 'offer: made, and on its way to the relay'],
  ['answered', 'answer: came'],
  ['ice', 'ICE: a pair works'],
  ['dtls', 'DTLS: connected'],
  ['slot', 'told who is in which slot'],
  ['presented', 'first picture of RTP decoded'],
  ['shown', 'and painted'],
];
/** The most that is aimed at, from the camera's opening to the first picture over WebRTC, in milliseconds. */
const AIM = 150;

/**
 * Runs in the page before its scripts.
 * @param {boolean} rtc  whether this page has WebRTC
 * @param {number} sound  the track that its sound is on
 */
function hook(rtc, sound) {
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
        if (data.includes('"slots"') && data.includes('"picture"')) first('slot');
      });
    }

    send(data) {
      super.send(data);
      if (typeof data === 'string') return;
      const chunk = new DataView(data.buffer ?? data, data.byteOffset ?? 0);
      // Its third byte is the track.
      if (chunk.getUint8(0) === 0x10 && chunk.getUint8(2) !== sound) first('sent');
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
    if (!this.canvas.closest('[data-testid=tile]')) return;
    if (image instanceof VideoFrame) first('painted');
    if (image instanceof HTMLVideoElement && received(image)) first('shown');
  };
  const { getUserMedia } = MediaDevices.prototype;
  MediaDevices.prototype.getUserMedia = async function opened(given) {
    const stream = await getUserMedia.call(this, given);
    first('captured');
    return stream;
  };
  if (!rtc) {
    delete globalThis.RTCPeerConnection;
    return;
  }
  const peers = [];
  /** Whether an element plays what came by RTP. */
  const received = (video) => video.srcObject?.getTracks().some((track) => peers.some((peer) => (
    peer.getReceivers().some((receiver) => receiver.track === track))));
  const Peer = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Peer {
    constructor(...given) {
      super(...given);
      peers.push(this);
      this.addEventListener('iceconnectionstatechange', () => {
        if (['connected', 'completed'].includes(this.iceConnectionState)) first('ice');
      });
      this.addEventListener('connectionstatechange', () => {
        if (this.connectionState === 'connected') first('dtls');
      });
    }

    createDataChannel(...given) {
      const channel = super.createDataChannel(...given);
      channel.addEventListener('message', ({ data }) => {
        if (typeof data === 'string' && data.includes('"slots"') && data.includes('"picture"')) first('slot');
      });
      return channel;
    }
  };
  const asked = fetch;
  globalThis.fetch = async (target, options) => {
    const offers = options?.method === 'POST' && String(target.url ?? target).endsWith('/api/v1/webrtc');
    if (offers) first('offered');
    const answer = await asked(target, options);
    if (offers) first('answered');
    return answer;
  };
  const { requestVideoFrameCallback } = HTMLVideoElement.prototype;
  HTMLVideoElement.prototype.requestVideoFrameCallback = function requested(call) {
    return requestVideoFrameCallback.call(this, (...given) => {
      if (this.videoWidth > 0 && received(this)) first('presented');
      call(...given);
    });
  };
}

const folder = mkdtempSync(join(tmpdir(), 'visita-join-'));
const child = spawn(join(built, 'examples/waterfall'), ['--for-pages', join(folder, 'stamps')], { stdio: ['pipe', 'pipe', 'inherit'] });
const ended = new Promise((done) => {
  child.once('exit', done);
});
const chrome = await chromium({ camera: writeY4m(join(folder, 'camera.y4m')) });
/** Over the WebSocket alone, and with WebRTC: what was encoded for the one isn't sent over the other. */
const joins = { ws: [], rtc: [] };
const loads = [];

/** Joins once; gives when each of the steps was reached, from the touch. */
async function enter(url, steps, rtc) {
  const page = await chrome.browser.newPage();
  await page.evaluateOnNewDocument(`localStorage.setItem('visita.name', 'Bench'); (${hook})(${rtc}, ${SOUND});`);
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
  const names = steps.map(([name]) => name).filter((name) => name !== 'connected');
  const marks = await until(`all of ${names.join(', ')}`, () => page.evaluate((wanted) => {
    const times = Object.fromEntries(performance.getEntriesByType('mark').map(({ name, startTime }) => [name, startTime]));
    const [load] = performance.getEntriesByType('navigation');
    return wanted.every((name) => name in times) && {
      times,
      origin: performance.timeOrigin,
      load: { tcp: load.secureConnectionStart - load.connectStart, tls: load.connectEnd - load.secureConnectionStart, first: load.responseEnd, files: load.domContentLoadedEventEnd },
    };
  }, names));
  const { start } = marks.times;
  loads.push(marks.load);
  await page.close();
  return { ...Object.fromEntries(Object.entries(marks.times).map(([name, time]) => [name, time - start])), connected: handshake - marks.origin - start };
}

try {
  const { url } = JSON.parse(await new Promise((done, fail) => {
    createInterface({ input: child.stdout }).once('line', done);
    child.once('exit', (code) => fail(new Error(`the sender ended with ${code}`)));
  }));
  for (let turn = 0; turn < Number(values.times); turn += 1) {
    joins.ws.push(await enter(url, STEPS, false));
    joins.rtc.push(await enter(url, RTC_STEPS, true));
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
/** Prints when each step was reached, from a beginning. */
function table(steps, from, rows) {
  const most = Math.max(...steps.map(([step]) => at(rows, step, 0.5)).filter(Number.isFinite));
  console.log(`| step | ${from}, p50 ms | p95 ms | |\n| --- | ---: | ---: | --- |`);
  for (const [step, name] of steps) {
    const [p50, p95] = [at(rows, step, 0.5), at(rows, step, 0.95)];
    console.log(`| ${name} | ${p50.toFixed(1)} | ${p95.toFixed(1)} | \`${'█'.repeat(Math.max(1, Math.round((p50 / most) * 40)))}\` |`);
  }
}
table(STEPS, 'from the touch', joins.ws);
console.log('\n**The same page with WebRTC**, tried behind the call\n');
table(RTC_STEPS, 'from the touch', joins.rtc);
/** From the camera's opening on; the first picture at all may have come over the WebSocket. */
const opened = joins.rtc.map(({ captured, shown, painted = shown }) => ({ shown: shown - captured, first: Math.min(shown, painted) - captured }));
const [p50, p95] = [at(opened, 'shown', 0.5), at(opened, 'shown', 0.95)];
console.log(`\nFrom the opened camera to the first picture over WebRTC: p50 ${p50.toFixed(1)} ms${p50 > AIM ? ', **missed**' : ''} (aim ≤ ${AIM} ms), p95 ${p95.toFixed(1)} ms; to the first picture at all p50 ${at(opened, 'first', 0.5).toFixed(1)} ms.`);
// Later pages use the first one's connection.
const load = (part) => loads[0][part].toFixed(1);
console.log(`\n${joins.ws.length} joins each. The page itself, the first time: TCP ${load('tcp')} ms, TLS ${load('tls')} ms, its document after ${load('first')} ms, all of its files after ${load('files')} ms.`);
