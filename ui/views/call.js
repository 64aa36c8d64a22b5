// A call from joining to its end: keeps the state, and lets the parts draw it in place.
import { arrange } from '../call/layout.js';
import { alone, initial, nextTick, reduce } from '../call/state.js';
import { refresh, sayAttribute } from '../texts/index.js';
import { keepAwake } from './awake.js';
import { cameraCard, inTrouble } from './camera.js';
import { createChat } from './chat.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { createNotices } from './notices.js';
import { button, chip, languageButton, setChip } from './parts.js';
import { endedScreen, problemScreen } from './problem.js';
import { createSelf } from './self.js';
import { createTiles } from './tiles.js';
import { createWait } from './wait.js';

/** @typedef {import('./app.js').Screen} Screen */
/** @typedef {import('./app.js').Variant} Variant */
/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('../platform/types').CameraState} CameraState */

/**
 * @param {{
 *   handle: import('../platform/types').CallHandle, variant: Variant, inApp: boolean,
 *   back: () => void, again: () => void, show: (screen: Screen) => void,
 * }} options
 * @returns {Screen}
 */
export function callScreen({ handle, variant, inApp, back, again, show }) {
  let state = initial();
  let drawing = false;
  let over = false;
  /** The trouble that the person chose to go on with. @type {CameraState | null} */
  let dismissed = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let stage = { width: 0, height: 0 };

  const tiles = createTiles(handle);
  const self = createSelf(handle);
  const notices = createNotices(() => openChat(true));
  const chat = createChat({
    send: (text) => {
      act({ type: 'chat_sent', text });
      handle.chat(text);
    },
    close: () => openChat(false),
  });
  const wait = variant === 'family' ? createWait({ leave: () => leave(), cameraAgain: () => void handle.camera(true) }) : null;
  const view = createStage({ variant, tiles, notices, chat });

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

  /** @param {boolean} open */
  const openChat = (open) => {
    act({ type: 'chat_opened', open });
    queueMicrotask(() => {
      if (open) chat.opened();
      else view.chatToggle.focus();
    });
  };

  const leave = () => {
    over = true;
    void handle.leave();
    if (variant === 'family') show({ element: endedScreen({ variant, left: true, again }) });
    else back();
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
    const places = arrange(state.order.length, stage.width, stage.height, self.corner(), aspect);
    view.stage.dataset.self = places.place === 'corner' ? self.corner() : '';
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
    tiles.draw(state, places.tiles, places.covered);
    self.draw(state, waiting ? null : places.self);
    shown(self.element, waiting || state.room !== null);
    view.stage.style.setProperty('--self-width', `${places.self.width}px`);
    view.stage.style.setProperty('--self-height', `${places.self.height}px`);
    notices.draw(state);
    chat.draw(state);
    clearTimeout(timer);
    const at = nextTick(state);
    if (at !== null) timer = setTimeout(() => act({ type: 'tick' }), Math.max(0, at - Date.now()) + 1);
  };

  /** The call ended and it wasn't us: what happened, and what to do. */
  const end = () => {
    over = true;
    // `back` of a relative is a fresh page: nothing to go back to.
    const home = variant === 'family' ? undefined : back;
    const code = state.code ?? (state.closing ? 'shutting_down' : null);
    show({
      element: code
        ? problemScreen({ code, large: variant === 'patient', retry: again, back: home ?? back })
        : endedScreen({ variant, again, back: home }),
    });
  };

  view.camera.addEventListener('click', () => {
    const on = state.camera === 'on' || state.camera === 'starting';
    dismissed = null;
    void handle.camera(!on);
  });
  view.chatToggle.addEventListener('click', () => openChat(!state.chatOpen));
  view.leave.addEventListener('click', leave);
  view.backToList.addEventListener('click', leave);
  view.element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && state.chatOpen) openChat(false);
  });
  self.element.addEventListener('moved', () => draw());

  const sized = new ResizeObserver(() => {
    const { clientWidth, clientHeight } = view.stage;
    if (!clientWidth || !clientHeight || (stage.width === clientWidth && stage.height === clientHeight)) return;
    stage = { width: clientWidth, height: clientHeight };
    if (!over) draw();
  });
  sized.observe(view.stage);

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
      clearTimeout(timer);
      sized.disconnect();
      tiles.destroy();
      self.destroy();
      // Their languages need not be kept any more.
      for (const part of [view.element, wait?.element]) part?.querySelector('.language')?.removeAttribute('data-kept');
    },
  };
}

/**
 * @param {{
 *   variant: Variant, tiles: ReturnType<typeof createTiles>, notices: ReturnType<typeof createNotices>,
 *   chat: ReturnType<typeof createChat>,
 * }} parts
 */
function createStage({ variant, tiles, notices, chat }) {
  const room = h('h1', { class: 'call-room', attributes: { tabindex: '-1', dir: 'auto' } });
  const people = h('span');
  const sub = h('p', { class: 'call-sub' }, people, h('span', { class: 'call-sub-state', t: 'call-sub-connected' }));
  const status = chip('stage', 'call-connecting', 'wifi', 'call-state');
  const language = languageButton('on-stage');
  language.dataset.kept = 'true';
  const banner = h('div', { class: 'call-banner', testid: 'call-banner', attributes: { role: 'status' } });
  const empty = h('div', { class: 'call-empty', testid: 'call-empty', attributes: { role: 'status' } },
    h('span', { class: 'call-empty-mark' }, icon('users-round')),
    h('p', { class: 'call-empty-title' }), h('p', { class: 'call-empty-text' }));
  const backToList = button({ kind: 'primary', t: 'call-gone-back', icon: 'arrow-left', testid: 'gone-back', class: 'call-empty-back' });
  empty.append(backToList);
  const camera = control('camera-toggle', 'video', 'control-camera');
  const chatToggle = control('chat-toggle', 'message-circle', 'chat-title');
  const unread = h('span', { class: 'unread', testid: 'unread', attributes: { 'aria-hidden': 'true' } });
  const unreadWords = h('span', { class: 'for-readers' });
  chatToggle.querySelector('.control-face')?.append(unread);
  chatToggle.append(unreadWords);
  const leave = control('leave', 'phone-off', 'control-leave', 'danger');
  const trouble = h('div', { class: 'call-trouble' });
  const stage = h('div', { class: 'stage', testid: 'stage' }, tiles.element, empty,
    h('div', { class: 'stage-top' }, banner, trouble, notices.element));
  const element = h('div', { class: 'call', testid: 'call', attributes: { 'data-variant': variant } },
    h('header', { class: 'call-head' },
      h('div', { class: 'call-names' }, room, sub),
      h('div', { class: 'call-chips' }, status, language)),
    h('main', { class: 'call-main' }, stage, chat.element),
    h('footer', {}, h('div', { class: 'controls', attributes: { role: 'group' }, said: { 'aria-label': 'controls' } }, camera, chatToggle, leave)));
  return { element, room, sub, people, status, banner, empty, trouble, camera, chatToggle, unread, unreadWords, leave, backToList, stage, chat: chat.element };
}

/**
 * @param {string} testid @param {import('./dom.js').IconName} name @param {string} label @param {string} [kind]
 */
function control(testid, name, label, kind = '') {
  return h('button', { class: `control ${kind}`.trim(), testid, attributes: { type: 'button' } },
    h('span', { class: 'control-face' }, icon(name)), h('span', { class: 'control-words', t: label }));
}

/**
 * @param {ReturnType<typeof createStage>} view @param {State} state @param {Variant} variant
 * @param {CameraState | null} trouble
 * @param {{ inApp: boolean, again: () => void, without: () => void }} actions
 */
function drawStage(view, state, variant, trouble, actions) {
  sayText(view.room, state.room ? ['call-room', { room: state.room.name }] : 'app-name');
  if (state.room) sayText(view.people, ['call-people', { count: state.order.length + 1 }]);
  shown(view.sub, Boolean(state.room));
  view.element.dataset.connection = state.room ? state.connection : 'connecting';

  if (state.connection === 'reconnecting') setChip(view.status, 'warning', 'call-reconnecting', 'wifi-off');
  else if (state.room) setChip(view.status, 'stage', 'call-connected', 'wifi');
  else setChip(view.status, 'stage', 'call-connecting', 'wifi');

  const word = state.connection === 'reconnecting' ? 'call-banner-reconnecting' : state.closing ? 'call-banner-closing' : '';
  shown(view.banner, word !== '');
  if (view.banner.dataset.word !== word) {
    view.banner.dataset.word = word;
    view.banner.replaceChildren(...(word ? [icon('wifi-off'), h('span', { t: word })] : []));
  }

  const entering = !state.room;
  const isAlone = alone(state);
  shown(view.empty, entering || isAlone);
  view.empty.classList.toggle('late', entering);
  const [title, text] = /** @type {HTMLElement[]} */ ([
    view.empty.querySelector('.call-empty-title'), view.empty.querySelector('.call-empty-text'),
  ]);
  // A patient whose visitor left is told so, and shown the way back.
  const gone = !entering && state.met && variant === 'patient';
  const key = entering ? 'entering' : gone ? 'gone' : variant === 'patient' ? 'alone-patient' : 'alone';
  shown(view.backToList, gone);
  sayText(title, `call-${key}`);
  sayText(text, `call-${key}-text`);
  setIcon(view.empty, entering ? 'log-in' : 'users-round');

  const on = state.camera === 'on' || state.camera === 'starting';
  setIcon(view.camera, on ? 'video' : 'video-off');
  view.camera.setAttribute('aria-pressed', String(on));
  view.camera.classList.toggle('off', !on && !entering);
  sayAttribute(view.camera, 'aria-label', on ? 'control-camera-off' : 'control-camera-on');
  sayAttribute(view.leave, 'aria-label', 'control-leave-label');

  view.element.dataset.chat = state.chatOpen ? 'open' : 'closed';
  shown(view.chat, state.chatOpen);
  view.chatToggle.setAttribute('aria-expanded', String(state.chatOpen));
  sayText(view.unreadWords, ['control-chat-unread', { count: state.unread }]);
  shown(view.unreadWords, state.unread > 0);
  view.unread.textContent = state.unread > 99 ? '99+' : String(state.unread);
  shown(view.unread, state.unread > 0);

  if (view.trouble.dataset.camera !== (trouble ?? '')) {
    view.trouble.dataset.camera = trouble ?? '';
    view.trouble.replaceChildren(...(trouble ? [cameraCard(trouble, actions)] : []));
  }
}
