// The real relay, the real headless participant, a proxy in front of them: started for a test and
// always stopped after it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Transform } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { PATIENCE } from './browsers.js';

export const TOP = fileURLToPath(new URL('../../', import.meta.url));
const TARGET = process.env.VISITA_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(TOP, 'target'), 'debug');

/** A folder for a test's files; gone afterwards. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'visita-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/**
 * A program of ours. Its standard error is shown when the test fails.
 * @returns {{ child: import('node:child_process').ChildProcess, lines: string[], log: () => string,
 *   line: (what: string) => Promise<string>, exited: Promise<number | null>, stop: (signal?: NodeJS.Signals) => Promise<number | null> }}
 */
export function program(t, name, args, env = {}) {
  const path = join(TARGET, name);
  if (!existsSync(path)) throw new Error(`${path} is missing: cargo build -p ${name}`);
  return command(t, path, args, env);
}

/** Any program, as `program` does. */
export function command(t, path, args, env = {}) {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log = (log + text).slice(-64 * 1024);
  });
  const lines = [];
  const waiting = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    waiting.splice(0).forEach((wake) => wake());
  });
  const exited = new Promise((resolve) => {
    child.once('exit', (code) => {
      resolve(code);
      waiting.splice(0).forEach((wake) => wake());
    });
    child.once('error', (error) => {
      log += String(error);
      resolve(null);
      waiting.splice(0).forEach((wake) => wake());
    });
  });
  const ended = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  let taken = 0;
  const stop = async (signal = 'SIGTERM') => {
    if (!ended()) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE / 2);
    try {
      return await exited;
    } finally {
      clearTimeout(timer);
    }
  };
  t.after(async () => {
    await stop();
    if (process.env.VISITA_TEST_LOGS) console.error(`--- ${path}\n${log}`);
  });
  return {
    child,
    lines,
    log: () => log,
    async line(what) {
      const end = Date.now() + PATIENCE;
      while (taken >= lines.length) {
        if (ended() || Date.now() > end) throw new Error(`no ${what} from ${path}:\n${log}`);
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, 1000);
          waiting.push(() => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
      taken += 1;
      return lines[taken - 1];
    },
    exited,
    stop,
  };
}

/**
 * A relay on 127.0.0.1, with the page's files as they are in the source, and without UDP unless `udp`
 * says so: media goes over WebSockets.
 * @param {{ config?: string, limits?: string, udp?: boolean }} options  lines of its TOML file
 */
export async function relay(t, { config = '', limits = '', udp = false } = {}) {
  const data = folder(t);
  const file = join(data, 'relay.toml');
  writeFileSync(file, `ui = ${JSON.stringify(join(TOP, 'ui'))}\n${udp ? '' : 'udp_port = 0\n'}${config}\n[limits]\n${limits}\n`);
  const running = program(t, 'visita-relay',
    ['serve', '--listen', '127.0.0.1:0', '--data', join(data, 'ward'), '--config', file]);
  const ready = JSON.parse(await running.line('ready line'));
  const url = new URL(ready.url);
  return { ...running, url: url.origin, port: Number(url.port), fingerprint: ready.fingerprint };
}

/**
 * A headless participant in `room`. `report()` ends it and answers its report.
 * @param {{ url: string, fingerprint: string }} of
 */
export function participant(t, of, room, name, { video = 'synthetic', role = 'staff', args = [], env = {} } = {}) {
  const running = program(t, 'visita-client', [
    'join', '--host', of.url, '--fingerprint', of.fingerprint, '--room', room, '--create', '--name', name,
    '--role', role, '--state', folder(t), '--video', video, '--report', 'json', ...args,
  ], env);
  return {
    ...running,
    async report() {
      const code = await running.stop('SIGINT');
      if (code !== 0) throw new Error(`visita-client ended with ${code}:\n${running.log()}`);
      return JSON.parse(running.lines[running.lines.length - 1]);
    },
  };
}

/** Lets so many bytes a second through, in pieces of a packet's size. @param {() => number} rate  of the moment */
function slow(rate) {
  const piece = 1400;
  let free = performance.now();
  return new Transform({
    highWaterMark: piece,
    async transform(bytes, _encoding, done) {
      for (let at = 0; at < bytes.length; at += piece) {
        const part = bytes.subarray(at, at + piece);
        free = Math.max(free, performance.now()) + (1000 * part.length) / rate();
        const pause = free - performance.now();
        if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
        this.push(part);
      }
      done();
    },
  });
}

/**
 * A line to a port of 127.0.0.1 that can be cut: what is on it breaks without a word.
 * @param {number} port
 * @param {{ uplink?: number }} options  bytes a second towards the port
 */
export async function line(t, port, { uplink = Infinity } = {}) {
  const pairs = new Set();
  let down = false;
  let rate = uplink;
  const server = createServer((near) => {
    if (down) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    const pair = [near, far];
    pairs.add(pair);
    if (uplink === Infinity) near.pipe(far);
    else near.pipe(slow(() => rate)).pipe(far);
    far.pipe(near);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
  };
  t.after(() => {
    cut();
    server.close();
  });
  return {
    port: server.address().port,
    cut,
    /** What is on the line now carries nothing any more, either way, and isn't closed. */
    silence() {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        near.pause();
        far.pause();
      }
    },
    /** What a line that began slow carries from now on, bytes a second. */
    set uplink(value) {
      rate = value;
    },
    /** While down, new connections are refused as well. */
    set down(value) {
      down = value;
      if (value) cut();
    },
  };
}
