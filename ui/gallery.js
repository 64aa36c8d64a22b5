// For development: every state of every screen, with made-up data and drawn people.
// gallery.html lists them; gallery.html?state=NAME&lang=es|en shows one. Not embedded anywhere.
import { later, stopClock } from './gallery-clock.js';
import { LineTestError } from './call/line-test.js';
import { states } from './gallery-states.js';
import { drawPerson } from './gallery-people.js';
import { load } from './texts/index.js';
import { start } from './views/app.js';
import { h } from './views/dom.js';

/** @typedef {import('./platform/types').Platform} Platform */
/** @typedef {import('./platform/types').CallHandle} CallHandle */
/** @typedef {import('./gallery-states.js').Scene} Scene */

/** A laptop's, whatever the pictures are taken with. */
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
/** Where a relay would be, and who. */
const REACH = { url: 'https://192.0.2.14:3000', fingerprint: `sha256:${'a3f109c27be4d510'.repeat(4)}`, ward: 'Medicina 3 Norte' };
/** Speech at arm's length, in dBov. */
const SPEECH = -26;
const query = new URLSearchParams(location.search);
const wanted = query.get('state') ?? '';
const root = /** @type {HTMLElement} */ (document.getElementById('app'));
/** What the app's window would tell. @type {(event: 'closing' | 'quitting') => void} */
let askWindow = () => {};
stopClock();
// What a visit before this one chose must not change a picture.
localStorage.clear();
await load(query.get('lang') === 'en' ? 'en' : 'es');

if (Object.prototype.hasOwnProperty.call(states, wanted)) await show(states[wanted]);
else {
  root.append(h('nav', { class: 'gallery' }, ...Object.keys(states).map((name) => h('a', { text: name, attributes: { href: `?state=${name}&lang=${query.get('lang') ?? 'es'}` } }))));
}
document.documentElement.dataset.ready = 'true';

/** @param {Scene} scene */
async function show(scene) {
  if (scene.name !== undefined && scene.name !== '') localStorage.setItem('visita.name', scene.name);
  Object.defineProperty(navigator, 'userAgent', { value: scene.agent ?? AGENT });
  // Not every machine's browser can share; the pictures are of one that can't unless they say so.
  Object.defineProperty(navigator, 'share', { value: scene.share ? async () => {} : undefined });
  if (scene.offline) Object.defineProperty(navigator, 'onLine', { value: false });
  if (scene.hash) history.replaceState(null, '', scene.hash);
  start(root, platform(scene), { pathname: scene.path ?? '/', hash: scene.hash ?? '' });
  for (const step of scene.steps ?? []) {
    await settled();
    press(step);
  }
  await settled();
  if (scene.window) askWindow(scene.window);
  await settled();
  document.documentElement.dataset.below = String(scene.below ?? false);
  if (document.activeElement instanceof HTMLElement && !scene.focus) document.activeElement.blur();
}

/** One step of a person: touches what has this test id, writes into it (`id=text`), or waits (`later=MS`). @param {string} step */
function press(step) {
  const [id, ...rest] = step.split('=');
  if (id === 'later') {
    later(Number(rest[0]));
    return;
  }
  const target = /** @type {HTMLElement | null} */ (document.querySelector(`[data-testid="${id}"]`));
  if (!target) throw new Error(`nothing to touch: ${id}`);
  if (!rest.length) target.click();
  else if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) {
    target.value = rest.join('=');
    target.dispatchEvent(new Event('input', { bubbles: true }));
  }
}

/** After what promises and sizes still had to do. */
async function settled() {
  await new Promise((resolve) => setTimeout(resolve, 30));
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

/** @param {Scene} scene @returns {Platform} */
function platform(scene) {
  /** @type {Platform} */
  const made = {
    kind: scene.hosts ? 'tauri' : 'browser',
    language: () => 'es-MX',
    lobby(on) {
      on(scene.lobby ?? { state: 'live', rooms: [], now_ms: Date.now() });
      return () => {};
    },
    join: () => call(scene),
    capability: () => Promise.resolve({ camera: scene.capability ?? 'off', microphone: scene.microphone ?? 'off', asks: scene.asks ?? false }),
    testLine: () => ({ figures: measured(scene), stop() {} }),
    devices: devices(scene),
    ...(scene.hosts ? {} : door(scene)),
    trouble() {},
  };
  if (!scene.hosts) return made;
  return {
    ...made,
    testLine: undefined,
    hosts(on) {
      on({ hosts: scene.hosts ?? [], search: scene.search ?? 'looking', addresses: ['192.0.2.20'] });
      return () => {};
    },
    links(on) {
      if (scene.link) queueMicrotask(() => on(/** @type {import('./platform/types').OpenedLink} */ (scene.link)));
      return () => {};
    },
    scan(on) {
      if (scene.code) queueMicrotask(() => on(/** @type {import('./platform/types').OpenedLink} */ (scene.code)));
      return () => {};
    },
    forgetHost: () => Promise.resolve(),
    useHost: () => Promise.resolve(scene.use ?? { ok: false, problem: 'unreachable' }),
    host: {
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      rename: () => Promise.resolve(null),
      atBoot: () => Promise.resolve(),
      watch(on) {
        on(scene.host ?? { state: 'off' });
        return () => {};
      },
    },
    window: {
      watch(on) {
        askWindow = on;
      },
      hide: () => Promise.resolve(),
      quit: () => Promise.resolve(),
      trayWords: () => Promise.resolve(),
    },
  };
}

/** What a relay would say before a call. @param {Scene} scene @returns {Pick<Platform, 'reach' | 'redeem'>} */
function door({ door: said = {} }) {
  return {
    reach: () => (said.reach === 'fails' ? Promise.reject(new Error('unreachable')) : Promise.resolve(said.reach ?? REACH)),
    redeem: () => Promise.resolve(said.redeem ?? { ok: false, problem: 'other' }),
  };
}

/** @param {Scene} scene @returns {Promise<import('./call/line-test.js').Figures>} */
function measured({ line = {} }) {
  if (line === 'testing') return new Promise(() => {});
  if (typeof line === 'string') return Promise.reject(new LineTestError(line));
  return Promise.resolve({ latency: 18, jitter: 4, down: 24_300, up: 8_120, ...line });
}

/** @param {Scene} scene @returns {import('./platform/types').Devices} */
function devices(scene) {
  const cameras = scene.cameras ?? [{ id: 'front', name: 'Cámara frontal' }];
  const microphones = scene.microphones ?? [{ id: 'a', name: 'Micrófono integrado' }];
  const speakers = scene.speakers ?? [{ id: 'a', name: 'Altavoz integrado' }];
  const [first, heard, said] = [cameras, microphones, speakers].map((all) => all[0]?.id ?? null);
  return {
    watch(on) {
      on({ cameras, chosen: first, microphones, microphone: heard, speakers, speaker: said, ...(scene.sound === false ? {} : { processes: true }) });
      return () => {};
    },
    choose() {},
    ...(scene.sound === false ? {} : sound(scene)),
    preview(on) {
      const state = scene.preview ?? 'on';
      queueMicrotask(() => {
        on({ type: 'camera', state });
        if (state === 'on') on({ type: 'picture', width: 640, height: 480 });
      });
      return {
        show(canvas) {
          [canvas.width, canvas.height] = [640, 480];
          drawPerson(/** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')), 640, 480, 4, 0);
          return { resize() {}, stop() {} };
        },
        again() {},
        stop() {},
      };
    },
  };
}

/** What a platform with sound has besides. @param {Scene} scene @returns {Partial<import('./platform/types').Devices>} */
function sound(scene) {
  return {
    chooseMicrophone() {},
    chooseSpeaker() {},
    process() {},
    tone() {},
    signal() {},
    listen(on) {
      const state = scene.listen ?? 'on';
      queueMicrotask(() => {
        on({ type: 'microphone', state });
        if (state === 'on') on({ type: 'level', level: scene.level ?? SPEECH });
      });
      return {
        sample: () => on({ type: 'sample', state: scene.sample ?? 'none' }),
        again() {},
        stop() {},
      };
    },
  };
}

/** @param {Scene} scene @returns {CallHandle} */
function call(scene) {
  /** @type {(event: import('./platform/types').CallEvent) => void} */
  let tell = () => {};
  return {
    subscribe(on) {
      tell = on;
      for (const event of scene.call ?? []) on(event);
      return () => {};
    },
    chat() {
      if (scene.refuses) tell({ type: 'relay', message: { type: 'error', code: scene.refuses } });
    },
    code: () => (scene.door?.code === 'fails' ? Promise.reject('busy') : Promise.resolve({ code: '042917', valid_s: 600 })),
    // The app measures nothing yet.
    ...(scene.hosts ? {} : {
      measure(/** @type {(line: import('./platform/types').LineNow) => void} */ on) {
        on({ roundTrip: 18, down: 1240, up: 610, gets: ['h264', 'opus'], sends: ['h264', 'opus'], ...scene.measured });
        return () => {};
      },
    }),
    camera: () => Promise.resolve(),
    ...(scene.sound === false ? {} : {
      // These do something, so that keys and fingers can be tried out on them.
      microphone: async (/** @type {boolean} */ on) => tell({ type: 'microphone', state: on ? 'on' : 'muted' }),
      hear: async () => tell({ type: 'sound', state: 'on' }),
      volume() {},
    }),
    show(member, canvas) {
      const tall = scene.tall?.includes(member) ?? false;
      canvas.width = tall ? 360 : 640;
      canvas.height = tall ? 640 : 360;
      if (member === 'self') canvas.width = 480;
      const who = member === 'self' ? 4 : member - 1;
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      drawPerson(context, canvas.width, canvas.height, who, 0);
      return { resize() {}, stop() {} };
    },
    leave: () => Promise.resolve(),
  };
}
