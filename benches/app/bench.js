// The app's window, measured from outside: how soon it is usable, what it holds, and what a call of
// four costs it beside Chromium in the same call. Prints what docs/PERFORMANCE.md shows.
//
//   node benches/app/bench.js --built DIR [--runs 5] [--seconds 60]
//
// Needs root: everything runs on a network of its own (tests/browser/app-lan.js).
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { Lan, whyNot } from '../../tests/browser/app-lan.js';
import { Person, browserPage } from '../../tests/browser/app-person.js';
import { openApp } from '../../tests/browser/app-window.js';
import { CHROMIUM, chromium } from '../../tests/browser/browsers.js';
import { until } from '../../tests/browser/webdriver.js';
import { writeY4m } from '../../tests/browser/y4m.js';

const { values } = parseArgs({
  options: { built: { type: 'string' }, runs: { type: 'string', default: '5' }, seconds: { type: 'string', default: '60' } },
});
const built = resolve(values.built ?? 'target/release');
const APP = join(built, 'visita');
const VIEWPORT = { width: 1280, height: 860 };
/** What everybody's camera sees: the app's, Chromium's and the other two's are the same size. */
const CAMERA = { width: 640, height: 360, rate: 30 };
/** Seconds until a window or a call has settled, before anything is measured. */
const SETTLE = 10;
/** The kernel's ticks in a second. */
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const BOOTED = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))[1]);

if (whyNot()) throw new Error(whyNot());
const cleanups = [];
const t = { after: (cleanup) => cleanups.push(cleanup) };
const files = mkdtempSync(join(tmpdir(), 'visita-bench-'));
try {
  const starts = [];
  let empty;
  for (let run = 0; run < Number(values.runs); run += 1) {
    const { usable, painted, memory } = await start(`start-${run}`);
    starts.push({ usable, painted });
    empty = memory;
  }
  const call = await callOfFour();
  report(starts, empty, call);
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
  rmSync(files, { recursive: true, force: true });
}

/** One start on a fresh machine: ms from the process's start, and MiB on the first screen. */
async function start(name) {
  const lan = new Lan(['app']);
  try {
    const machine = lan.machine('app');
    const app = await openApp({ after() {} }, { machine, binary: APP, state: folder(name), env: { VISITA_CAMERA: 'none' } });
    // A control answers when a touch has changed what is shown.
    const usable = await until('the first screen', 60, () => app.session.run(() => {
      const press = document.querySelector('[data-testid=connect-other]');
      if (!press) return null;
      press.click();
      return document.querySelector('dialog[open]') && Date.now();
    }));
    const painted = await until('the first picture', 60, () => app.session.run(() => {
      const [paint] = performance.getEntriesByName('first-contentful-paint');
      return paint && performance.timeOrigin + paint.startTime;
    }));
    const began = startOf(app.pid());
    await seconds(SETTLE);
    const memory = weigh(ofApp(machine));
    return { usable: usable - began, painted: painted - began, memory };
  } finally {
    lan.remove();
  }
}

/** A window, Chromium and two participants without one in one room, for a while. */
async function callOfFour() {
  const lan = new Lan(['host', 'app', 'web', 'one', 'two']);
  cleanups.push(() => lan.remove());
  const camera = writeY4m(join(files, 'camera.y4m'), CAMERA);
  lan.machine('host').spawn(join(built, 'visita-relay'), ['serve', '--listen', '0.0.0.0:3000', '--data', folder('ward')], { stdio: 'ignore' });
  const url = `https://${lan.machine('host').address}:3000`;
  await until('the relay', 60, () => lan.machine('one').request(url.replace('https', 'http'), { redirect: 'manual' }).catch(() => null));
  for (const name of ['one', 'two']) {
    lan.machine(name).spawn(join(built, 'visita-client'), [
      'join', '--host', url, '--room', 'Bench', '--create', '--name', name, '--state', folder(name), '--video', 'synthetic:640x360@30',
    ], { stdio: 'ignore' });
  }
  const { session } = await openApp(t, {
    machine: lan.machine('app'), binary: APP, state: folder('app'), env: { VISITA_CAMERA: `file:${camera}` },
  });
  const app = new Person('the app', session);
  await app.click('host-use');
  await app.click('first-use-close');
  const chrome = await chromium({
    camera, pipe: true, path: lan.machine('web').standIn(CHROMIUM, files), args: [`--window-size=${VIEWPORT.width},${VIEWPORT.height}`],
  });
  t.after(chrome.close);
  const page = await chrome.browser.newPage();
  await page.setViewport(VIEWPORT);
  await page.goto(url);
  const web = new Person('Chromium', browserPage(page));
  for (const person of [app, web]) {
    await person.click('room-enter');
    await person.type('name-input', person.name);
    await person.click('enter');
  }
  await Promise.all([app.sees(3), web.sees(3)]);
  await seconds(SETTLE);
  const sides = { app: () => ofApp(lan.machine('app')), web: () => ofChromium(lan.machine('web')) };
  const before = { app: worked(sides.app()), web: worked(sides.web()) };
  const began = Date.now();
  await seconds(Number(values.seconds));
  const passed = (Date.now() - began) / 1000;
  const measured = {};
  for (const [side, pids] of Object.entries(sides)) {
    measured[side] = { cores: (worked(pids()) - before[side]) / passed, memory: weigh(pids()) };
  }
  // What was measured was a call to its end.
  await Promise.all([app.sees(3), web.sees(3)]);
  return { ...measured, seconds: passed };
}

/** The app's own process and its web view's. */
function ofApp(machine) {
  return pick(machine, (program) => program === APP || /^WebKit(Web|Network|GPU)Process$/.test(basename(program)));
}

function ofChromium(machine) {
  return pick(machine, (program) => /chrom/.test(program));
}

function pick(machine, is) {
  const pids = machine.processes().filter(({ program }) => is(program)).map(({ pid }) => pid);
  if (!pids.length) throw new Error(`nothing to measure on ${machine.namespace}`);
  return pids;
}

/** Fields of a process's /proc/PID/stat, from the third on: its name may hold anything. */
function stat(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** When a process began, in ms since 1970. */
function startOf(pid) {
  return 1000 * (BOOTED + Number(stat(pid)[19]) / TICKS);
}

/** Seconds of CPU that processes took so far. */
function worked(pids) {
  return pids.reduce((sum, pid) => sum + Number(stat(pid)[11]) + Number(stat(pid)[12]), 0) / TICKS;
}

/** Proportional memory of processes, in MiB. */
function weigh(pids) {
  const kib = pids.map((pid) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]));
  return kib.reduce((sum, one) => sum + one, 0) / 1024;
}

function folder(name) {
  const path = join(files, name);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  writeFileSync(join(path, '.keep'), '');
  return path;
}

function seconds(count) {
  return new Promise((done) => {
    setTimeout(done, 1000 * count);
  });
}

function report(starts, empty, call) {
  const middle = (key) => starts.map((one) => one[key]).sort((a, b) => a - b)[Math.floor(starts.length / 2)];
  const worst = (key) => Math.max(...starts.map((one) => one[key]));
  const ms = (value) => `${Math.round(value)} ms`;
  const lines = [
    `| the app's window, ${VIEWPORT.width}×${VIEWPORT.height}, no GPU | |`,
    '| --- | ---: |',
    `| start to the first picture, median of ${starts.length} (worst) | ${ms(middle('painted'))} (${ms(worst('painted'))}) |`,
    `| start until a control answers, median of ${starts.length} (worst) | ${ms(middle('usable'))} (${ms(worst('usable'))}) |`,
    `| memory on the first screen (PSS of the app and its web view) | ${Math.round(empty)} MiB |`,
    '',
    `| in one call of four, ${Math.round(call.seconds)} s | app | Chromium |`,
    '| --- | ---: | ---: |',
    `| CPU, cores | ${call.app.cores.toFixed(2)} | ${call.web.cores.toFixed(2)} |`,
    `| memory (PSS of all its processes) | ${Math.round(call.app.memory)} MiB | ${Math.round(call.web.memory)} MiB |`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
