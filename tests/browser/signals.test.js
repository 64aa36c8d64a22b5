// The soft sounds, in real browsers: who waits knocks, who comes and leaves is heard, and while
// somebody speaks nothing is.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { APART_MS } from '../../ui/call/signals.js';
import { chromium, firefox, PATIENCE, until } from './browsers.js';
import { participant, relay } from './harness.js';
import { pulse } from './pulse.js';
import { by, open } from './screens.js';
import { listening, swingOf, writeWav } from './tones.js';

const LONG = { timeout: 5 * PATIENCE };
/** What one of the others says. */
const SPEECH = 1000;
/** From here on a note is heard: it lasts a part of the third of a second that is looked at. */
const HEARD = 0.008;
/** How often what is played is looked at, in ms: much oftener than a note is over. */
const LOOK = 50;

const { signals: SIGNALS } = JSON.parse(readFileSync(new URL('../../protocol/vectors/signals.json', import.meta.url), 'utf8'));
const PITCHES = [...new Set(Object.values(SIGNALS).flat().map(({ hertz }) => hertz)), SPEECH];

let files;
let silence;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-signals-'));
  silence = writeWav(join(files, 'silence.wav'), 0);
});

after(() => rmSync(files, { recursive: true, force: true }));

/** Runs in a page before its scripts: sounds are wanted at any hour. */
const wanted = () => {
  // The empty page before it has no storage.
  if (globalThis.origin !== 'null') localStorage.setItem('visita.signals', 'on');
};

/** Runs in a page before its scripts: what it plays is looked at, over and over, in whichever context. */
function looking(swing, pitches, every) {
  globalThis.looked = [];
  const taps = [];
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function looked(to, ...rest) {
    if (to instanceof AudioDestinationNode) {
      const tap = Object.assign(this.context.createAnalyser(), { fftSize: 16_384 });
      connect.call(this, tap);
      taps.push(tap);
    }
    return connect.call(this, to, ...rest);
  };
  const samples = new Float32Array(16_384);
  setInterval(() => {
    const swings = pitches.map(() => 0);
    for (const tap of taps.filter(({ context }) => context.state === 'running')) {
      tap.getFloatTimeDomainData(samples);
      pitches.forEach((hertz, at) => {
        swings[at] += swing(samples, hertz);
      });
    }
    globalThis.looked.push(swings);
  }, every);
}

/** Chromium, which plays nowhere: looked at before it leaves the page. */
async function inChromium(t) {
  const chrome = await chromium({ args: [`--use-file-for-fake-audio-capture=${silence}`] });
  t.after(chrome.close);
  const looks = `(${looking})(${swingOf}, ${JSON.stringify(PITCHES)}, ${LOOK})`;
  return {
    browser: chrome.browser,
    prepare: `(${wanted})();${looks}`,
    looked: (page) => page.evaluate(() => globalThis.looked.splice(0)),
  };
}

/** Firefox, at the null sink that it plays to. */
async function inFirefox(t) {
  const device = await pulse(t);
  const fox = await firefox({ env: device.env, prefs: { 'media.navigator.streams.fake': false } });
  t.after(fox.close);
  const heard = device.listen();
  const looked = [];
  const timer = setInterval(() => {
    const samples = heard();
    looked.push(PITCHES.map((hertz) => swingOf(samples, hertz)));
  }, LOOK);
  t.after(() => clearInterval(timer));
  return { browser: fox.browser, prepare: `(${wanted})()`, looked: () => looked.splice(0) };
}

/** Which of the sounds was heard, if one was: told by when each note was at its loudest. */
function signalIn(looked) {
  const loudest = (hertz) => {
    const swings = looked.map((swings) => swings[PITCHES.indexOf(hertz)]);
    return { most: Math.max(0, ...swings), at: swings.indexOf(Math.max(...swings)) };
  };
  const [first, second] = SIGNALS.join.map(({ hertz }) => loudest(hertz));
  if (first.most > HEARD && second.most > HEARD) return first.at < second.at ? 'join' : 'leave';
  return loudest(SIGNALS.knock[0].hertz).most > HEARD ? 'knock' : null;
}

for (const [name, start] of [['Chromium', inChromium], ['Firefox', inFirefox]]) {
  test(`${name}: a knock, who comes and who leaves are heard, and none while somebody speaks`, LONG, async (t) => {
    const host = await relay(t);
    const { browser, prepare, looked } = await start(t);
    const person = (who, args = []) => participant(t, host, 'Rosa', who, { video: 'none', role: who === 'Rosa' ? 'family' : 'staff', args });
    const patient = await open(browser, `${host.url}/paciente`, { prepare });
    // A tablet that nobody ever touched makes no sound.
    await patient.page.mouse.click(5, 300);
    /** All that was looked at since the last sound, or since it was begun anew. */
    let all = [];
    const look = async () => {
      all.push(...await looked(patient.page));
      return all;
    };
    const hears = async (which) => {
      await until(which, async () => signalIn(await look()) === which);
      // Its end belongs to it, and not to what comes next.
      await pause(1);
      all = [];
    };
    /** So many seconds of what is played. */
    const pause = async (seconds) => {
      const from = (await look()).length;
      await until('time to pass', async () => (await look()).length - from > (seconds * 1000) / LOOK);
    };

    await until('the list', () => patient.page.$('.chip.good'));
    const rosa = person('Rosa');
    await hears('knock');
    await patient.press('waiting-row');
    await patient.reads('tile', 'Rosa');
    await pause(3);
    assert.equal(signalIn(all), null, 'who is there already doesn’t come');

    const luis = person('Luis');
    await hears('join');
    await pause(5);
    await luis.report();
    await hears('leave');
    await pause(5);

    // While somebody speaks nobody is heard to come, nor afterwards.
    const eva = person('Eva', ['--audio', `tone:${SPEECH}`]);
    await hears('join');
    await until('her voice', async () => (await look()).some((swings) => swings[PITCHES.indexOf(SPEECH)] > 0.05));
    await pause(5);
    all = [];
    const ivo = person('Ivo');
    await patient.reads('notice', 'Ivo');
    await pause(2);
    assert.ok(all.some((swings) => swings[PITCHES.indexOf(SPEECH)] > 0.05), 'she goes on');
    assert.equal(signalIn(all), null, 'and is not talked over');
    await eva.report();
    await until('her tile to go', async () => (await patient.page.$$(by('tile'))).length === 2);
    await pause(5);
    assert.equal(signalIn(all), null, 'nothing is made up for');
    await ivo.report();
    await hears('leave');
    await rosa.report();
    patient.clean();
  });
}

test('a page that nobody touched makes no sound, and none is waiting for a touch', LONG, async (t) => {
  const host = await relay(t);
  const chrome = await chromium({ args: [`--use-file-for-fake-audio-capture=${silence}`] });
  t.after(chrome.close);
  const page = await chrome.browser.newPage();
  const told = [];
  page.on('console', (message) => told.push(message.text()));
  await page.evaluateOnNewDocument(`(${listening})();(${wanted})()`);
  // The page looks at itself, and says it aloud: what puppeteer runs in a page counts as a touch.
  await page.evaluateOnNewDocument((row) => addEventListener('DOMContentLoaded', () => {
    new MutationObserver(() => {
      if (document.querySelector('.chip.good')) console.info('live');
      if (document.querySelector(row)) console.info('waits');
    }).observe(document, { subtree: true, childList: true, attributes: true });
    const Context = globalThis.AudioContext;
    globalThis.AudioContext = class extends Context {
      constructor(...given) {
        super(...given);
        console.info('context');
      }
    };
    addEventListener('click', () => console.info('touched'));
  }), by('waiting-row'));
  await page.goto(`${host.url}/paciente`);
  await until('the list', () => told.includes('live'));
  participant(t, host, 'Rosa', 'Rosa', { role: 'family', video: 'none' });
  await until('the visitor', () => told.includes('waits'));
  const since = Date.now();
  await page.mouse.click(5, 300);
  await until('the touch', () => told.includes('touched'));
  // Who comes at once with another is no sound of its own.
  await until('time to pass', () => Date.now() - since > APART_MS);
  participant(t, host, 'Eva', 'Eva', { role: 'family', video: 'none' });
  // With the touch there is sound from now on, for who comes from now on.
  await until('the next knock', () => told.includes('context'));
  assert.ok(told.indexOf('context') > told.indexOf('touched'), told.join());
  assert.equal(await page.evaluate(() => globalThis.contexts.length), 1, 'one knock');
});
