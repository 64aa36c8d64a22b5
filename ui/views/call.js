// A call from joining to its end: keeps the state, and lets the parts draw it in place.
import { arrange } from '../call/layout.js';
import { alone, initial, nextTick, reduce } from '../call/state.js';
import { refresh } from '../texts/index.js';
import { keepAwake } from './awake.js';
import { inTrouble } from './camera.js';
import { createChat } from './chat.js';
import { openDialog } from './dialog.js';
import { h, shown } from './dom.js';
import { canFill, fillScreen, isFilled } from './fullscreen.js';
import { listenToKeys } from './keys.js';
import { createMenu } from './menu.js';
import { createNotices } from './notices.js';
import { button } from './parts.js';
import { createPeople } from './people.js';
import { endedScreen, overScreen } from './problem.js';
import { createSelf } from './self.js';
import { createStage, drawStage } from './stage.js';
import { createTiles } from './tiles.js';
import { createWait } from './wait.js';

/** @typedef {import('./app.js').Screen} Screen */
/** @typedef {import('./app.js').Variant} Variant */
/** @typedef {import('../call/state.js').Panel} Panel */
/** @typedef {import('../platform/types').CameraState} CameraState */

/** Where the settings are a sheet over the rest (call.css). */
const sheet = window.matchMedia('(max-width: 35em)');
/** The least side of what a patient touches, in CSS pixels (LOOK.md). */
const PATIENT_TOUCH = 96;

/**
 * @param {{
 *   handle: import('../platform/types').CallHandle, devices?: import('../platform/types').Devices, variant: Variant, inApp: boolean,
 *   back: () => void, again: () => void, show: (screen: Screen) => void,
 * }} options
 * @returns {Screen}
 */
export function callScreen({ handle, devices, variant, inApp, back, again, show }) {
  let state = initial();
  let drawing = false;
  let over = false;
  /** The trouble that the person chose to go on with. @type {CameraState | null} */
  let dismissed = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** The stage in CSS pixels, and its text as a multiple of 16 px. */
  let stage = { width: 0, height: 0, text: 1 };

  const tiles = createTiles(handle);
  const self = createSelf(handle);
  const notices = createNotices(() => setPanel('chat'));
  const chat = createChat({
    send: (text) => {
      act({ type: 'chat_sent', text });
      handle.chat(text);
    },
    again: ({ key, text }) => {
      act({ type: 'chat_again', key });
      handle.chat(text);
    },
    drop: ({ key }) => act({ type: 'chat_dropped', key }),
    close: () => setPanel(null),
  });
  const small = variant === 'patient';
  const people = small ? null : createPeople({ close: () => setPanel(null) });
  const menu = small ? null : createMenu({ devices, close: () => setMenu(false), hidden: self.hidden, hide: self.hide });
  const wait = variant === 'family' ? createWait({ leave: () => leave(), cameraAgain: () => void handle.camera(true) }) : null;
  const view = createStage({
    variant, tiles: tiles.element, notices: notices.element, chat: chat.element, people: people?.element ?? null, menu: menu?.element ?? null,
  });
  if (view.menu) shown(view.menu, false);

  /** @param {Parameters<typeof reduce>[1]} event */
  const act = (event) => {
    const next = reduce(state, event, Date.now());
    if (next === state) return;
    state = next;
    if (drawing) return;
    drawing = true;
    // Once for all that comes together; not with the next frame, which a hidden tab never has.
    queueMicrotask(() => {
      drawing = false;
      if (!over) draw();
    });
  };

  /** @param {Panel | null} panel @param {boolean} [byKey] */
  const setPanel = (panel, byKey = false) => {
    const before = state.panel;
    if (panel) setMenu(false, false);
    act({ type: 'panel', panel });
    queueMicrotask(() => {
      if (panel === 'chat') chat.opened(byKey);
      else if (panel === 'people') people?.opened();
      else (before === 'people' ? view.peopleToggle : view.chatToggle)?.focus();
    });
  };

  /** @param {boolean} open @param {boolean} [refocus] */
  const setMenu = (open, refocus = true) => {
    if (!menu || !view.menu || !view.menuToggle || view.menu.hidden === !open) return;
    shown(view.menu, open);
    cover();
    view.menuToggle.setAttribute('aria-expanded', String(open));
    menu.draw();
    if (open) /** @type {HTMLElement | null} */ (view.menu.querySelector('h2'))?.focus({ preventScroll: true });
    else if (refocus) view.menuToggle.focus();
  };
  const menuOpen = () => view.menu !== null && !view.menu.hidden;
  /** What lies under the settings can't be reached. */
  const cover = () => {
    const covered = menuOpen() && sheet.matches;
    for (const part of view.beneath) part.inert = covered;
    view.menu?.setAttribute('aria-modal', String(covered));
  };

  const leave = () => {
    over = true;
    void handle.leave();
    if (variant === 'family') show({ element: endedScreen({ variant, left: true, again }) });
    else back();
  };

  const toggleCamera = () => {
    const on = state.camera === 'on' || state.camera === 'starting';
    dismissed = null;
    void handle.camera(!on);
  };

  const draw = () => {
    if (state.connection === 'ended') {
      end();
      return;
    }
    const trouble = inTrouble(state.camera) && dismissed !== state.camera ? state.camera : null;
    if (!inTrouble(state.camera)) dismissed = null;
    const waiting = wait !== null && alone(state);
    const part = waiting && wait ? wait.element : view.element;
    if (element.firstElementChild !== part) {
      const swap = element.firstElementChild !== null;
      element.replaceChildren(part);
      refresh(part);
      if (swap) /** @type {HTMLElement | null} */ (part.querySelector('h1'))?.focus({ preventScroll: true });
    }
    const aspect = state.self.height > 0 ? state.self.width / state.self.height : undefined;
    const places = arrange(state.order.length, stage.width, stage.height, {
      corner: self.corner(), aspect, hidden: self.hidden() && !small, least: small ? PATIENT_TOUCH : 0,
    });
    view.stage.dataset.self = places.place === 'corner' ? places.corner : '';
    if (waiting && wait) {
      self.into('preview', wait.preview);
      wait.draw(state, trouble);
    } else {
      self.into(places.place, view.stage);
      drawStage(view, state, variant, trouble, {
        inApp,
        again: () => void handle.camera(true),
        without: () => {
          dismissed = state.camera;
          draw();
        },
      });
    }
    tiles.draw(state, places.tiles, places.covered, places.self, stage.text);
    self.draw(state, waiting ? null : places.self);
    shown(self.element, waiting || (state.room !== null && places.self !== null));
    view.stage.style.setProperty('--self-width', `${places.self?.width ?? 0}px`);
    view.stage.style.setProperty('--self-height', `${places.self?.height ?? 0}px`);
    notices.draw(state);
    chat.draw(state);
    people?.draw(state);
    clearTimeout(timer);
    const at = nextTick(state);
    if (at !== null) timer = setTimeout(() => act({ type: 'tick' }), Math.max(0, at - Date.now()) + 1);
  };

  /** The call ended and it wasn't us: what happened, and what to do. */
  const end = () => {
    over = true;
    show(overScreen({ code: state.code ?? (state.closing ? 'shutting_down' : null), variant, again, back }));
  };

  view.camera.addEventListener('click', toggleCamera);
  view.chatToggle.addEventListener('click', () => setPanel(state.panel === 'chat' ? null : 'chat'));
  view.peopleToggle?.addEventListener('click', () => setPanel(state.panel === 'people' ? null : 'people'));
  view.menuToggle?.addEventListener('click', () => setMenu(!menuOpen()));
  // A patient's touch may be a slip, and getting back takes more than one; who isn't alone is asked.
  view.leave.addEventListener('click', () => (small && !alone(state) ? askToLeave(leave) : leave()));
  view.backToList.addEventListener('click', leave);
  self.element.addEventListener('moved', () => draw());

  const inStage = () => element.firstElementChild === view.element;
  const stopKeys = listenToKeys((action) => {
    if (!inStage()) return;
    if (action === 'camera') toggleCamera();
    else if (action === 'chat') setPanel(state.panel === 'chat' ? null : 'chat', true);
    else if (action === 'full') fillScreen(canFill() && !isFilled());
    else if (small) return;
    else if (action === 'people') setPanel(state.panel === 'people' ? null : 'people');
    else if (action === 'self') self.hide(!self.hidden());
    else setMenu(!menuOpen());
  }, (key) => inStage() && self.steer(key), () => {
    if (menuOpen()) setMenu(false);
    else if (state.panel) setPanel(null);
    else return false;
    return true;
  });
  /** A touch beside the menu closes it. @param {Event} event */
  const beside = (event) => {
    const target = /** @type {Node} */ (event.target);
    if (menuOpen() && !view.menu?.contains(target) && !view.menuToggle?.contains(target)) setMenu(false, false);
  };
  document.addEventListener('pointerdown', beside);

  const sized = new ResizeObserver(() => {
    const { clientWidth, clientHeight } = view.stage;
    const text = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    if (!clientWidth || !clientHeight || (stage.width === clientWidth && stage.height === clientHeight && stage.text === text)) return;
    stage = { width: clientWidth, height: clientHeight, text };
    if (!over) draw();
  });
  sized.observe(view.stage);
  sheet.addEventListener('change', cover);

  const element = h('div', { class: 'call-root', attributes: { 'data-variant': variant } });
  draw();
  const stop = handle.subscribe(act);
  const sleep = keepAwake();

  return {
    element,
    destroy() {
      over = true;
      stop();
      sleep();
      stopKeys();
      document.removeEventListener('pointerdown', beside);
      sheet.removeEventListener('change', cover);
      clearTimeout(timer);
      sized.disconnect();
      tiles.destroy();
      self.destroy();
      wait?.destroy();
      menu?.destroy();
      fillScreen(false);
      // Their languages need not be kept any more.
      for (const part of [view.element, wait?.element]) part?.querySelector('.language')?.removeAttribute('data-kept');
    },
  };
}

/** @param {() => void} leave */
function askToLeave(leave) {
  const stay = button({ kind: 'plain', t: 'leave-stay', icon: 'video', testid: 'leave-stay', class: 'wide' });
  const dialog = openDialog({
    title: 'leave-title',
    text: 'leave-text',
    body: [stay],
    verb: 'control-leave',
    verbTestid: 'leave-sure',
    kind: 'danger',
    submit: (close) => {
      close();
      leave();
    },
  });
  dialog.classList.add('large');
  stay.addEventListener('click', () => dialog.close());
  stay.focus();
}
