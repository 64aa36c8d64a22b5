// Issue 4, "What must be shown", 2: two real windows of the app and two browsers, each on a machine
// of its own, in one call: found by mDNS, listed, joined, seen, written to, and missed.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Lan, whyNot } from './app-lan.js';
import { Person, browserPage } from './app-person.js';
import { openApp } from './app-window.js';
import { CHROMIUM, PATIENCE, chromium } from './browsers.js';
import { TOP, folder } from './harness.js';
import { until } from './webdriver.js';
import { writeY4m } from './y4m.js';

const APP = join(process.env.VISITA_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(TOP, 'target'), 'debug'), 'visita');

/** Markup and both directions in the names: they are text, and stay so. */
const ROOM = 'Cama 12 <b>norte</b>';
const WARD = 'Medicina 3 Norte';
/** Seconds until a lost person is missed; the usual thirty would only make the test slow. */
const GRACE = 3;

test('two windows and two browsers in one call', { timeout: 6 * PATIENCE, skip: whyNot() || false }, async (t) => {
  assert.ok(existsSync(APP), `${APP} is missing: cargo build -p visita`);
  const files = folder(t);
  const camera = writeY4m(join(files, 'camera.y4m'), { width: 320, height: 180, rate: 15 });
  const lan = new Lan(['a', 'b', 'family', 'bedside']);
  t.after(() => lan.remove());
  const shots = process.env.VISITA_SHOTS;
  const people = [];
  const look = async (what) => {
    if (!shots) return;
    mkdirSync(shots, { recursive: true });
    for (const person of people) writeFileSync(join(shots, `${what}-${person.name}.png`), await person.screenshot());
  };

  let heard = '';
  const window = async (name) => {
    const state = join(files, name);
    mkdirSync(join(state, 'visita', 'relay'), { recursive: true });
    writeFileSync(join(state, 'visita', 'relay', 'relay.toml'), `ward = "${WARD}"\n[limits]\ngrace_s = ${GRACE}\n`);
    const app = await openApp(t, {
      machine: lan.machine(name), binary: APP, state,
      env: { VISITA_DATA: join(state, 'visita'), VISITA_CAMERA: 'synthetic:320x180@15', VISITA_LOG: 'info,visita=trace,visita_client=trace,visita_relay=trace' },
      heard: (text) => { heard += text; },
    });
    const person = Object.assign(new Person(name, app.session), { app, screenshot: app.screenshot });
    people.push(person);
    return person;
  };
  const browser = async (name, path) => {
    const chrome = await chromium({ camera, pipe: true, path: lan.machine(name).standIn(CHROMIUM, files) });
    t.after(chrome.close);
    const page = await chrome.browser.newPage();
    await page.goto(`https://${lan.machine('a').address}:3000${path}`);
    const person = Object.assign(new Person(name, browserPage(page)), { screenshot: () => page.screenshot() });
    people.push(person);
    return person;
  };

  const [a, b] = await Promise.all([window('a'), window('b')]);

  // A hosts; B finds it by itself.
  await a.click('host-switch');
  const url = `https://${lan.machine('a').address}:3000`;
  await a.reads('host-url', url);
  await b.reads('host-row', WARD);
  await b.click('host-use');
  await b.reads('fingerprint', /[0-9a-f]{4}/);
  await b.click('first-use-close');
  await look('1-found');

  // A makes a room and is in it; B sees it in the list and joins.
  await a.click('new-room');
  await a.type('new-room-name', ROOM);
  await a.page.run(() => document.querySelector('[data-testid=kind-bed]').click());
  await a.click('create-room');
  // One sees oneself before one is seen.
  await a.seesSelf(4, 'check-canvas');
  await a.type('name-input', 'Ana');
  await a.click('enter');
  await b.reads('room-row', ROOM);
  const room = await b.page.run(() => document.querySelector('[data-testid=room-row]').dataset.room);
  await look('2-listed');
  await b.click('room-enter');
  await b.type('name-input', 'Beatriz');
  await b.click('enter');
  await Promise.all([a.sees(1), b.sees(1), a.seesSelf()]);

  // A relative and the patient, each with a browser alone.
  const family = await browser('family', `/Familiar/#room=${room}`);
  await family.type('familiar-name', 'Carmen');
  await family.click('familiar-enter');
  const bedside = await browser('bedside', '/Paciente/');
  await bedside.reads('waiting-row', ROOM);
  await bedside.click('waiting-row');

  // Everybody sees everybody move, and nobody sees anybody else.
  const members = await Promise.all(people.map((person) => person.sees(3)));
  const everybody = [...new Set(members.flat())].sort((x, y) => x - y);
  assert.equal(everybody.length, 4);
  members.forEach((shown, index) => assert.equal(shown.length, 3, people[index].name));
  assert.equal(new Set(members.map(String)).size, 4, 'each one lacks another: oneself');
  await look('3-call');

  // Chat goes all ways, once each.
  const lines = people.map(({ name }) => `Saludos de ${name} <i>ya</i>`);
  for (const [index, person] of people.entries()) await person.chats(lines[index]);
  await Promise.all(people.map((person) => person.hears(lines)));
  await look('4-chat');

  // B is killed: nobody says goodbye for it, and after the grace time everybody is told.
  process.kill(b.app.pid(), 'SIGKILL');
  people.splice(people.indexOf(b), 1);
  await Promise.all(people.map((person) => person.reads('notice', 'Beatriz')));
  await look('5-missed');
  await Promise.all(people.map((person) => person.sees(2)));

  // A leaves, and ends hosting: the others are told at once.
  await a.click('leave');
  await a.click('host-switch');
  await a.click('host-stop-confirm');
  people.splice(people.indexOf(a), 1);
  await Promise.all(people.map((person) => person.reads('error-screen', /./)));
  await look('6-ended');

  // Nothing that people are called or wrote is in the apps' logs, nor anything that a terminal obeys.
  assert.match(heard, /joined/, 'something was logged');
  for (const word of ['Ana', 'Beatriz', 'Carmen', 'Saludos', '<b>', '<i>']) assert.ok(!heard.includes(word), `${word} is in the log`);
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(heard, /[\u0000-\u0008\u000b-\u001f\u007f]/);
});

test('a device that can keep nothing says so, and trusts nobody', { timeout: 2 * PATIENCE, skip: whyNot() || false }, async (t) => {
  const lan = new Lan(['a']);
  t.after(() => lan.remove());
  const { session } = await openApp(t, {
    machine: lan.machine('a'), binary: APP, state: folder(t),
    // A folder under what isn't one: not even root can write there.
    env: { VISITA_DATA: '/dev/null/visita' },
  });
  const alerts = () => [...document.querySelectorAll('[role=alert]')].map(({ textContent }) => textContent).join('\n');
  const says = (text) => until(text, PATIENCE / 1000, async () => (await session.run(alerts)).includes(text));
  await session.click('[data-testid=host-switch]');
  await says('The data folder can’t be written.');
  await session.click('[data-testid=connect-other]');
  await session.type('[data-testid=address-input]', '198.18.0.99');
  await session.click('[data-testid=connect]');
  await says('can’t read or keep which hosts it trusts');
});
