// Issue 5, what a desktop gives whoever hosts: the device stays awake while it hosts, and the icon in
// the tray opens the window again and ends the app.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { desktop } from './app-bus.js';
import { whyNot } from './app-lan.js';
import { ward } from './app-ward.js';
import { PATIENCE } from './browsers.js';
import { until } from './webdriver.js';

const WARD = 'Medicina 3 Norte';
const OPTIONS = { timeout: 5 * PATIENCE, skip: whyNot() || false };
const SECONDS = PATIENCE / 1000;

/** What the app asks the system for, and says of itself there: what, who, why, how. */
const IDLE = ['idle', 'Visita', 'Visita', 'block'];
const SLEEP = ['sleep', 'Visita', 'Visita', 'block'];
const AWAKE = [IDLE, SLEEP];
/** As who it asks for the screen, and why. The web view asks too, as itself. */
const APP = 'org.visita.app';
const LIT = [[APP, 'Visita']];
const MENU = ['Open Visita', 'Stop hosting and quit'];
const MENU_ES = ['Abrir Visita', 'Dejar de ser anfitrión y salir'];
const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** The app's window on a machine that has a desktop. */
async function hosting(t, here, name, options) {
  const desk = await desktop(t, here.lan.machine(name), options);
  const person = await here.window(name, { env: desk.env });
  await desk.join(person.app.pid());
  return { person, shows: (shown) => desk.shows(APP, shown), desk };
}

const isHidden = (person) => person.page.run(() => document.visibilityState === 'hidden');
const hidden = (person) => until('a hidden window', SECONDS, () => isHidden(person));
const seen = (person) => until('a window that is seen', SECONDS, async () => !(await isHidden(person)));
/** Not by the driver's own click: it waits for ever for a window that is gone by then. */
const touch = (person, testid) => person.page.run((id) => document.querySelector(`[data-testid=${id}]`).click(), testid);

/** The app ends without another touch, and in order. */
async function ends(person) {
  await until('the app’s end', SECONDS, () => person.app.pid() === undefined);
  assert.doesNotMatch(person.app.log(), /panicked/);
}

test('awake while it hosts, the screen while it is in a call; the tray opens the window, and quits', OPTIONS, async (t) => {
  const here = ward(t, ['a', 'b'], { ward: WARD, grace: 3 });
  const [{ person: a, shows, desk }, b] = await Promise.all([hosting(t, here, 'a'), here.window('b')]);
  assert.deepEqual(await desk.look(), { device: [], refused: [], screen: [], tray: null });

  // On: a lock, an icon. Off: neither. On again: both.
  await a.click('host-switch');
  await a.reads('host-url', here.url('a'));
  await shows({ device: AWAKE, screen: [], menu: MENU });
  const { tray } = await desk.look();
  assert.deepEqual(readFileSync(tray.icon).subarray(0, PNG.length), PNG);
  await a.click('host-panel');
  await a.reads('condition-awake-word', 'Stays awake');
  await b.reads('host-row', WARD);
  await a.click('host-switch');
  await a.reads('host-state', 'Not hosting');
  await shows({ device: [], screen: [], menu: [] });
  await a.click('host-switch');
  await a.reads('host-url', here.url('a'));
  await shows({ device: AWAKE, screen: [], menu: MENU });
  await a.click('back');

  // The tray speaks as the page does.
  await a.click('language');
  await shows({ device: AWAKE, screen: [], menu: MENU_ES });
  await a.click('language');
  await shows({ device: AWAKE, screen: [], menu: MENU });

  // In a call the screen stays on too. Whoever looks at the locks learns of nobody.
  await b.click('host-use');
  await b.click('first-use-close');
  await b.click('new-room');
  await b.type('new-room-name', 'Cama 7');
  await b.click('create-room');
  await b.type('name-input', 'Beatriz');
  await b.click('enter');
  await a.reads('room-row', 'Cama 7');
  await a.click('room-enter');
  await a.type('name-input', 'Ana');
  await a.click('enter');
  await Promise.all([a.sees(1), b.sees(1)]);
  await shows({ device: AWAKE, screen: LIT, menu: MENU });
  assert.doesNotMatch(JSON.stringify(await desk.look()), /Ana|Beatriz|Cama|Medicina/);

  // The window is closed: its call ends, hosting goes on, awake. The tray opens it again.
  a.app.close();
  await a.reads('window-close', 'Close the window');
  await touch(a, 'window-close');
  await hidden(a);
  await b.sees(0);
  await shows({ device: AWAKE, screen: [], menu: MENU });
  await desk.click('Open Visita');
  await seen(a);
  await a.reads('room-row', 'Cama 7');
  await here.look('opened');

  // Quit by the tray: who would be cut off is asked about in the window, and nothing ends before.
  a.app.close();
  await hidden(a);
  await desk.click('Stop hosting and quit');
  await seen(a);
  await a.reads('cut-off', 'Beatriz');
  await here.look('quitting');
  await a.click('dialog-close');
  await until('no question', SECONDS, async () => (await a.texts('cut-off')).length === 0);
  await shows({ device: AWAKE, screen: [], menu: MENU });
  await b.seesSelf();
  await desk.click('Stop hosting and quit');
  await a.reads('cut-off', 'Beatriz');
  // Whether the driver still learns what came of it is a race with the window's end.
  void touch(a, 'host-stop-confirm').catch(() => {});
  await ends(a);
  await b.reads('error-screen', 'The host was switched off');
  await shows({ device: [], screen: [], menu: [] });
});

test('a system that lets nobody keep it from sleeping: said so, hosts all the same; the tray quits at once', OPTIONS, async (t) => {
  const here = ward(t, ['a'], { ward: WARD, grace: 3 });
  const { person: a, shows, desk } = await hosting(t, here, 'a', { refuses: ['sleep'] });
  await a.click('host-switch');
  await a.reads('host-url', here.url('a'));
  await a.click('host-panel');
  await a.reads('condition-awake-word', 'May fall asleep');
  await shows({ device: [], screen: [], menu: MENU });
  assert.deepEqual((await desk.look()).refused, [SLEEP]);

  // Nobody would be cut off: nothing is asked.
  a.app.close();
  await a.reads('window-close', 'Close the window');
  await touch(a, 'window-close');
  await hidden(a);
  await desk.click('Stop hosting and quit');
  await ends(a);
  await shows({ device: [], screen: [], menu: [] });
});
