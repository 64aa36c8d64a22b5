// A desktop for the tests of the app: what stands on a real one's buses (app-bus.py).
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { PATIENCE } from './browsers.js';
import { until } from './webdriver.js';

const SCRIPT = fileURLToPath(new URL('app-bus.py', import.meta.url));
/** Debian's own, the one that its python3-gi is for; another may be first in the PATH. */
const PYTHON = '/usr/bin/python3';

/**
 * Which locks are held, each as it was asked for; what the tray's menu offers (nothing: there is no
 * icon).
 * @typedef {{ device: string[][], screen: string[][], menu: string[] }} Shown
 */

/**
 * A machine's desktop, until the test ends. The app is to be started with its `env`, and joined then.
 * @param {import('./app-lan.js').Machine} machine
 * @param {{ refuses?: string[] }} options  what the system doesn't let anybody lock
 */
export async function desktop(t, machine, { refuses = [] } = {}) {
  const child = machine.spawn('dbus-run-session', ['--', PYTHON, SCRIPT, ...refuses], { stdio: ['pipe', 'pipe', 'inherit'] });
  // Where it is gone, the line that is waited for says so.
  child.stdin.on('error', () => {});
  t.after(() => child.stdin.end());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the desktop on ${machine.namespace} is gone`);
    return value;
  };
  const ask = async (...command) => {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return JSON.parse(await line());
  };
  const look = () => ask('look');
  return {
    env: { DBUS_SYSTEM_BUS_ADDRESS: await line() },
    /** Stands on the bus of the app's session from now on. @param {number} app  its process */
    join(app) {
      const own = readFileSync(`/proc/${app}/environ`, 'utf8').split('\0');
      const name = 'DBUS_SESSION_BUS_ADDRESS=';
      return ask('join', own.find((one) => one.startsWith(name)).slice(name.length));
    },
    /** @returns {Promise<{ device: string[][], refused: string[][], screen: string[][], tray: null | { status: string, icon: string, menu: string[] } }>} */
    look,
    /** Waits until exactly this is so. @param {string} who  asks for the screen @param {Shown} expected */
    async shows(who, expected) {
      /** @type {Shown | undefined} */
      let shown;
      try {
        await until(JSON.stringify(expected), PATIENCE / 1000, async () => {
          const { device, screen, tray } = await look();
          shown = { device, screen: screen.filter(([application]) => application === who), menu: menu(tray) };
          return isDeepStrictEqual(shown, expected);
        });
      } catch (error) {
        error.message += `; there was ${JSON.stringify(shown)}`;
        throw error;
      }
    },
    /** Touches an entry of the tray's menu. @param {string} label */
    click: (label) => ask('click', label),
  };
}

/** What a person finds in the tray: an icon that is passive isn't shown. */
function menu(tray) {
  if (!tray || tray.status === 'Passive') return [];
  return tray.status === 'Active' ? tray.menu : [tray.status];
}
