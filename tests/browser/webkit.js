// WebKitGTK's own small browser on a screen that nobody sees, driven by WebKit's driver.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';

import { command, folder } from './harness.js';
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

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A screen in memory. */
async function screen(t) {
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x860x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  t.after(() => server.kill());
  return new Promise((resolve, reject) => {
    let text = '';
    server.stdio[3].setEncoding('utf8').on('data', (more) => {
      text += more;
      if (text.includes('\n')) resolve(`:${text.trim()}`);
    });
    server.once('exit', () => reject(new Error('Xvfb ended')));
    server.once('error', reject);
  });
}

/** A window of it, which takes any certificate. @returns {Promise<Session>} */
export async function webkit(t) {
  if (!MINIBROWSER) throw new Error('WebKitGTK’s MiniBrowser is missing');
  const state = folder(t);
  const port = await freePort();
  command(t, 'dbus-run-session', ['--', 'WebKitWebDriver', `--port=${port}`], {
    DISPLAY: await screen(t), GDK_BACKEND: 'x11', LANG: 'C.UTF-8', NO_AT_BRIDGE: '1',
    XDG_DATA_HOME: state, XDG_CACHE_HOME: state, XDG_CONFIG_HOME: state, XDG_RUNTIME_DIR: state,
  });
  const base = `http://127.0.0.1:${port}`;
  await until('the driver to answer', 15, () => ask(`${base}/status`, { method: 'GET' }).catch(() => null));
  const session = await Session.open(ask, base, {
    browserName: 'MiniBrowser',
    acceptInsecureCerts: true,
    'webkitgtk:browserOptions': { binary: MINIBROWSER, args: ['--automation'] },
  });
  t.after(() => session.close().catch(() => {}));
  return session;
}
