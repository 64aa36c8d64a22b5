// Short notices on the stage: who came, who went, what was written, what was refused.
import { h, icon, keep, sayText, setIcon } from './dom.js';
import { t } from '../texts/index.js';
import { problemKey } from './problem.js';

/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('../call/state.js').Notice} Notice */
/** @typedef {import('../call/state.js').Person} Person */
/** @typedef {import('../call/state.js').ComingKind} ComingKind */

/** So many names are said; the others are counted. */
const NAMES = 3;

/** @param {{ openChat: () => void, unmute: () => void }} does */
export function createNotices(does) {
  // One live region for all: what stands in it is read aloud once, when it comes.
  const element = h('div', { class: 'notices', attributes: { role: 'status', 'aria-live': 'polite' } });
  return {
    element,
    /** One at a time, the newest: what is on the stage is the people. @param {State} state */
    draw(state) {
      keep(element, state.notices.slice(-1), (notice) => notice.key, (notice) => make(notice, does), drawNotice);
    },
  };
}

/** @type {readonly ComingKind[]} */
const kinds = ['joined', 'left', 'lost'];

/** All who came and went, a sentence for each kind. @param {Extract<Notice, { type: 'coming' }>} notice @returns {import('./dom.js').Text} */
function comingsText(notice) {
  return ['notice-coming', () => ({
    what: kinds.flatMap((kind) => {
      const people = notice.people.filter((one) => one.kind === kind);
      if (!people.length) return [];
      const [id, args] = /** @type {[string, () => import('../texts/index.js').Args]} */ (comingText(kind, people));
      return [t(id, args)];
    }).join('. '),
  })];
}

/** @param {Extract<Notice, { type: 'coming' }>} notice */
function comingsIcon(notice) {
  const [first, ...others] = notice.people.map((one) => one.kind);
  return others.every((kind) => kind === first) ? comingIcons[first] : 'users-round';
}

/** What a coming or going says, with its arguments. @param {ComingKind} kind @param {readonly Person[]} people @returns {import('./dom.js').Text} */
export function comingText(kind, people) {
  const names = people.map((person) => person.name);
  return [`notice-${kind}`, () => ({
    count: people.length,
    names: names.length <= NAMES ? names : [...names.slice(0, NAMES - 1), t('notice-more', { count: names.length - NAMES + 1 })],
  })];
}

/** @type {Record<ComingKind, import('./dom.js').IconName>} */
export const comingIcons = { joined: 'user-round-plus', left: 'user-round-minus', lost: 'wifi-off' };

/** @param {Exclude<Notice, { type: 'chat' | 'muted' }>} notice @returns {import('./dom.js').IconName} */
function iconOf(notice) {
  if (notice.type === 'coming') return comingsIcon(notice);
  if (notice.type === 'device') return notice.device === 'microphone' ? 'mic' : 'volume-2';
  if (notice.type === 'pinned') return 'pin';
  return notice.type === 'line' ? 'video' : 'circle-alert';
}

/** @param {Notice} notice @param {{ openChat: () => void, unmute: () => void }} does */
function make(notice, { openChat, unmute }) {
  const words = h('span', { class: 'notice-words' });
  if (notice.type === 'chat') {
    return h('button', { class: 'notice written', testid: 'notice', attributes: { type: 'button' }, on: { click: openChat } }, icon('message-circle'), words);
  }
  if (notice.type === 'muted') {
    return h('button', { class: 'notice written', testid: 'notice-muted', attributes: { type: 'button' }, on: { click: unmute } },
      icon('mic-off'), words, h('span', { class: 'notice-verb', t: 'notice-unmute' }));
  }
  return h('p', { class: `notice ${notice.type}`, testid: 'notice' }, icon(iconOf(notice)), words);
}

/** @param {HTMLElement} element @param {Notice} notice */
function drawNotice(element, notice) {
  const words = element.querySelector('.notice-words');
  if (!words) return;
  if (notice.type === 'coming') {
    setIcon(element, comingsIcon(notice));
    sayText(words, comingsText(notice));
  } else if (notice.type === 'muted') {
    sayText(words, 'notice-muted');
  } else if (notice.type === 'pinned') {
    sayText(words, ['notice-pinned', { name: notice.people[0]?.name ?? '' }]);
  } else if (notice.type === 'line') {
    sayText(words, notice.back === 'up' ? 'notice-line-up' : 'notice-line-down');
  } else if (notice.type === 'device') {
    sayText(words, [`notice-${notice.device}`, { name: notice.name }]);
  } else if (notice.type === 'chat') {
    sayText(words, ['notice-chat', { name: notice.people[0]?.name ?? '', text: notice.text }]);
  } else {
    const known = ['chat_empty', 'chat_too_long', 'rate_limited'].includes(notice.code);
    sayText(words, known ? `refused-${notice.code.replace(/_/g, '-')}` : `problem-${problemKey(notice.code)}-title`);
  }
}
