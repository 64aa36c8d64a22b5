// app-hosts.mjs ROOT: starts the app that is installed in ROOT as the person `nurse`, on a screen
// that nobody sees, switches hosting on by hand, looks whether it answers, and ends it. Prints what
// it saw. Run by check-deb, in namespaces of its own.
import { execFileSync, spawn } from 'node:child_process';
import https from 'node:https';

import { Session, until } from '../../tests/browser/webdriver.js';

const root = process.argv[2];
const PORT = 4444;
const DRIVER = `http://127.0.0.1:${PORT}`;

/** Runs a program in the root. @param {string[]} command @param {object} env */
function inRoot(command, env, stdio = ['ignore', 'inherit', 'inherit']) {
  return spawn('/usr/sbin/chroot', [root, 'setpriv', '--reuid', 'nurse', '--regid', 'nurse', '--init-groups', ...command], {
    env: { HOME: '/home/nurse', USER: 'nurse', PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', LANGUAGE: 'en', ...env },
    stdio,
  });
}

/** The status and length of what a path answers. @param {string} path @returns {Promise<{ status: number, bytes: number }>} */
function get(path) {
  return new Promise((resolve, reject) => {
    https.get({ host: '198.18.7.1', port: 3000, path, rejectUnauthorized: false }, (answer) => {
      let bytes = 0;
      answer.on('data', (more) => { bytes += more.length; });
      answer.on('end', () => resolve({ status: answer.statusCode, bytes }));
    }).on('error', reject);
  });
}

/** The way that the driver is asked. */
const request = async (url, options) => {
  const answer = await fetch(url, options);
  return { status: answer.status, body: await answer.text() };
};

execFileSync('/usr/sbin/chroot', [root, 'install', '-d', '-m', '700', '-o', 'nurse', '/tmp/nurse']);
const screen = inRoot(['Xvfb', ':7', '-screen', '0', '1280x860x24', '-nolisten', 'tcp'], {}, ['ignore', 'ignore', 'ignore']);
const driver = inRoot(['dbus-run-session', '--', 'WebKitWebDriver', `--port=${PORT}`], {
  DISPLAY: ':7', GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1', TAURI_WEBVIEW_AUTOMATION: 'true', XDG_RUNTIME_DIR: '/tmp/nurse',
}, ['ignore', process.stderr, process.stderr]);
try {
  await until('the driver to answer', 30, () => request(`${DRIVER}/status`, { method: 'GET' }).catch(() => null));
  const began = Date.now();
  const session = await Session.open(request, DRIVER, {
    browserName: 'wry',
    'webkitgtk:browserOptions': { binary: '/usr/bin/visita', args: [] },
  });
  await session.click('[data-testid=host-switch]', 30);
  const health = await until('the host to answer', 30, () => get('/api/v1/health').catch(() => null));
  const page = await get('/Familiar/');
  if (health.status !== 200 || page.status !== 200 || page.bytes < 500) throw new Error(`health ${health.status}, page ${page.status}`);
  const url = await session.text('[data-testid=host-url]');
  process.stdout.write(`hosting after ${((Date.now() - began) / 1000).toFixed(1)} s from its start, shows ${url}, \`/api/v1/health\` answered ${health.status}, \`/Familiar/\` has ${page.bytes} bytes`);
} finally {
  driver.kill();
  screen.kill();
}
process.exit(0);
