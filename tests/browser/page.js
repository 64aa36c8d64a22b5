// A participant in a browser's page: the page's own platform, without its views.
import assert from 'node:assert/strict';

import { until } from './browsers.js';
import { read } from './marker.js';

/** Runs in the page: joins, and shows everybody. */
async function joinHere(options) {
  const { createPlatform } = await import('/platform/browser/index.js');
  const platform = createPlatform();
  const here = { events: [], members: new Map(), you: null, handle: platform.join(options), platform };
  globalThis.here = here;
  const show = (member) => {
    const known = here.members.get(member.id);
    if (known) return Object.assign(known, { tracks: member.tracks, connection: member.connection });
    const canvas = document.createElement('canvas');
    document.documentElement.append(canvas);
    const entry = { name: member.name, tracks: member.tracks, connection: member.connection, canvas, painted: 0, state: null };
    const context = canvas.getContext('2d', { alpha: false });
    const draw = context.drawImage.bind(context);
    context.drawImage = (...given) => {
      entry.painted += 1;
      draw(...given);
    };
    here.members.set(member.id, entry);
    entry.shown = here.handle.show(member.id, canvas, { width: 640, height: 360 });
    return entry;
  };
  here.handle.subscribe((event) => {
    here.events.push(event);
    if (event.type === 'picture' && event.member !== 'self') here.members.get(event.member).state = event.state;
    if (event.type !== 'relay') return;
    const { message } = event;
    if (message.type === 'joined') {
      here.you = message.you;
      message.members.filter(({ id }) => id !== message.you).forEach(show);
    }
    if (message.type === 'member_joined' || message.type === 'member_changed') {
      if (message.member.id !== here.you) show(message.member);
    }
    if (message.type === 'member_left') {
      here.members.get(message.member)?.shown.stop();
      here.members.get(message.member)?.canvas.remove();
      here.members.delete(message.member);
    }
  });
}

/** Runs in the page: a canvas's pixels. */
function pixelsOf(name) {
  const entry = [...globalThis.here.members.values()].find((one) => one.name === name);
  const canvas = entry?.canvas;
  if (!canvas || entry.painted === 0) return null;
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return { width, height, data: btoa(text) };
}

/**
 * Joins a meeting from a page of `at`'s (an address whose answer is any document of the origin
 * that has the page's files).
 */
export async function joinFrom(browser, at, { room, name, role = 'family', camera = true, microphone = false, prepare = null }) {
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  if (prepare) await page.evaluateOnNewDocument(prepare);
  await page.goto(at);
  await page.evaluate(joinHere, { room: { by: 'name', name: room, create: 'meeting' }, name, role, camera, microphone });

  const member = (of) => page.evaluate((wanted) => {
    const entry = [...globalThis.here.members.values()].find((one) => one.name === wanted);
    return entry && {
      tracks: entry.tracks, connection: entry.connection, painted: entry.painted, state: entry.state,
      width: entry.canvas.width, height: entry.canvas.height,
    };
  }, of);
  const pixels = async (of) => {
    const seen = await page.evaluate(pixelsOf, of);
    return seen && { ...seen, data: Buffer.from(seen.data, 'base64') };
  };
  return {
    page,
    problems,
    member,
    pixels,
    events: () => page.evaluate(() => globalThis.here.events),
    /** Resolves once an event fits. */
    async event(what, fits) {
      return until(what, async () => (await page.evaluate(() => globalThis.here.events)).find(fits));
    },
    /** The number in the member's picture changes so many times. */
    async sees(of, times = 10) {
      const seen = new Set();
      await until(`${times} pictures of ${of} at ${name}`, async () => {
        const picture = await pixels(of);
        const mark = picture && read(picture);
        if (mark) seen.add(mark.number);
        return seen.size >= times;
      });
      return [...seen];
    },
    /** The member's picture, one colour, changes so many times. */
    async seesColours(of, times = 4) {
      const seen = new Set();
      await until(`${times} colours of ${of} at ${name}`, async () => {
        const picture = await pixels(of);
        if (picture) {
          const middle = 4 * (Math.floor(picture.height / 2) * picture.width + Math.floor(picture.width / 2));
          seen.add(picture.data.subarray(middle, middle + 3).join());
        }
        return seen.size >= times;
      });
    },
    chat: (text) => page.evaluate((line) => globalThis.here.handle.chat(line), text),
    /** Waits for a line of chat. */
    async reads(text) {
      return until(`the line "${text}" at ${name}`, async () => page.evaluate((wanted) => globalThis.here.events.some(
        ({ type, message }) => type === 'relay' && message.type === 'chat' && message.text === wanted), text));
    },
    leave: () => page.evaluate(() => globalThis.here.handle.leave()),
    clean() {
      assert.deepEqual(problems, []);
    },
  };
}

/** The row of a participant's report about a sender. */
export function rowOf(report, name, codec) {
  const row = report.received.find((one) => one.name === name && one.codec === codec);
  assert.ok(row, `no ${codec} of ${name} in ${JSON.stringify(report)}`);
  assert.ok(row.frames_decoded > 0, `nothing decoded: ${JSON.stringify(row)}`);
  return row;
}
