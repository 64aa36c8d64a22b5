// The real app, in a window on a screen that nobody sees, driven by WebKit's own driver.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Session, until } from './webdriver.js';

/** The window's size, as tauri.conf.json has it. */
const SIZE = '1280x860';
/** The driver's port; each driver is alone on its machine. */
const PORT = 4444;
const CLOSE = fileURLToPath(new URL('app-close.py', import.meta.url));

/**
 * A screen in memory, one for each window: WebKit doesn't paint a window that another covers. It
 * listens in its machine's namespace alone, so it can't meet another screen of the same number.
 * @param {import('./app-lan.js').Machine} machine  with which it ends
 */
async function screen(machine) {
  const server = machine.spawn('Xvfb', ['-displayfd', '3', '-screen', '0', `${SIZE}x24`, '-nolisten', 'tcp', '-nolisten', 'unix'], {
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
 * @param {{ machine: import('./app-lan.js').Machine, binary: string, state: string, env?: object, args?: string[] }} options
 *   `state`: a folder of this instance's own
 */
export async function openApp(t, { machine, binary, state, env = {}, args = [], heard }) {
  const folder = (name) => {
    const path = join(state, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  };
  const display = await screen(machine);
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
      VISITA_MICROPHONE: 'none',
      VISITA_SPEAKER: 'none',
      ...env,
    },
  });
  for (const stream of [driver.stdout, driver.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-256 * 1024);
      heard?.(text);
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
    'webkitgtk:browserOptions': { binary, args },
  });
  const pid = () => machine.processes().find(({ program }) => program === binary)?.pid;
  return {
    session,
    log: () => log,
    /** The driver, and with it the window, is gone for good. */
    async end() {
      driver.kill('SIGKILL');
      const drivers = () => machine.processes().filter(({ program }) => program.endsWith('/WebKitWebDriver'));
      for (const { pid } of drivers()) process.kill(pid, 'SIGKILL');
      await until('the driver’s end', 15, () => drivers().length === 0);
    },
    /** Touches the window's cross. */
    close: () => execFileSync('ip', ['netns', 'exec', machine.namespace, 'python3', CLOSE, 'Visita'], {
      env: { ...process.env, DISPLAY: display },
    }),
    /** Starts the app once more, in the same session of the desktop. Answers how it ended. */
    startAgain() {
      const own = readFileSync(`/proc/${pid()}/environ`, 'utf8').split('\0').filter(Boolean);
      const again = machine.spawn(binary, [], {
        stdio: 'ignore',
        env: Object.fromEntries(own.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])),
      });
      return new Promise((resolve) => again.once('exit', resolve));
    },
    /**
     * What stands on the screen, as PNG. The driver's own screenshot waits for ever for a page
     * that doesn't change.
     */
    screenshot: () => execFileSync('ip', [
      'netns', 'exec', machine.namespace, 'ffmpeg', '-loglevel', 'error', '-f', 'x11grab', '-video_size', SIZE, '-i', display, '-frames:v', '1', '-f', 'image2pipe', '-c:v', 'png', '-',
    ], { maxBuffer: 64 << 20 }),
    /** The app's own process. */
    pid,
  };
}
