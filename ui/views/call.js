// A call from joining to its end: keeps the state, and lets the parts draw it in place.
import { arrange, layout } from '../call/layout.js';
import { isOpen } from '../call/sound.js';
import { isSpotlit, spotlight } from '../call/spotlight.js';
import { alone, initial, nextTick, reduce } from '../call/state.js';
import { refresh } from '../texts/index.js';
import { keepAwake } from './awake.js';
import { createChat } from './chat.js';
import { inTrouble, troubleOf } from './device-trouble.js';
import { openDialog } from './dialog.js';
import { h, shown } from './dom.js';
import { canFloat, createFloating } from './floating.js';
import { canFill, fillScreen, isFilled } from './fullscreen.js';
import { listenToKeys } from './keys.js';
import { wantedLayout } from './layouts.js';
import { createMenu } from './menu.js';
import { createNotices } from './notices.js';
import { button } from './parts.js';
import { createPeople } from './people.js';
import { endedScreen, overScreen } from './problem.js';
import { createSelf } from './self.js';
import { callSignals } from './signals.js';
import { micControl, soundAsk } from './sound.js';
import { createStage, drawStage } from './stage.js';
import { holdsToTalk, microphoneButton } from './talk.js';
import { createTiles } from './tiles.js';
import { createWait } from './wait.js';

/** @typedef {import('./app.js').Screen} Screen */
/** @typedef {import('./app.js').Variant} Variant */
/** @typedef {import('../call/state.js').Panel} Panel */
/** @typedef {import('../platform/types').CameraState} CameraState */
/** @typedef {import('../platform/types').MicState} MicState */
/** @typedef {import('./device-trouble.js').Device} Device */

/** Where the settings are a sheet over the rest (call.css). */
const sheet = window.matchMedia('(max-width: 35em)');
/** The least side of what a patient touches, in CSS pixels (LOOK.md). */
const PATIENT_TOUCH = 96;

/**
 * @param {{
 *   handle: import('../platform/types').CallHandle, devices?: import('../platform/types').Devices,
 *   reach: () => Promise<import('../platform/types').Reach>, variant: Variant, inApp: boolean,
 *   back: () => void, again: () => void, show: (screen: Screen) => void,
 * }} options
 * @returns {Screen}
 */
export function callScreen({ handle, devices, reach, variant, inApp, back, again, show }) {
  let state = initial();
  let drawing = false;
  let over = false;
  /** The troubles that the person chose to go on with. @type {{ camera: CameraState | null, mic: MicState | null }} */
  const dismissed = { camera: null, mic: null };
  /** Whether the camera was on before there was only sound. */
  let hadCamera = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** The stage in CSS pixels, and its text as a multiple of 16 px. */
  let stage = { width: 0, height: 0, text: 1 };
  /** @type {ReturnType<typeof callSignals> | null} */
  let signals = null;
  /** @type {{ draw(state: import('../call/state.js').State): void } | null} */
  let panel = null;

  const small = variant === 'patient';
  const sound = handle.microphone !== undefined;
  /** A patient holds nothing down. */
  const holds = () => !small && holdsToTalk();

  /** A patient's touch may be a slip: who is large there is who speaks. @param {number} member */
  const pin = (member) => {
    if (state.order.length > 1) act({ type: 'pin', member: state.focus.pinned === member ? null : member });
  };
  const tiles = createTiles(handle, sound, small ? null : pin);
  const self = createSelf(handle);
  // A patient's tablet shows the call and nothing else, and the app's web views have no such window.
  const floating = !small && !inApp && canFloat() ? createFloating(handle, sound, () => {
    if (over) return;
    menu?.draw();
    draw();
  }) : null;
  const notices = createNotices({ openChat: () => setPanel('chat'), unmute: () => setMicrophone(true) });
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
  const volume = handle.volume ? (/** @type {number} */ id, /** @type {number} */ loud) => {
    handle.volume?.(id, loud);
    act({ type: 'volume', member: id, volume: loud });
  } : null;
  const people = small ? null : createPeople({ close: () => setPanel(null), sound, volume, pin });
  const menu = small ? null : createMenu({
    devices,
    close: () => setMenu(false),
    hidden: self.hidden,
    hide: self.hide,
    people: () => setPanel('people'),
    invite: variant === 'staff' ? () => void invite() : null,
    connection: () => void connection(),
    layout: () => {
      act({ type: 'pin', member: null });
      draw();
    },
    floating,
    sound: sound ? {
      audioOnly: () => state.audioOnly,
      setAudioOnly: (on) => setAudioOnly(on),
      holds: () => {
        // Nothing is opened by a setting: who holds to talk begins muted, and stays so afterwards.
        if (holds() && isOpen(state.sound.microphone)) setMicrophone(false);
        draw();
      },
    } : null,
  });
  const hear = () => void handle.hear?.();
  const ask = sound ? soundAsk(variant, hear) : null;
  const waitAsk = sound && variant === 'family' ? soundAsk(variant, hear) : null;
  const wait = variant === 'family' ? createWait({ leave: () => leave(), again: (device) => tryAgain(device), ask: waitAsk?.element ?? null }) : null;
  const mic = sound ? micControl() : null;
  const talk = mic && microphoneButton(mic.element, { toggle: () => setMicrophone(!isOpen(state.sound.microphone)), talk: (on) => setMicrophone(on), holds });
  const view = createStage({
    variant, tiles: tiles.element, notices: notices.element, chat: chat.element, people: people?.element ?? null, menu: menu?.element ?? null,
    mic: mic?.element ?? null, ask: ask?.element ?? null,
  });
  if (view.menu) shown(view.menu, false);

  /** @param {Parameters<typeof reduce>[1]} event */
  const act = (event) => {
    const next = reduce(state, event, Date.now());
    if (next === state) return;
    signals?.({ event, before: state, after: next });
    // Levels come ten times a second, and move only the bars that show them.
    const more = event.type !== 'levels' || next.notices !== state.notices || next.focus.seats !== state.focus.seats;
    state = next;
    if (event.type === 'levels') drawLevels();
    if (!more) return;
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

  /** What it needs is loaded when it is: few calls ask for it. */
  const invite = async () => {
    const { openInvite } = await import('./invite.js');
    const { room } = state;
    if (!over && room) openInvite({ room, reach, code: () => handle.code() });
  };

  const connection = async () => {
    const { openConnection } = await import('./connection.js');
    if (over) return;
    panel = openConnection({ state, inApp, measure: handle.measure?.bind(handle), closed: () => {
      panel = null;
    } });
  };

  const leave = () => {
    over = true;
    void handle.leave();
    if (variant === 'family') show({ element: endedScreen({ variant, left: true, again }) });
    else back();
  };

  /** @param {boolean} on */
  const setCamera = (on) => {
    dismissed.camera = null;
    // Who wants to be seen wants pictures again.
    if (on) act({ type: 'audio_only', on: false });
    void handle.camera(on);
  };
  const toggleCamera = () => setCamera(!cameraOn());
  const cameraOn = () => state.camera === 'on' || state.camera === 'starting';

  /** @param {boolean} on */
  const setMicrophone = (on) => {
    dismissed.mic = null;
    void handle.microphone?.(on);
  };

  /** @param {boolean} on */
  const setAudioOnly = (on) => {
    if (on === state.audioOnly) return;
    act({ type: 'audio_only', on });
    if (on) hadCamera = cameraOn();
    if (on && hadCamera) void handle.camera(false);
    else if (!on && hadCamera) setCamera(true);
  };

  /** @param {Device} device */
  const tryAgain = (device) => {
    if (device !== 'mic') setCamera(true);
    if (device !== 'camera') setMicrophone(true);
  };

  /** What there is to say of the devices, besides what the person goes on without. */
  const troubleNow = () => {
    const { camera, sound: { microphone } } = state;
    if (!inTrouble(camera)) dismissed.camera = null;
    if (!inTrouble(microphone)) dismissed.mic = null;
    return troubleOf(dismissed.camera === camera ? 'off' : camera, dismissed.mic === microphone ? 'off' : microphone);
  };

  const drawLevels = () => {
    tiles.levels(state);
    floating?.levels(state);
    mic?.level(state.sound);
  };

  const draw = () => {
    if (state.connection === 'ended') {
      end();
      return;
    }
    const waiting = wait !== null && alone(state);
    const part = waiting && wait ? wait.element : view.element;
    if (element.firstElementChild !== part) {
      const swap = element.firstElementChild !== null;
      element.replaceChildren(part);
      refresh(part);
      if (swap) /** @type {HTMLElement | null} */ (part.querySelector('h1'))?.focus({ preventScroll: true });
    }
    const aspect = state.self.height > 0 ? state.self.width / state.self.height : undefined;
    const { focus, order } = state;
    const spotlit = isSpotlit(small ? 'auto' : wantedLayout(), focus.pinned !== null, order.length, stage.width, stage.height, { text: stage.text, far: small });
    const places = arrange(order.length, stage.width, stage.height, {
      corner: self.corner(), aspect, hidden: self.hidden() && !small, least: small ? PATIENT_TOUCH : 0, cut: spotlit ? spotlight : layout,
    });
    view.stage.dataset.self = places.place === 'corner' ? places.corner : '';
    view.stage.dataset.layout = spotlit ? 'large' : 'alike';
    if (waiting && wait) {
      self.into('preview', wait.preview);
      waitAsk?.draw(state);
      wait.draw(state, troubleNow());
    } else {
      self.into(places.place, view.stage);
      // One thing at a time, and to hear comes first.
      const trouble = ask?.draw(state) ? null : troubleNow();
      drawStage(view, state, variant, trouble, {
        inApp,
        again: () => trouble && tryAgain(trouble.device),
        without: () => {
          if (trouble?.device !== 'mic') dismissed.camera = state.camera;
          if (trouble?.device !== 'camera') dismissed.mic = state.sound.microphone;
          draw();
        },
      });
      mic?.draw(state, holds());
    }
    tiles.draw(state, spotlit ? focus.seats : order, places.tiles, spotlit, places.covered, places.self, stage.text);
    floating?.draw(state, stage.text);
    drawLevels();
    self.draw(state, waiting ? null : places.self);
    shown(self.element, waiting || (state.room !== null && places.self !== null));
    // Hidden here, and sent: it is said, and leads back.
    shown(view.selfSent, places.place === 'hidden' && state.room !== null && cameraOn() && state.line.up !== 'sound');
    view.stage.style.setProperty('--self-width', `${places.self?.width ?? 0}px`);
    view.stage.style.setProperty('--self-height', `${places.self?.height ?? 0}px`);
    notices.draw(state);
    chat.draw(state);
    people?.draw(state);
    panel?.draw(state);
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
  view.audioOnly?.addEventListener('click', () => setAudioOnly(!state.audioOnly));
  view.chatToggle.addEventListener('click', () => setPanel(state.panel === 'chat' ? null : 'chat'));
  view.peopleToggle?.addEventListener('click', () => setPanel(state.panel === 'people' ? null : 'people'));
  view.menuToggle?.addEventListener('click', () => setMenu(!menuOpen()));
  // A patient's touch may be a slip, and getting back takes more than one; who isn't alone is asked.
  view.leave.addEventListener('click', () => (small && !alone(state) ? askToLeave(leave) : leave()));
  view.backToList.addEventListener('click', leave);
  view.invite?.addEventListener('click', () => void invite());
  view.selfSent.addEventListener('click', () => self.hide(false));
  self.element.addEventListener('moved', () => draw());

  const inStage = () => element.firstElementChild === view.element;
  const stopKeys = listenToKeys((action) => {
    if (!inStage()) return;
    if (action === 'microphone') talk?.pressed();
    else if (action === 'camera') toggleCamera();
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
  }, (action) => {
    if (action === 'microphone') talk?.released();
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
  // What happened before this screen stood is seen on it.
  signals = callSignals(devices);
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
      floating?.close();
      self.destroy();
      wait?.destroy();
      talk?.destroy();
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
