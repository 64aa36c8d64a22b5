// Two windows of the app, each on a machine with a PulseAudio of its own: what is said into the
// microphone of one comes out of the loudspeaker of the other, through the devices that were chosen,
// until it is muted or something is pulled out.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { whyNot } from './app-lan.js';
import { ward } from './app-ward.js';
import { PATIENCE, until } from './browsers.js';
import { pulse } from './pulse.js';
import { partOf, swingOf, writeWav } from './tones.js';

const WARD = 'Medicina 3 Norte';
const ROOM = 'Cama 12';
/** What each microphone hears, in hertz: far from each other's overtones, and from the test tone. */
const OWN = 440;
const HEADSET = 1130;
const OTHER = 700;
/** The app's test tone (src-tauri/src/sounds/play.rs). */
const TEST_TONE = 523;
/** The pitches of who comes and of who waits (src-tauri/src/sounds/signal.rs), and from where on one is heard. */
const COMES = [587, 880];
const KNOCKS = 392;
const HEARD = 0.008;
/** What is softer than this is silence: −60 dBFS. */
const SILENT = 1e-3;

const id = (name) => `[data-testid=${name}]`;

/** A headset and a loudspeaker at the bed, as modules of PulseAudio, plugged in and pulled out. */
function plugs({ tell }) {
  const load = (...module) => tell('load-module', ...module).trim();
  load('module-null-sink', 'sink_name=near', 'rate=48000', 'channels=1', 'sink_properties=device.description=Near');
  const headset = () => load('module-remap-source', 'source_name=headset', 'master=near.monitor', 'source_properties=device.description=Headset');
  const bed = () => load('module-null-sink', 'sink_name=bed', 'rate=48000', 'sink_properties=device.description=Bed');
  return { headset, bed, pull: (module) => tell('unload-module', module) };
}

/** The devices of a kind that a person sees, and which of them is taken. */
const seen = (person, kind) => person.page.run((list) => [...document.querySelectorAll(`${list} .device-option`)].map((option) => ({
  name: option.querySelector('.device-name').textContent.replace(/[\u2066-\u2069]/g, ''),
  taken: option.querySelector('input').checked,
})), id(`${kind}-list`));

/** Waits until a device is in the list, chooses it, and waits until it is taken. */
async function takes(person, kind, name) {
  const there = async () => (await seen(person, kind)).find((device) => device.name === name);
  await until(`${name} at ${person.name}`, async () => {
    if (await there()) return true;
    throw new Error(`there is ${JSON.stringify(await seen(person, kind))}`);
  });
  await person.page.run((list, wanted) => {
    const options = [...document.querySelectorAll(`${list} .device-option`)];
    options.find((option) => option.querySelector('.device-name').textContent.includes(wanted)).querySelector('input').click();
  }, id(`${kind}-list`), name);
  await until(`${name} to be taken at ${person.name}`, async () => (await there()).taken);
}

/** Waits until a tone of this pitch is heard and next to nothing else. */
async function rings(heard, hertz, part = 0.9) {
  await until(`${hertz} Hz`, () => {
    const samples = heard();
    const [found, peak] = [partOf(samples, hertz), Math.max(0, ...samples.map(Math.abs))];
    if (found > part && peak > 0.02) return true;
    throw new Error(`${found.toFixed(3)} of the power is at ${hertz} Hz, peak ${peak.toFixed(3)}`);
  });
}

/** Waits until nothing is heard. */
const falls = (heard) => until('silence', () => {
  const samples = heard();
  return samples.length > 0 && samples.every((sample) => Math.abs(sample) < SILENT);
});

/** Waits until a soft sound of this pitch is heard. */
const sounds = (heard, hertz) => until(`a soft sound of ${hertz} Hz`, () => swingOf(heard(), hertz) > HEARD);

/** A tone isn't speech: the processing would take it out. Switched off as a person with a headset does, it stays so. */
async function unprocessed(person) {
  await person.page.run(() => {
    localStorage.setItem('visita.processing', 'off');
    localStorage.setItem('visita.signals', 'on');
    location.reload();
  });
  await person.page.find(id('host-switch'));
}

test('two windows hear each other through their devices', { timeout: 6 * PATIENCE, skip: whyNot() || false }, async (t) => {
  const here = ward(t, ['a', 'b'], { ward: WARD, grace: 3 });
  const [deviceA, deviceB] = await Promise.all([pulse(t), pulse(t)]);
  const tone = (hertz) => writeWav(join(here.files, `${hertz}.wav`), hertz);
  deviceA.say(tone(OWN));
  deviceB.say(tone(OTHER));
  const plug = plugs(deviceA);
  deviceA.say(tone(HEADSET), 'near');
  const real = { VISITA_MICROPHONE: 'device', VISITA_SPEAKER: 'device' };
  const [a, b] = await Promise.all([['a', deviceA], ['b', deviceB]].map(([name, { env }]) => here.window(name, { env: { ...real, ...env } })));
  await Promise.all([unprocessed(a), unprocessed(b)]);
  const atB = deviceB.listen();

  await a.click('host-switch');
  await a.reads('host-url', here.url('a'));
  await b.reads('host-row', WARD);
  await b.click('host-use');
  await b.click('first-use-close');
  await a.click('new-room');
  await a.type('new-room-name', ROOM);
  await a.click('create-room');

  // Before one enters: one is heard, hears a tone from the loudspeaker that was plugged in just now,
  // and oneself.
  await a.reads('check-works', 'You can be seen and heard');
  await a.click('sound-fold');
  const bed = plug.bed();
  const headset = plug.headset();
  await takes(a, 'speaker', 'Bed');
  const names = (await seen(a, 'mic')).map(({ name }) => name);
  assert.ok(names.includes('Headset') && names.length === 2, `what plays is no microphone: ${names}`);
  const atBed = deviceA.listen('bed');
  // A tone is short: it is listened to before it begins.
  await falls(atBed);
  await a.click('check-tone');
  await rings(atBed, TEST_TONE);
  await falls(atBed);
  await a.click('check-sample');
  await rings(atBed, OWN);
  await falls(atBed);
  await here.look('check');

  await a.type('name-input', 'Ana');
  await a.click('enter');
  await b.reads('room-row', ROOM);
  await b.click('room-enter');
  await b.reads('check-works', 'You can be seen and heard');
  await b.type('name-input', 'Beatriz');
  await b.click('enter');
  await Promise.all([a.sees(1), b.sees(1)]);
  await Promise.all([rings(atB, OWN), rings(atBed, OTHER)]);
  // It is seen as well, at both ends.
  const loud = (person, where) => until(`a meter at ${person.name}`, () => person.page.run((bars) => {
    const meter = document.querySelector(bars);
    return Number(meter?.style.getPropertyValue('--loud')) > 0;
  }, where));
  await loud(a, `${id('mic-toggle')} .bars`);
  await loud(b, `${id('tile')} .bars`);
  await here.look('call');

  // Muted, there is nothing, and it says so at both ends.
  const pressed = (state) => until(`a microphone that is ${state}`, () => a.page.run(
    (toggle) => document.querySelector(toggle).getAttribute('aria-pressed'), id('mic-toggle')).then((value) => value === state));
  await pressed('true');
  await a.click('mic-toggle');
  await pressed('false');
  await falls(atB);
  const mutedAtB = (muted) => until(`${muted} at b`, () => b.page.run((tile) => {
    const words = document.querySelector(`${tile} .tile-sound .for-readers`);
    return words.checkVisibility?.() ?? words.offsetParent !== null;
  }, id('tile')).then((shown) => shown === muted));
  await mutedAtB(true);
  await here.look('muted');
  await a.click('mic-toggle');
  await pressed('true');
  await rings(atB, OWN);
  await mutedAtB(false);

  // Another microphone. Pulled out, the system's own stands in; plugged in again, it is back. It is
  // said each time.
  const [own] = names.filter((name) => name !== 'Headset');
  await a.click('menu-toggle');
  await takes(a, 'mic', 'Headset');
  await a.reads('notice', 'The microphone is now Headset');
  await rings(atB, HEADSET);
  plug.pull(headset);
  await a.reads('notice', `The microphone is now ${own}`);
  await rings(atB, OWN);
  plug.headset();
  await a.reads('notice', 'The microphone is now Headset');
  await rings(atB, HEADSET);
  // So with the loudspeaker.
  const elsewhere = deviceA.listen();
  plug.pull(bed);
  await a.reads('notice', 'The speaker is now');
  await rings(elsewhere, OTHER);
  plug.bed();
  await a.reads('notice', 'The speaker is now Bed');
  const again = deviceA.listen('bed');
  await rings(again, OTHER);

  // All is given back.
  await a.click('menu-close');
  await a.click('leave');
  await falls(atB);
  const streams = () => ['source-outputs', 'sink-inputs'].map((kind) => deviceA.tell('list', kind)).join('\n');
  await until('the devices to be free', () => !/application\.name = "cpal/.test(streams()));
  await b.click('leave');

  // It is quiet: who waits knocks at the list, and who comes is heard in the call.
  for (const sink of ['said', 'near']) deviceA.tell('set-sink-mute', sink, '1');
  const comes = (name) => here.program('b', 'visita-client', [
    'join', '--host', here.url('a'), '--room', 'Cama 14', '--create', '--name', name, '--role', 'family',
    '--state', join(here.files, name), '--video', 'none',
  ]);
  await a.reads('lobby-state', WARD);
  comes('Rosa');
  await sounds(again, KNOCKS);
  await a.reads('room-row', 'Cama 14');
  await a.click('room-enter');
  await a.reads('tile', 'Rosa');
  await falls(again);
  comes('Eva');
  await Promise.all(COMES.map((hertz) => sounds(again, hertz)));
});
