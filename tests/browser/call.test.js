// Browsers in a call with `visita-client`, over a real relay.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, firefox, PATIENCE, until, withoutH264, withoutMedia } from './browsers.js';
import { line, participant, relay } from './harness.js';
import { joinFrom, rowOf } from './page.js';
import { serveUi } from './static.js';
import { writeY4m } from './y4m.js';

const LONG = { timeout: 4 * PATIENCE };
/** Any document of the relay's origin; the test brings the scripts. */
const BLANK = '/api/v1/health';

let files;
let camera;
/** A camera whose picture takes all the bits that it is given. */
let busy;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-call-'));
  camera = writeY4m(join(files, 'camera.y4m'));
  busy = writeY4m(join(files, 'busy.y4m'), { noise: 48 });
});

after(() => rmSync(files, { recursive: true, force: true }));

test('Chromium and visita-client see each other over WebCodecs', LONG, async (t) => {
  const host = await relay(t);
  const ana = participant(t, host, 'sala', 'Ana');
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const luis = await joinFrom(chrome.browser, host.url + BLANK, { room: 'sala', name: 'Luis' });
  const numbers = await luis.sees('Ana', 30);
  assert.deepEqual(numbers, numbers.slice().sort((a, b) => a - b), 'pictures come in order');
  const { tracks } = await luis.member('Ana');
  assert.equal(tracks[0].codec, 'h264');
  await luis.chat('Buenos días <b>a todos</b>');
  await luis.reads('Buenos días <b>a todos</b>');
  const report = await ana.report();
  const row = rowOf(report, 'Luis', 'h264');
  assert.deepEqual([row.width, row.height], [640, 360]);
  assert.ok(report.sent.some(({ codec, frames }) => codec === 'h264' && frames > 0));
  assert.ok(!report.sent.some(({ codec, frames }) => codec === 'jpeg' && frames > 0), 'nobody needs JPEG');
  await luis.event("Ana's leaving", ({ message }) => message?.type === 'member_left' && message.reason === 'left');
  luis.clean();
});

test('Chromium without WebCodecs and WebRTC: JPEG both ways', LONG, async (t) => {
  const host = await relay(t);
  const ana = participant(t, host, 'sala', 'Ana');
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const luis = await joinFrom(chrome.browser, host.url + BLANK, { room: 'sala', name: 'Luis', prepare: withoutMedia });
  await luis.sees('Ana', 20);
  await until('pictures at Ana', async () => (await luis.member('Ana')).painted > 20);
  const report = await ana.report();
  rowOf(report, 'Luis', 'jpeg');
  assert.ok(report.sent.some(({ codec, frames }) => codec === 'jpeg' && frames > 0));
  luis.clean();
});

test('Firefox with libavcodec: H.264 both ways', LONG, async (t) => {
  const host = await relay(t);
  const ana = participant(t, host, 'sala', 'Ana');
  const fox = await firefox();
  t.after(fox.close);
  const luis = await joinFrom(fox.browser, host.url + BLANK, { room: 'sala', name: 'Luis' });
  await luis.sees('Ana', 20);
  rowOf(await ana.report(), 'Luis', 'h264');
  luis.clean();
});

test('Firefox without H.264: VP8 for all in its room, and H.264 again when it leaves', LONG, async (t) => {
  const host = await relay(t);
  const ana = participant(t, host, 'sala', 'Ana', { args: ['--report-every', '0.5'] });
  const [fox, chrome] = await Promise.all([firefox({ prefs: withoutH264 }), chromium({ camera })]);
  t.after(fox.close);
  t.after(chrome.close);
  const eva = await joinFrom(chrome.browser, host.url + BLANK, { room: 'sala', name: 'Eva' });
  await eva.sees('Ana', 10);
  /** What Ana's last report says of a codec: frames that it sent, and that it decoded of Eva's. */
  const at = (codec) => {
    const { sent, received } = JSON.parse(ana.lines[ana.lines.length - 1] ?? '{"sent":[],"received":[]}');
    const ours = sent.filter((row) => row.codec === codec).map(({ frames }) => frames);
    const hers = received.filter((row) => row.codec === codec && row.name === 'Eva').map((row) => row.frames_decoded);
    return [...ours, ...hers].length === 2 ? [ours[0], hers[0]] : [0, 0];
  };
  await until('H.264 between Ana and Eva', () => at('h264').every((frames) => frames > 5));
  assert.deepEqual(at('vp8'), [0, 0]);

  const luis = await joinFrom(fox.browser, host.url + BLANK, { room: 'sala', name: 'Luis' });
  await Promise.all([luis.sees('Ana', 10), luis.sees('Eva', 10), eva.sees('Ana', 10), eva.seesColours('Luis')]);
  await until('VP8 between Ana and Eva', () => at('vp8').every((frames) => frames > 20));
  const before = at('h264');
  const while8 = at('vp8');
  await until('more VP8', () => at('vp8').every((frames, which) => frames > while8[which] + 30));
  assert.deepEqual(at('h264'), before, 'nobody encodes a second picture');

  await luis.leave();
  await until('H.264 again', () => at('h264').every((frames, which) => frames > before[which] + 20));
  await eva.sees('Ana', 10);
  const after = at('vp8');
  const again = at('h264');
  await until('more H.264', () => at('h264').every((frames, which) => frames > again[which] + 30));
  assert.deepEqual(at('vp8'), after, 'and VP8 no more');
  const report = await ana.report();
  assert.ok(rowOf(report, 'Luis', 'vp8').frames_dropped === 0, JSON.stringify(report));
  luis.clean();
  eva.clean();
});

test('Firefox without WebCodecs: JPEG both ways, and its colours reach Chromium', LONG, async (t) => {
  const host = await relay(t);
  const ana = participant(t, host, 'sala', 'Ana');
  const [fox, chrome] = await Promise.all([firefox({ prefs: { 'dom.media.webcodecs.enabled': false } }), chromium({ camera })]);
  t.after(fox.close);
  t.after(chrome.close);
  const luis = await joinFrom(fox.browser, host.url + BLANK, { room: 'sala', name: 'Luis' });
  const eva = await joinFrom(chrome.browser, host.url + BLANK, { room: 'sala', name: 'Eva' });
  await Promise.all([luis.sees('Ana', 10), luis.sees('Eva', 10), eva.sees('Ana', 10), eva.seesColours('Luis')]);
  const report = await ana.report();
  rowOf(report, 'Luis', 'jpeg');
  rowOf(report, 'Eva', 'h264');
  luis.clean();
  eva.clean();
});

test('a page of a listed foreign origin works, one of another origin does not', LONG, async (t) => {
  const [listed, other] = await Promise.all([serveUi(), serveUi()]);
  t.after(listed.close);
  t.after(other.close);
  const host = await relay(t, { config: `allowed_origins = ["${listed.origin}"]` });
  participant(t, host, 'sala', 'Ana');
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const at = (server) => `${server.origin}/blank?relay=${encodeURIComponent(host.url)}`;
  const luis = await joinFrom(chrome.browser, at(listed), { room: 'sala', name: 'Luis' });
  await luis.sees('Ana', 10);
  const fetched = (page) => page.evaluate(
    (url) => fetch(`${url}/api/v1/rooms`).then((response) => response.json()).then(({ rooms }) => rooms.length, () => 'refused'),
    host.url);
  assert.equal(await fetched(luis.page).catch(() => 'refused'), 1);

  const stranger = await joinFrom(chrome.browser, at(other), { room: 'sala', name: 'Nadie', camera: false });
  const ended = await stranger.event('the refusal', ({ type, state }) => type === 'connection' && state === 'ended');
  assert.equal(ended.code, 'unreachable');
  assert.equal(await fetched(stranger.page).catch(() => 'refused'), 'refused');
  await luis.page.bringToFront();
  await luis.sees('Ana', 5);
  assert.equal(await luis.member('Nadie'), undefined);
});

test('a line that breaks is resumed: nobody leaves, no line of chat is lost, the picture goes on', LONG, async (t) => {
  const host = await relay(t);
  const wire = await line(t, host.port);
  const ana = participant(t, host, 'sala', 'Ana');
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const luis = await joinFrom(chrome.browser, `https://127.0.0.1:${wire.port}${BLANK}`, { room: 'sala', name: 'Luis' });
  const eva = await joinFrom(chrome.browser, host.url + BLANK, { room: 'sala', name: 'Eva', camera: false });
  await luis.page.bringToFront();
  await luis.sees('Ana', 5);

  wire.down = true;
  await luis.event('the break', ({ type, state }) => type === 'connection' && state === 'reconnecting');
  await eva.event('the break at Eva', ({ message }) => message?.type === 'member_changed' && message.member.connection === 'reconnecting');
  await luis.chat('uno');
  await luis.chat('dos');
  await eva.chat('tres');
  await eva.reads('tres');
  wire.down = false;
  await until('the resume', async () => (await luis.events()).filter(({ state }) => state === 'connected').length === 2);
  await Promise.all([eva.reads('uno'), eva.reads('dos'), luis.reads('tres')]);
  await luis.sees('Ana', 10);

  const said = async (at) => (await at.events())
    .filter(({ message }) => message?.type === 'chat').map(({ message }) => message.text).sort();
  assert.deepEqual(await said(luis), ['dos', 'tres', 'uno']);
  assert.deepEqual(await said(eva), ['dos', 'tres', 'uno']);
  assert.ok(!(await eva.events()).some(({ message }) => message?.type === 'member_left'));
  rowOf(await ana.report(), 'Luis', 'h264');
});

test('a page that is closed has left at once', LONG, async (t) => {
  const host = await relay(t);
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const eva = await joinFrom(chrome.browser, host.url + BLANK, { room: 'sala', name: 'Eva', camera: false });
  for (const go of [(page) => page.close(), (page) => page.goto('about:blank')]) {
    const before = (await eva.events()).length;
    const luis = await joinFrom(chrome.browser, host.url + BLANK, { room: 'sala', name: 'Luis', camera: false });
    await luis.event('joining', ({ message }) => message?.type === 'joined');
    await go(luis.page);
    const left = await until('the leaving', async () => (await eva.events()).slice(before)
      .find(({ message }) => message?.type === 'member_left'));
    assert.equal(left.message.reason, 'left');
  }
});

test('what nobody shows is not sent, and comes back with a picture', LONG, async (t) => {
  const host = await relay(t);
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const luis = await joinFrom(chrome.browser, host.url + BLANK, { room: 'sala', name: 'Luis', camera: false });
  const ana = participant(t, host, 'sala', 'Ana');
  await luis.sees('Ana', 5);
  const painted = async () => (await luis.member('Ana')).painted;
  await luis.page.evaluate(() => {
    globalThis.here.received = 0;
    const { _pictures: pictures } = globalThis.here.handle;
    const take = pictures.media.bind(pictures);
    pictures.media = (message) => {
      globalThis.here.received += 1;
      take(message);
    };
  });
  const received = () => luis.page.evaluate(() => globalThis.here.received);
  // Frames on the way may still come; then there are none for half a second.
  const silent = async () => {
    const before = await received();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return await received() === before;
  };
  assert.equal(await silent(), false);

  await luis.page.evaluate(() => {
    [...globalThis.here.members.values()].find(({ name }) => name === 'Ana').shown.stop();
  });
  await until('silence after the tile is gone', silent);
  let still = await painted();
  await luis.page.evaluate(() => {
    const [id, entry] = [...globalThis.here.members].find(([, { name }]) => name === 'Ana');
    entry.shown = globalThis.here.handle.show(id, entry.canvas, { width: 640, height: 360 });
  });
  await until('pictures again', async () => await painted() > still + 10);

  const other = await chrome.browser.newPage();
  await other.bringToFront();
  await until('a hidden page', () => luis.page.evaluate(() => document.hidden));
  await until('silence in a hidden page', silent);
  still = await painted();
  await luis.page.bringToFront();
  await until('pictures in a page that is seen again', async () => await painted() > still + 10);
  await ana.stop();
});

/** Eva, and Luis with a busy camera behind a line that carries so many bytes a second from him. */
async function slowly(t, uplink) {
  const host = await relay(t);
  const wire = await line(t, host.port, { uplink });
  const chrome = await chromium({ camera: busy });
  t.after(chrome.close);
  const eva = await joinFrom(chrome.browser, host.url + BLANK, { room: 'sala', name: 'Eva', camera: false });
  const other = await chromium({ camera: busy });
  t.after(other.close);
  const luis = await joinFrom(other.browser, `https://127.0.0.1:${wire.port}${BLANK}`, { room: 'sala', name: 'Luis' });
  return { wire, eva, luis };
}

test('on a line too slow for the picture, words do not wait for it, and the picture goes on', LONG, async (t) => {
  // A third of what the picture needs. What is sent regardless would wait ever longer: after 20 s
  // two thirds of it, most of a minute.
  const { eva, luis } = await slowly(t, 25_000);
  await eva.sees('Luis', 20);
  const bitrate = () => luis.page.evaluate(() => globalThis.here.handle._publisher._rate.bitrate);
  await until('a lower bitrate', async () => await bitrate() < 400_000);
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  const sent = Date.now();
  await luis.chat('hola');
  await eva.reads('hola');
  const waited = Date.now() - sent;
  t.diagnostic(`the line of chat took ${waited} ms; ${await bitrate()} bit/s`);
  assert.ok(waited < 10_000, `${waited} ms`);
  await eva.sees('Luis', 10);
  assert.ok(!(await luis.events()).some(({ state }) => state === 'reconnecting'));
});

test('a picture that the line doesn’t carry is paused and told, and back when it does', LONG, async (t) => {
  // Less than half of the least that is sent.
  const { wire, eva, luis } = await slowly(t, 6_000);
  const uplink = (carries) => luis.event(`the word ${carries}`, (event) => event.type === 'uplink' && event.carries === carries);
  const seen = (what, fits) => eva.event(what, ({ message }) => message?.type === 'member_changed' && fits(message.member));
  await uplink('sound');
  await seen('the word at Eva', ({ line: word, tracks }) => word === 'sound' && tracks.length === 0);
  wire.uplink = Infinity;
  await uplink('pictures');
  await until('the word that it is back', async () => !(await eva.page.evaluate(
    () => globalThis.here.events.filter(({ message }) => message?.type === 'member_changed').pop().message.member.line)));
  await eva.sees('Luis', 10);
  assert.ok(!(await luis.events()).some(({ message }) => message?.type === 'error'), 'nothing was sent that isn’t announced');
  for (const one of [eva, luis]) one.clean();
});

test('a line that goes silent is noticed and replaced', LONG, async (t) => {
  const host = await relay(t, { limits: 'heartbeat_ms = 400' });
  const wire = await line(t, host.port);
  participant(t, host, 'sala', 'Ana');
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const luis = await joinFrom(chrome.browser, `https://127.0.0.1:${wire.port}${BLANK}`, { room: 'sala', name: 'Luis' });
  await luis.sees('Ana', 5);
  wire.silence();
  await luis.event('the break', ({ type, state }) => type === 'connection' && state === 'reconnecting');
  await until('the resume', async () => (await luis.events()).filter(({ state }) => state === 'connected').length === 2);
  await luis.sees('Ana', 10);
  assert.ok(!(await luis.events()).some(({ message }) => message?.type === 'member_left'));
});

test('what the relay refuses ends with its reason, and nothing else does', LONG, async (t) => {
  const host = await relay(t, { limits: 'members = 2' });
  const chrome = await chromium({ camera });
  t.after(chrome.close);
  const join = (room, name) => joinFrom(chrome.browser, host.url + BLANK, { room, name, camera: false });
  const ends = async (at) => (await at.event('the end', ({ type, state }) => type === 'connection' && state === 'ended')).code;
  assert.equal(await ends(await join('sala', 'x'.repeat(10_000))), 'name_too_long');
  assert.equal(await ends(await join('sala', ' \u202e ')), 'name_empty');
  const luis = await join('sala', '<b>\u202eLuis</b> 👩‍👩‍👧 مريم');
  const joined = await luis.event('joining', ({ message }) => message?.type === 'joined');
  assert.equal(joined.message.members[0].name, '<b>Luis</b> 👩‍👩‍👧 مريم');
  const eva = await join('sala', 'Eva');
  await eva.event('joining', ({ message }) => message?.type === 'joined');
  assert.equal(await ends(await join('sala', 'Zoe')), 'room_full');

  await luis.chat('x'.repeat(2001));
  await luis.event('the refusal', ({ message }) => message?.type === 'error' && message.code === 'chat_too_long');
  await luis.chat('x'.repeat(2000));
  await eva.reads('x'.repeat(2000));

  await eva.leave();
  await luis.event("Eva's leaving", ({ message }) => message?.type === 'member_left');
  await host.stop();
  assert.equal(await ends(luis), 'shutting_down');
  luis.clean();
  eva.clean();
});

test('the list of rooms is live, and live again after a break', LONG, async (t) => {
  const host = await relay(t);
  const wire = await line(t, host.port);
  const chrome = await chromium();
  t.after(chrome.close);
  const page = await chrome.browser.newPage();
  await page.goto(`https://127.0.0.1:${wire.port}${BLANK}`);
  await page.evaluate(async () => {
    const { createPlatform } = await import('/platform/browser/index.js');
    globalThis.seen = [];
    globalThis.stop = createPlatform().lobby((lobby) => globalThis.seen.push(lobby));
  });
  const last = () => page.evaluate(() => globalThis.seen[globalThis.seen.length - 1]);
  await until('an empty list', async () => (await last()).state === 'live');
  const ana = participant(t, host, 'Cama 3', 'Ana', { video: 'none', role: 'family' });
  const listed = await until('the room', async () => (await last()).rooms.find(({ name, waiting }) => name === 'Cama 3' && waiting));
  assert.equal(listed.members, 1);
  wire.down = true;
  await until('the loss', async () => (await last()).state === 'lost');
  assert.equal((await last()).rooms.length, 1, 'what was known is kept');
  await ana.stop();
  wire.down = false;
  await until('the list again', async () => {
    const { state, rooms } = await last();
    return state === 'live' && rooms.every(({ members }) => members === 0);
  });
  await page.evaluate(() => globalThis.stop());
});
