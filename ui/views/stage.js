// A call as it is seen: its head, the stage, the panels beside it and the controls.
import { missing } from '../call/line.js';
import { alone, minutes } from '../call/state.js';
import { clock, sayAttribute } from '../texts/index.js';
import { sameTrouble, troubleCard } from './device-trouble.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { button, chip, languageButton, setChip } from './parts.js';

/** @typedef {import('./app.js').Variant} Variant */
/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('./device-trouble.js').Trouble} Trouble */

/**
 * @param {{
 *   variant: Variant, tiles: HTMLElement, notices: HTMLElement, chat: HTMLElement,
 *   people: HTMLElement | null, menu: HTMLElement | null, mic: HTMLElement | null, ask: HTMLElement | null,
 * }} parts a patient has neither the list of people nor the menu; `mic` and `ask`: where there is sound
 */
export function createStage({ variant, tiles, notices, chat, people, menu, mic, ask }) {
  const room = h('h1', { class: 'call-room', attributes: { tabindex: '-1', dir: 'auto' } });
  const time = h('span', { class: 'call-time', testid: 'call-time' });
  const count = h('span', { class: 'call-count' });
  const sub = h('p', { class: 'call-sub' }, time, count, h('span', { class: 'call-sub-state', t: 'call-sub-connected' }));
  const status = chip('stage', 'call-connecting', 'wifi', 'call-state');
  const language = variant === 'patient' ? languageButton('on-stage') : null;
  if (language) language.dataset.kept = 'true';
  const selfSent = button({ kind: 'quiet', t: 'self-sent', icon: 'eye', testid: 'self-sent', class: 'on-stage self-sent', label: 'self-sent-label' });
  const banner = h('div', { class: 'call-banner', testid: 'call-banner', attributes: { role: 'status' } });
  const line = h('div', { class: 'call-line', attributes: { role: 'status' } });
  const empty = h('div', { class: 'call-empty', testid: 'call-empty', attributes: { role: 'status' } },
    h('span', { class: 'call-empty-mark' }, icon('users-round')),
    h('p', { class: 'call-empty-title' }), h('p', { class: 'call-empty-text' }));
  const backToList = button({ kind: 'primary', t: 'call-gone-back', icon: 'arrow-left', testid: 'gone-back', class: 'call-empty-back' });
  const invite = variant === 'staff' ? button({ kind: 'primary', t: 'invite', icon: 'qr-code', testid: 'call-invite', class: 'call-empty-back' }) : null;
  empty.append(backToList, ...(invite ? [invite] : []));
  const camera = control('camera-toggle', 'video', 'control-camera');
  const audioOnly = mic && variant !== 'patient' ? control('audio-only', 'volume-2', 'control-audio-only', 'wide-only') : null;
  const chatToggle = control('chat-toggle', 'message-circle', 'chat-title');
  const unread = h('span', { class: 'unread', testid: 'unread', attributes: { 'aria-hidden': 'true' } });
  const unreadWords = h('span', { class: 'for-readers' });
  chatToggle.querySelector('.control-face')?.append(unread);
  chatToggle.append(unreadWords);
  const peopleToggle = people && control('people-toggle', 'users-round', 'people-title', 'wide-only');
  const menuToggle = menu && control('menu-toggle', 'settings-2', 'menu-title');
  const leave = control('leave', 'phone-off', 'control-leave', 'danger');
  const trouble = h('div', { class: 'call-trouble' });
  const stage = h('div', { class: 'stage', testid: 'stage' }, tiles, empty);
  const head = h('header', { class: 'call-head' },
    h('div', { class: 'call-lead' },
      h('div', { class: 'call-names' }, room, sub), selfSent, status,
      // What is told lies over the head, where it covers nobody.
      h('div', { class: 'call-told' }, banner, notices, line)),
    language);
  const main = h('main', { class: 'call-main' }, stage, chat, people);
  const controls = h('div', { class: 'controls', attributes: { role: 'group' }, said: { 'aria-label': 'controls' } },
    mic, camera, audioOnly, chatToggle, peopleToggle, menuToggle, leave);
  const element = h('div', { class: 'call', testid: 'call', attributes: { 'data-variant': variant } },
    head, main, ask, trouble, h('footer', { class: 'call-foot' }, controls, menu));
  return {
    element, room, sub, time, count, status, banner, notices, line, empty, trouble, camera, audioOnly, chatToggle, unread, unreadWords, peopleToggle, menuToggle,
    leave, backToList, invite, selfSent, stage, chat, people, menu, beneath: [head, main, trouble, controls, ...(ask ? [ask] : [])],
    /** @type {Trouble | null} */
    shownTrouble: null,
  };
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
 * @param {Trouble | null} trouble
 * @param {{ inApp: boolean, again: () => void, without: () => void }} actions
 */
export function drawStage(view, state, variant, trouble, actions) {
  sayText(view.room, state.room ? ['call-room', { room: state.room.name }] : 'app-name');
  if (state.room) {
    // The words are the same as long as the minute is: nothing is drawn anew for nothing.
    sayText(view.time, ['call-time', () => ({ time: clock(state.clock), minutes: minutes(state) })]);
    sayText(view.count, ['call-people', { count: state.order.length + 1 }]);
  }
  shown(view.count, variant === 'staff');
  shown(view.sub, Boolean(state.room));
  view.element.dataset.connection = state.room ? state.connection : 'connecting';

  if (state.connection === 'reconnecting') setChip(view.status, 'warning', 'call-reconnecting', 'wifi-off');
  else if (state.room) setChip(view.status, 'stage', 'call-connected', 'wifi');
  else setChip(view.status, 'stage', 'call-connecting', 'wifi');

  const lost = variant === 'patient' ? 'call-banner-patient' : 'call-banner-reconnecting';
  const word = state.connection === 'reconnecting' ? lost : state.closing ? 'call-banner-closing' : '';
  const gone = missing(state);
  shown(view.banner, word !== '');
  drawLine(view.line, gone, variant);
  view.element.dataset.told = String(word !== '' || gone !== null);
  if (view.banner.dataset.word !== word) {
    view.banner.dataset.word = word;
    view.banner.replaceChildren(...(word ? [icon(state.closing ? 'radio-tower' : 'wifi-off'), h('span', { t: word })] : []));
  }
  drawEmpty(view, state, variant);

  const on = state.camera === 'on' || state.camera === 'starting';
  setIcon(view.camera, on ? 'video' : 'video-off');
  view.camera.setAttribute('aria-pressed', String(on));
  view.camera.classList.toggle('off', !on && state.room !== null);
  sayAttribute(view.camera, 'aria-label', on ? 'control-camera-off' : 'control-camera-on');
  sayAttribute(view.leave, 'aria-label', 'control-leave-label');
  drawAudioOnly(view, state);

  view.element.dataset.panel = state.panel ?? 'none';
  shown(view.chat, state.panel === 'chat');
  view.chatToggle.setAttribute('aria-expanded', String(state.panel === 'chat'));
  if (view.people) shown(view.people, state.panel === 'people');
  view.peopleToggle?.setAttribute('aria-expanded', String(state.panel === 'people'));
  sayText(view.unreadWords, ['control-chat-unread', { count: state.unread }]);
  shown(view.unreadWords, state.unread > 0);
  view.unread.textContent = state.unread > 99 ? '99+' : String(state.unread);
  shown(view.unread, state.unread > 0);

  if (!sameTrouble(view.shownTrouble, trouble)) {
    view.shownTrouble = trouble;
    view.trouble.replaceChildren(...(trouble ? [troubleCard(trouble, { ...actions, help: variant !== 'patient' })] : []));
  }
}

/**
 * What the line doesn't carry, for as long as it is so.
 * @param {HTMLElement} element @param {ReturnType<typeof missing>} gone @param {Variant} variant
 */
function drawLine(element, gone, variant) {
  if (element.dataset.gone === (gone ?? '')) return;
  element.dataset.gone = gone ?? '';
  element.replaceChildren(...(gone ? [h('p', { class: 'notice', testid: 'call-line' },
    icon('volume-2'), h('span', { class: 'notice-words', t: variant === 'patient' ? `call-line-${gone}-patient` : `call-line-${gone}` }))] : []));
}

/** @param {ReturnType<typeof createStage>} view @param {State} state */
function drawAudioOnly({ audioOnly }, state) {
  if (!audioOnly) return;
  setIcon(audioOnly, state.audioOnly ? 'video' : 'volume-2');
  audioOnly.classList.toggle('off', state.audioOnly);
  const words = audioOnly.querySelector('.control-words');
  if (words) sayText(words, state.audioOnly ? 'control-pictures' : 'control-audio-only');
  sayAttribute(audioOnly, 'aria-label', state.audioOnly ? 'control-pictures-label' : 'control-audio-only-label');
}

/** @param {ReturnType<typeof createStage>} view @param {State} state @param {Variant} variant */
function drawEmpty(view, state, variant) {
  const entering = !state.room;
  shown(view.empty, entering || alone(state));
  view.empty.classList.toggle('late', entering);
  const [title, text] = /** @type {HTMLElement[]} */ ([
    view.empty.querySelector('.call-empty-title'), view.empty.querySelector('.call-empty-text'),
  ]);
  // A patient whose visitor left is told so, and shown the way back.
  const gone = !entering && state.met && variant === 'patient';
  const key = entering ? 'entering' : gone ? 'gone' : variant === 'patient' ? 'alone-patient' : state.met ? 'alone-again' : 'alone';
  shown(view.backToList, gone);
  if (view.invite) shown(view.invite, !entering);
  sayText(title, `call-${key}`);
  sayText(text, `call-${key}-text`);
  setIcon(view.empty, entering ? 'log-in' : 'users-round');
}
