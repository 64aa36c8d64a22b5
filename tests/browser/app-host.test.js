// Issue 5, "What must be shown", 2: the app's own windows as host. On, off and on again; renamed;
// gone in the middle of a call; another ward in its place; its port taken; closed, and hosting goes
// on; started with the system.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { whyNot } from './app-lan.js';
import { ward } from './app-ward.js';
import { PATIENCE } from './browsers.js';
import { until } from './webdriver.js';

const WARD = 'Medicina 3 Norte';
const OPTIONS = { timeout: 5 * PATIENCE, skip: whyNot() || false };
const SECONDS = PATIENCE / 1000;

/** B finds the host A and uses it. */
async function use(b) {
  await b.reads('host-row', WARD);
  await b.click('host-use');
  await b.reads('fingerprint', /[0-9a-f]{4}/);
  await b.click('first-use-close');
}

/** Makes a room and enters it. */
async function make(person, room, name) {
  await person.click('new-room');
  await person.type('new-room-name', room);
  await person.click('create-room');
  await person.type('name-input', name);
  await person.click('enter');
}

/** Enters the only room of the list. */
async function enter(person, room, name) {
  await person.reads('room-row', room);
  await person.click('room-enter');
  await person.type('name-input', name);
  await person.click('enter');
}

const fingerprint = async (person) => (await person.texts('fingerprint')).at(-1).replace(/\s/g, '');
const isHidden = (person) => person.page.run(() => document.visibilityState === 'hidden');

test('a host is switched on, renamed, off, and on again: the same ward, and the others come back', OPTIONS, async (t) => {
  const here = ward(t, ['a', 'b'], { ward: WARD, grace: 3 });
  const [a, b] = await Promise.all([here.window('a'), here.window('b')]);
  // What hosting depends on is measured before the switch is on.
  await a.click('host-panel-off');
  await a.reads('condition-network', here.lan.machine('a').address);
  await a.click('host-switch');
  await a.reads('host-url', here.url('a'));
  const before = await fingerprint(a);
  await a.reads('condition-reached-word', 'Not yet');
  await use(b);
  await a.reads('condition-reached-word', 'Yes');
  await b.reads('lobby-state', WARD);

  // Another name: the other device sees it, in its list and for the host in use; the pin stays.
  await a.click('ward-rename');
  await a.type('ward-name', 'Norte <b>2</b>');
  await a.click('ward-rename-save');
  await a.reads('host-ward', 'Norte <b>2</b>');
  await b.reads('host-row', 'Norte <b>2</b>');
  await here.look('renamed');

  // Off: the other one is told. On again: the same ward, and it comes back by itself.
  await a.click('host-switch');
  await a.reads('host-state', 'Not hosting');
  await until('b to be told', SECONDS, async () => !/Connected/.test((await b.texts('lobby-state')).join('')));
  await here.look('off');
  await a.click('host-switch');
  await a.reads('host-url', here.url('a'));
  await a.reads('host-ward', 'Norte <b>2</b>');
  assert.equal(await fingerprint(a), before);
  await b.reads('lobby-state', 'Connected');

  // And a call goes over it, whose lines the host sees.
  await a.click('back');
  await make(b, 'Cama 7', 'Beatriz');
  await enter(a, 'Cama 7', 'Ana');
  await Promise.all([a.sees(1), b.sees(1)]);
  await a.click('leave');
  await a.click('host-panel');
  await a.reads('connected-row', /Beatriz.*\d+ ms/s);
  await here.look('panel');
  await a.click('host-switch');
  await a.reads('cut-off', 'Beatriz');
  await here.look('cut-off');
  await a.click('host-stop-confirm');
  await b.reads('error-screen', 'The host was switched off');
});

test('a host that is gone in the middle of a call is missed in words, with a way on', OPTIONS, async (t) => {
  const here = ward(t, ['a', 'b'], { ward: WARD, grace: 3 });
  const [a, b] = await Promise.all([here.window('a'), here.window('b')]);
  await a.click('host-switch');
  await use(b);
  await make(a, 'Cama 7', 'Ana');
  await enter(b, 'Cama 7', 'Beatriz');
  await Promise.all([a.sees(1), b.sees(1)]);

  // In a call the language changes and the pictures go on.
  await a.click('menu-toggle');
  await a.click('language');
  await until('Spanish', SECONDS, () => a.page.run(() => document.documentElement.lang === 'es-MX'));
  await a.sees(1);
  await b.sees(1);
  await here.look('language');

  // The whole screen, and back.
  const isFull = () => a.page.run(() => Boolean(document.fullscreenElement ?? document.webkitFullscreenElement));
  await a.click('menu-full');
  await until('the whole screen', SECONDS, isFull);
  await a.sees(1);
  await here.look('full');
  await a.click('menu-full');
  await until('the window again', SECONDS, async () => !(await isFull()));

  process.kill(a.app.pid(), 'SIGKILL');
  here.people.splice(here.people.indexOf(a), 1);
  await b.reads('call-banner', 'The connection was lost');
  await here.look('lost');
  await b.reads('error-screen', /./);
  await here.look('gone');
  await b.click('back');
  await b.reads('lobby-state', 'No connection');
});

test('a link with the fingerprint needs no comparing; another ward in its place is a full stop', OPTIONS, async (t) => {
  const here = ward(t, ['a', 'b'], { ward: WARD, grace: 3 });
  const a = await here.window('a');
  await a.click('host-switch');
  await a.reads('host-url', here.url('a'));
  await a.click('host-panel');
  const address = `${here.lan.machine('a').address}:3000`;
  const b = await here.window('b', { args: [`visita://${address}?fp=sha256:${await fingerprint(a)}`] });
  await b.reads('link-address', address);
  await here.look('link');
  await b.click('link-connect');
  await b.reads('lobby-state', WARD);
  assert.deepEqual(await b.texts('first-use-close'), []);
  process.kill(a.app.pid(), 'SIGKILL');
  here.people.splice(here.people.indexOf(a), 1);
  await b.reads('lobby-state', 'No connection');
  here.program('a', 'visita-relay', ['serve', '--listen', '0.0.0.0:3000', '--data', join(here.files, 'imposter')]);
  await b.reads('error-screen', 'This is not the same host as before');
  await here.look('stopped');
  assert.deepEqual(await b.texts('room-row'), []);
});

test('a port that is taken: by whom, and another by one touch', OPTIONS, async (t) => {
  const here = ward(t, ['a', 'b'], { ward: WARD, grace: 3 });
  here.program('a', 'visita-relay', ['serve', '--listen', '0.0.0.0:3000', '--data', join(here.files, 'other')]);
  const request = here.lan.machine('a').request;
  await until('the other program', SECONDS, () => request('http://127.0.0.1:3000/', { redirect: 'manual' }).catch(() => null));
  const [a, b] = await Promise.all([here.window('a'), here.window('b')]);
  await a.click('host-switch');
  const alert = () => a.page.run(() => [...document.querySelectorAll('[role=alert]')].map((one) => one.textContent).join('\n'));
  await until('the sentence', SECONDS, async () => /Another Visita on this device uses port .?3000/.test(await alert()));
  await here.look('port-taken');
  await a.click('host-other-port');
  await a.reads('host-url', here.url('a', 3001));
  await b.reads('host-row', WARD);
});

test('the window is closed and hosting goes on; starting again shows it; the system starts it hidden', OPTIONS, async (t) => {
  const here = ward(t, ['a', 'b', 'c'], { ward: WARD, grace: 3 });
  const [a, b] = await Promise.all([here.window('a'), here.window('b')]);
  await a.click('host-switch');
  await a.reads('host-url', here.url('a'));
  await use(b);
  await make(b, 'Cama 7', 'Beatriz');
  const c = await here.browser('c', `${here.url('a')}/`);
  await enter(c, 'Cama 7', 'Carmen');
  await enter(a, 'Cama 7', 'Ana');
  await Promise.all([a.sees(2), b.sees(2), c.sees(2)]);

  // Said once, and then the window is gone, its own call with it; the call of the others goes on.
  a.app.close();
  await a.reads('window-close', 'Close the window');
  await here.look('closing');
  // Not by the driver's own click: it waits for ever for a window that is gone by then.
  await a.page.run(() => document.querySelector('[data-testid=window-close]').click());
  await until('a hidden window', SECONDS, () => isHidden(a));
  await Promise.all([b.sees(1), c.sees(1)]);
  const answer = await here.lan.machine('b').request(`${here.url('a').replace('https', 'http')}/`, { redirect: 'manual' });
  assert.equal(answer.status, 308);

  // Starting again ends at once, and shows the window.
  assert.equal(await a.app.startAgain(), 0);
  await until('a window that is seen', SECONDS, async () => !(await isHidden(a)));
  await a.reads('room-row', 'Cama 7');
  await here.look('again');

  // The second time nothing is said.
  a.app.close();
  await until('a hidden window', SECONDS, () => isHidden(a));
  assert.equal(await a.app.startAgain(), 0);
  await until('a window that is seen', SECONDS, async () => !(await isHidden(a)));
  await Promise.all([b.sees(1), c.sees(1)]);

  // Whoever doesn't host ends the app by closing its window.
  const pid = b.app.pid();
  here.people.splice(here.people.indexOf(b), 1);
  b.app.close();
  await until('the app’s end', SECONDS, () => !existsSync(`/proc/${pid}`) || b.app.pid() !== pid);

  // Started with the system it hosts again, as it did, and has no window until one is wanted.
  await a.click('host-panel');
  await a.click('host-at-boot');
  const entry = join(here.files, 'a', '.config', 'autostart', 'Visita.desktop');
  await until('the entry', SECONDS, () => existsSync(entry));
  assert.match(readFileSync(entry, 'utf8'), /^Exec=.*visita.* --at-boot/m);
  process.kill(a.app.pid(), 'SIGTERM');
  await until('the end', SECONDS, () => a.app.pid() === undefined);
  await a.app.end();
  here.people.splice(here.people.indexOf(a), 1);
  await c.reads('error-screen', /./);
  const booted = await here.window('a', { args: ['--at-boot'] });
  await booted.reads('host-url', here.url('a'));
  assert.equal(await isHidden(booted), true);
  assert.equal(await booted.app.startAgain(), 0);
  await until('a window that is seen', SECONDS, async () => !(await isHidden(booted)));
  await here.look('booted');
});
