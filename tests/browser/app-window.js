// The real app, in a window on a screen that nobody sees, driven by WebKit's own driver.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { Session, until } from './webdriver.js';

/** The driver's port; each driver is alone on its machine. */
const PORT = 4444;

/**
 * A screen in memory. Its socket is a file, so windows of every network namespace reach it.
 * @param {import('./app-lan.js').Lan} lan  with which it ends
 */
export async function screen(lan, size = '2800x900x24') {
  const server = lan.hub.spawn('Xvfb', ['-displayfd', '3', '-screen', '0', size, '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await new Promise((resolve, reject) => {
    let text = '';
    server.stdio[3].setEncoding('utf8').on('data', (more) => {
      text += more;
      if (text.includes('\n')) resolve(text.trim());
    });
    server.once('exit', () => reject(new Error('Xvfb ended')));
    server.once('error', reject);
  });
  return `:${number}`;
}

/**
 * Starts the app on a machine and drives it.
 * @param {{ machine: import('./app-lan.js').Machine, display: string, binary: string, state: string, env?: object }} options
 *   `state`: a folder of this instance's own
 */
export async function openApp(t, { machine, display, binary, state, env = {} }) {
  const folder = (name) => {
    const path = join(state, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  };
  let log = '';
  const driver = machine.spawn('dbus-run-session', ['--', 'WebKitWebDriver', `--port=${PORT}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      DISPLAY: display,
      GDK_BACKEND: 'x11',
      LANG: 'C.UTF-8',
      LANGUAGE: 'en',
      NO_AT_BRIDGE: '1',
      TAURI_WEBVIEW_AUTOMATION: 'true',
      XDG_DATA_HOME: folder('data'),
      XDG_CACHE_HOME: folder('cache'),
      XDG_CONFIG_HOME: folder('config'),
      XDG_RUNTIME_DIR: folder('run'),
      VISITA_CAMERA: 'synthetic',
      ...env,
    },
  });
  for (const stream of [driver.stdout, driver.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-256 * 1024);
    });
  }
  t.after(() => {
    driver.kill('SIGKILL');
    if (process.env.VISITA_TEST_LOGS) console.error(`--- ${machine.namespace}\n${log}`);
  });
  const base = `http://127.0.0.1:${PORT}`;
  await until('the driver to answer', 15, () => machine.request(`${base}/status`, { method: 'GET' }).catch(() => null));
  const session = await Session.open(machine.request, base, {
    browserName: 'wry',
    'webkitgtk:browserOptions': { binary, args: [] },
  });
  return {
    session,
    log: () => log,
    /** The app's own process. */
    pid: () => machine.processes().find(({ program }) => program === binary)?.pid,
  };
}
