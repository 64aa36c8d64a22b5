// How one looks and sounds before entering, with which devices, and what to do when there is none.
import { deviceList } from './device-list.js';
import { inTrouble, troubleCard, troubleOf } from './device-trouble.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { openDialog } from './dialog.js';
import { button } from './parts.js';
import { sayAttribute } from '../texts/index.js';
import { soundCheck } from './sound-check.js';
import { devicePixels } from './tiles.js';

/** @typedef {import('../platform/types').Platform} Platform */
/** @typedef {import('../platform/types').CameraState} CameraState */
/** @typedef {import('../platform/types').Preview} Preview */

/**
 * What the person sees and hears of themselves before entering.
 * @param {Platform} platform
 */
export function deviceCheck(platform) {
  const { devices } = platform;
  const inApp = platform.kind === 'tauri';
  const canvas = h('canvas', { class: 'check-canvas', testid: 'check-canvas', attributes: { role: 'img', width: 4, height: 3 }, said: { 'aria-label': 'self-picture' } });
  const mark = h('span', { class: 'check-mark' }, icon('video'));
  const title = h('p', { class: 'check-title' });
  const text = h('p', { class: 'check-text' });
  const open = button({ t: devices.listen ? 'check-open-both' : 'check-open', icon: 'video', testid: 'check-open', on: () => begin() });
  const words = h('div', { class: 'check-words', attributes: { role: 'status' } }, mark, title, text, open);
  const toggle = h('button', { class: 'check-toggle', testid: 'check-toggle', attributes: { type: 'button' }, on: { click: () => (wanted ? stop('off') : start(true)) } }, icon('video'));
  const sound = devices.listen ? soundCheck(devices, () => draw()) : null;
  const controls = h('div', { class: 'check-controls' }, sound?.pill, sound?.toggle, toggle);
  const frame = h('div', { class: 'check-frame', testid: 'check-frame' }, canvas, words, controls);
  const trouble = h('div', { class: 'check-trouble' });
  // Where no picture can be, the microphone's button stands alone.
  const openSound = button({ t: 'check-open-sound', icon: 'mic', testid: 'check-open-sound', on: () => sound?.start() });
  const aside = h('div', { class: 'check-aside' }, openSound);
  const worksWords = h('span');
  const works = h('p', { class: 'check-works', testid: 'check-works', attributes: { role: 'status' } }, icon('circle-check'), worksWords);
  const list = deviceList(devices, 'camera', { folded: true });
  const element = h('section', { class: 'check', testid: 'camera-check', said: { 'aria-label': sound ? 'check-title-sound' : 'check-title' } },
    frame, trouble, aside, works, list.element, sound?.fold);

  /** @type {Preview | null} */
  let preview = null;
  /** @type {ReturnType<Preview['show']> | null} */
  let shows = null;
  /** `unknown` before the platform said what it can, `asks` before the person lets the browser ask. @type {CameraState | 'unknown' | 'asks'} */
  let state = 'unknown';
  let moving = false;
  /** Whether to enter with the camera. */
  let wanted = true;
  let gone = false;
  let asks = false;

  /** The person lets the browser ask, for all at once. */
  const begin = () => {
    start(true);
    sound?.start();
  };

  const pixels = () => devicePixels(frame.clientWidth || 1, frame.clientHeight || 1);

  /** @param {boolean} byPerson */
  const start = (byPerson) => {
    wanted = true;
    if (preview) {
      preview.again();
      return;
    }
    if (byPerson) state = 'starting';
    preview = devices.preview((event) => {
      if (gone) return;
      if (event.type === 'picture') {
        moving = true;
        frame.style.setProperty('--picture', String(event.width / event.height));
      } else {
        state = event.state;
        if (state !== 'on') moving = false;
      }
      draw();
    });
    shows = preview.show(canvas, pixels());
    draw();
  };

  /** @param {'off' | 'asks'} to */
  const stop = (to) => {
    wanted = to !== 'off';
    shows?.stop();
    preview?.stop();
    preview = null;
    shows = null;
    moving = false;
    state = to;
    draw();
  };

  const draw = () => {
    if (gone) return;
    element.dataset.camera = state;
    const failed = state !== 'unknown' && state !== 'asks' && inTrouble(state) ? state : null;
    drawTrouble(failed, sound?.trouble() ?? null);
    shown(frame, !failed);
    shown(canvas, moving);
    shown(words, !moving);
    shown(toggle, state === 'on' || state === 'starting' || state === 'off');
    const beside = failed ? aside : frame;
    if (controls.parentElement !== beside) beside.append(controls);
    shown(openSound, Boolean(failed) && sound?.state() === 'asks');
    shown(aside, Boolean(failed) && Boolean(sound) && !sound?.trouble());
    shown(open, state === 'asks');
    drawWorks(sound?.word() ?? null);
    const key = state === 'off' ? 'off' : state === 'asks' ? 'asks' : 'starting';
    setIcon(mark, key === 'off' ? 'video-off' : key === 'starting' ? 'hourglass' : 'video');
    sayText(title, key === 'asks' && sound ? 'check-asks-sound' : `check-${key}`);
    sayText(text, key === 'starting' ? 'check-question' : key === 'asks' && sound ? 'check-asks-sound-text' : `check-${key}-text`);
    shown(text, key !== 'starting' || asks);
    setIcon(toggle, wanted ? 'video' : 'video-off');
    toggle.setAttribute('aria-pressed', String(wanted));
    sayAttribute(toggle, 'aria-label', wanted ? 'control-camera-off' : 'control-camera-on');
  };

  /**
   * A card for all that shares a reason, else one for each.
   * @param {import('./device-trouble.js').Trouble['state'] | null} camera
   * @param {import('./device-trouble.js').Trouble['state'] | null} microphone
   */
  const drawTrouble = (camera, microphone) => {
    const key = `${camera ?? ''} ${microphone ?? ''}`;
    if (trouble.dataset.shown === key) return;
    trouble.dataset.shown = key;
    const one = troubleOf(camera ?? 'off', microphone ?? 'off');
    /** @type {(import('./device-trouble.js').Trouble | null)[]} */
    const all = one?.device === 'both' ? [one] : [camera && { device: 'camera', state: camera }, microphone && { device: 'mic', state: microphone }];
    const again = { camera: () => start(true), mic: () => sound?.start(), both: begin };
    trouble.replaceChildren(...all.flatMap((each) => (each ? [troubleCard(each, { inApp, before: true, again: again[each.device] })] : [])));
  };

  /** What works, once it is known. @param {'heard' | 'waits' | null} ear */
  const drawWorks = (ear) => {
    shown(works, moving || ear !== null);
    works.classList.toggle('waits', ear === 'waits');
    setIcon(works, ear === 'waits' ? 'mic' : 'circle-check');
    if (ear === 'waits') sayText(worksWords, moving ? 'check-say' : 'check-say-only');
    else sayText(worksWords, ear === null ? 'check-works' : moving ? 'check-works-both' : 'check-works-sound');
  };

  const sized = new ResizeObserver(() => shows?.resize(pixels()));
  sized.observe(frame);
  draw();
  void platform.capability().then((can) => {
    if (gone || preview) return;
    asks = can.asks === true;
    listen(can.microphone ?? 'off');
    if (can.camera === 'off' && !asks) start(false);
    else {
      // Nobody likes to be asked for the camera before they know what for.
      state = can.camera === 'off' ? 'asks' : can.camera;
      // A camera that is missing or busy may come: the preview waits for it.
      if (state === 'missing' || state === 'busy') start(false);
      draw();
    }
  });

  /** @param {import('../platform/types').MicState} can */
  const listen = (can) => {
    if (can === 'off' && asks) sound?.known('asks');
    else if (can === 'off' || can === 'missing' || can === 'busy') sound?.start();
    else sound?.known(can);
  };

  return {
    element,
    /** Whether to enter with the camera: not where there can be none, or where it was switched off. */
    camera: () => wanted && state !== 'insecure' && state !== 'missing',
    microphone: () => sound?.microphone() ?? false,
    /** Gives the devices back; to be called before the call opens them. */
    destroy() {
      gone = true;
      shows?.stop();
      preview?.stop();
      sound?.destroy();
      list.destroy();
      sized.disconnect();
    },
  };
}

/**
 * The check in a dialog of its own, for those who enter from a list.
 * @param {Platform} platform
 */
export function checkDevices(platform) {
  const check = deviceCheck(platform);
  openDialog({
    title: platform.devices.listen ? 'check-title-sound' : 'check-title',
    text: platform.devices.listen ? 'check-promise-sound' : 'check-promise',
    body: [check.element],
    verb: 'close',
    verbTestid: 'check-done',
    submit: (close) => close(),
  }).addEventListener('close', () => check.destroy());
}
