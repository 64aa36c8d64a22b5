// A ward for the tests of the app's windows: machines on a network of their own, each with what
// stands on a real one.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Lan } from './app-lan.js';
import { Person, browserPage } from './app-person.js';
import { openApp } from './app-window.js';
import { CHROMIUM, chromium } from './browsers.js';
import { TOP, folder } from './harness.js';
import { writeY4m } from './y4m.js';

const BUILT = process.env.VISITA_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(TOP, 'target'), 'debug');
export const APP = join(BUILT, 'visita');

/**
 * @param {string[]} names  of the machines
 * @param {{ ward: string, grace: number }} settings  of whoever hosts
 */
export function ward(t, names, { ward: name, grace }) {
  assert.ok(existsSync(APP), `${APP} is missing: cargo build -p visita`);
  const files = folder(t);
  const lan = new Lan(names);
  t.after(() => lan.remove());
  const camera = writeY4m(join(files, 'camera.y4m'), { width: 320, height: 180, rate: 15 });
  /** @type {(Person & { screenshot: () => any })[]} */
  const people = [];
  const shots = process.env.VISITA_SHOTS;
  return {
    files,
    lan,
    /** Everybody whose screen can be looked at; who leaves is taken out by the test. */
    people,
    url: (machine, port = 3000) => `https://${lan.machine(machine).address}:${port}`,
    /** Keeps a picture of every screen, where VISITA_SHOTS says. */
    async look(what) {
      if (!shots) return;
      mkdirSync(shots, { recursive: true });
      for (const person of people) writeFileSync(join(shots, `${what}-${person.name}.png`), await person.screenshot());
    },
    /** Opens the app's window on a machine. */
    async window(machine, { args = [], state = join(files, machine), env = {} } = {}) {
      mkdirSync(join(state, 'visita', 'relay'), { recursive: true });
      writeFileSync(join(state, 'visita', 'relay', 'relay.toml'), `ward = "${name}"\n[limits]\ngrace_s = ${grace}\n`);
      const app = await openApp(t, {
        machine: lan.machine(machine), binary: APP, state, args,
        env: { VISITA_DATA: join(state, 'visita'), VISITA_CAMERA: 'synthetic:320x180@15', HOME: state, ...env },
      });
      const person = Object.assign(new Person(machine, app.session), { app, screenshot: app.screenshot });
      people.push(person);
      return person;
    },
    /** Opens a page of a host in a browser on a machine. */
    async browser(machine, url) {
      const chrome = await chromium({ camera, pipe: true, path: lan.machine(machine).standIn(CHROMIUM, files) });
      t.after(chrome.close);
      const page = await chrome.browser.newPage();
      await page.goto(url);
      const person = Object.assign(new Person(machine, browserPage(page)), { screenshot: () => page.screenshot() });
      people.push(person);
      return person;
    },
    /** A program of ours on a machine, until the test ends. */
    program(machine, program, args) {
      const child = lan.machine(machine).spawn(join(BUILT, program), args, { stdio: 'ignore', env: { ...process.env, HOME: files } });
      t.after(() => child.kill('SIGKILL'));
      return child;
    },
  };
}
