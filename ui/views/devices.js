// The own camera: how one looks before entering, which camera it is, and what to do when there is
// none. The list of cameras serves in the call as well.
import { cameraCard, inTrouble } from './camera.js';
import { h, icon, keep, sayText, setIcon, shown } from './dom.js';
import { openDialog } from './dialog.js';
import { button, oneOf } from './parts.js';
import { sayAttribute } from '../texts/index.js';
import { devicePixels } from './tiles.js';

/** @typedef {import('../platform/types').Platform} Platform */
/** @typedef {import('../platform/types').Devices} Devices */
/** @typedef {import('../platform/types').Cameras} Cameras */
/** @typedef {import('../platform/types').CameraState} CameraState */
/** @typedef {import('../platform/types').Preview} Preview */

let lists = 0;

/**
 * The cameras, to choose one of.
 * @param {Devices} devices
 * @param {{ single?: boolean, folded?: boolean }} [options]
 *   `single`: shown for one camera too, and for none; `folded`: only the one in use is seen at first
 */
export function cameraList(devices, { single = false, folded = false } = {}) {
  lists += 1;
  const group = `camera-${lists}`;
  const options = h('div', { class: 'camera-options' });
  const none = h('p', { class: 'camera-none', testid: 'camera-none' }, icon('camera-off'), h('span', { t: 'camera-list-none' }));
  const list = oneOf('camera-list', 'choice camera-list', options, none);
  list.dataset.testid = 'camera-list';
  const now = h('span', { class: 'camera-name', attributes: { dir: 'auto' } });
  const element = folded
    ? h('details', { class: 'camera-fold' },
      h('summary', { class: 'camera-now', testid: 'camera-fold' }, icon('video'), now, h('span', { class: 'camera-change', t: 'camera-change' })), list)
    : list;
  shown(element, false);
  const stop = devices.watch(({ cameras, chosen }) => {
    shown(element, cameras.length > 1 || single);
    shown(none, cameras.length === 0);
    const taken = cameras.findIndex(({ id }) => id === chosen);
    if (taken >= 0) sayName(now, cameras[taken], taken);
    keep(options, cameras, ({ id }) => id, ({ id }) => h('label', { class: 'choice-option camera-option' },
      h('input', { testid: 'camera-option', attributes: { type: 'radio', name: group, value: id }, on: { change: () => devices.choose(id) } }),
      h('span', { class: 'choice-face' }, icon('video'), h('span', { class: 'camera-name', attributes: { dir: 'auto' } }))), (option, camera) => {
      const [input, name] = [option.querySelector('input'), option.querySelector('.camera-name')];
      if (input) input.checked = camera.id === chosen;
      if (name) sayName(name, camera, cameras.indexOf(camera));
    });
  });
  return { element, destroy: stop };
}

/**
 * A browser tells names only to who may use the camera.
 * @param {Element} element @param {import('../platform/types').Camera} camera @param {number} index
 */
function sayName(element, camera, index) {
  sayText(element, camera.name ? ['camera-named', { name: camera.name }] : ['camera-unnamed', { number: index + 1 }]);
}

/**
 * What the person sees of themselves before entering.
 * @param {Platform} platform
 */
export function cameraCheck(platform) {
  const { devices } = platform;
  const inApp = platform.kind === 'tauri';
  const canvas = h('canvas', { class: 'check-canvas', testid: 'check-canvas', attributes: { role: 'img', width: 4, height: 3 }, said: { 'aria-label': 'self-picture' } });
  const mark = h('span', { class: 'check-mark' }, icon('video'));
  const title = h('p', { class: 'check-title' });
  const text = h('p', { class: 'check-text' });
  const open = button({ t: 'check-open', icon: 'video', testid: 'check-open', on: () => start(true) });
  const words = h('div', { class: 'check-words', attributes: { role: 'status' } }, mark, title, text, open);
  const toggle = h('button', { class: 'check-toggle', testid: 'check-toggle', attributes: { type: 'button' }, on: { click: () => (wanted ? stop('off') : start(true)) } }, icon('video'));
  const frame = h('div', { class: 'check-frame', testid: 'check-frame' }, canvas, words, toggle);
  const trouble = h('div', { class: 'check-trouble' });
  const works = h('p', { class: 'check-works', testid: 'check-works', attributes: { role: 'status' } }, icon('circle-check'), h('span', { t: 'check-works' }));
  const list = cameraList(devices, { folded: true });
  const element = h('section', { class: 'check', testid: 'camera-check', said: { 'aria-label': 'check-title' } }, frame, trouble, works, list.element);

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
    const failed = state !== 'unknown' && state !== 'asks' && inTrouble(state);
    if (trouble.dataset.camera !== (failed ? state : '')) {
      trouble.dataset.camera = failed ? state : '';
      trouble.replaceChildren(...(failed ? [cameraCard(/** @type {CameraState} */ (state), { inApp, before: true, again: () => start(true) })] : []));
    }
    shown(frame, !failed);
    shown(canvas, moving);
    shown(words, !moving);
    shown(works, moving);
    shown(toggle, state === 'on' || state === 'starting' || state === 'off');
    shown(open, state === 'asks');
    const key = state === 'off' ? 'off' : state === 'asks' ? 'asks' : 'starting';
    setIcon(mark, key === 'off' ? 'video-off' : key === 'starting' ? 'hourglass' : 'video');
    sayText(title, `check-${key}`);
    sayText(text, key === 'starting' ? 'check-question' : `check-${key}-text`);
    shown(text, key !== 'starting' || asks);
    setIcon(toggle, wanted ? 'video' : 'video-off');
    toggle.setAttribute('aria-pressed', String(wanted));
    sayAttribute(toggle, 'aria-label', wanted ? 'control-camera-off' : 'control-camera-on');
  };

  const sized = new ResizeObserver(() => shows?.resize(pixels()));
  sized.observe(frame);
  draw();
  void platform.capability().then((can) => {
    if (gone || preview) return;
    asks = can.asks === true;
    if (can.camera === 'off' && !asks) start(false);
    else {
      // Nobody likes to be asked for the camera before they know what for.
      state = can.camera === 'off' ? 'asks' : can.camera;
      // A camera that is missing or busy may come: the preview waits for it.
      if (state === 'missing' || state === 'busy') start(false);
      draw();
    }
  });

  return {
    element,
    /** Whether to enter with the camera: not where there can be none, or where it was switched off. */
    camera: () => wanted && state !== 'insecure' && state !== 'missing',
    /** Gives the camera back; to be called before the call opens it. */
    destroy() {
      gone = true;
      shows?.stop();
      preview?.stop();
      list.destroy();
      sized.disconnect();
    },
  };
}

/**
 * The check in a dialog of its own, for those who enter from a list.
 * @param {Platform} platform
 */
export function checkCamera(platform) {
  const check = cameraCheck(platform);
  openDialog({
    title: 'check-title',
    text: 'check-promise',
    body: [check.element],
    verb: 'close',
    verbTestid: 'check-done',
    submit: (close) => close(),
  }).addEventListener('close', () => check.destroy());
}
