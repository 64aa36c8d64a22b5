// WebKitGTK's own small browser on a screen that nobody sees, driven by WebKit's driver.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { freePort } from './nginx.js';
import { Session, until } from './webdriver.js';

const MINIBROWSER = process.env.VISITA_MINIBROWSER
  ?? ['4.1', '6.0', '4.0'].map((version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`).find((path) => existsSync(path));

/** @type {import('./webdriver.js').Request} */
const ask = (url, { method, body }) => new Promise((resolve, reject) => {
  const asking = request(url, { method, headers: body ? { 'content-type': 'application/json' } : {} }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (more) => {
      text += more;
    }).on('end', () => resolve({ status: answer.statusCode, body: text }));
  });
  asking.once('error', reject);
  asking.end(body);
});

/**
 * A window of it, which takes any certificate.
 * @returns {Promise<Session>}
 */
export async function webkit(t) {
  if (!MINIBROWSER) throw new Error('WebKitGTK’s MiniBrowser is missing');
  const state = mkdtempSync(join(tmpdir(), 'visita-webkit-'));
  const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x860x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const display = await new Promise((resolve, reject) => {
    createInterface({ input: screen.stdio[3] }).once('line', resolve);
    screen.once('exit', () => reject(new Error('Xvfb ended')));
    screen.once('error', reject);
  });
  const port = await freePort();
  const driver = spawn('dbus-run-session', ['--', 'WebKitWebDriver', `--port=${port}`], {
    stdio: 'ignore',
    // A group of its own: all that it starts ends with it.
    detached: true,
    env: {
      ...process.env, DISPLAY: `:${display}`, GDK_BACKEND: 'x11', LANG: 'C.UTF-8', NO_AT_BRIDGE: '1',
      XDG_DATA_HOME: state, XDG_CACHE_HOME: state, XDG_CONFIG_HOME: state, XDG_RUNTIME_DIR: state,
    },
  });
  /** @type {Session | null} */
  let session = null;
  t.after(async () => {
    await session?.close().catch(() => {});
    const ended = [once(driver, 'exit'), once(screen, 'exit')];
    process.kill(-driver.pid);
    screen.kill();
    await Promise.all(ended);
    rmSync(state, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  const base = `http://127.0.0.1:${port}`;
  await until('the driver to answer', 15, () => ask(`${base}/status`, { method: 'GET' }).catch(() => null));
  session = await Session.open(ask, base, {
    browserName: 'MiniBrowser',
    acceptInsecureCerts: true,
    'webkitgtk:browserOptions': { binary: MINIBROWSER, args: ['--automation'] },
  });
  return session;
}
