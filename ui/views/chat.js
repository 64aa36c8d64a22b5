// The chat panel: lines, who came and went, and a field to write in.
import { clock, t } from '../texts/index.js';
import { h, icon, keep, sayText, setIcon, shown } from './dom.js';
import { comingIcons, comingText } from './notices.js';
import { button } from './parts.js';

/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('../call/state.js').Entry} Entry */

/** The longest message, in characters (protocol/src/name.rs). */
const MAX_CHAT_CHARS = 2_000;
/** Within so many CSS pixels of its end the list follows new lines; further up somebody is reading. */
const FOLLOW_PX = 64;

/** @typedef {import('../call/state.js').Pending} Pending */
/** @typedef {{ again: (line: Pending) => void, drop: (line: Pending) => void }} Actions for a line that was refused */

/**
 * @param {{ send: (text: string) => void, close: () => void } & Actions} options
 */
export function createChat({ send, close, again, drop }) {
  const list = h('ol', { class: 'chat-lines', attributes: { tabindex: '0' }, said: { 'aria-label': 'chat-title' } });
  const empty = h('p', { class: 'chat-empty', t: 'chat-empty' });
  const wrong = h('p', { class: 'chat-wrong', attributes: { role: 'alert', id: 'chat-wrong' } });
  const input = h('textarea', {
    class: 'chat-input', testid: 'chat-input', attributes: { rows: 1, 'aria-describedby': 'chat-wrong', enterkeyhint: 'send' },
    said: { placeholder: 'chat-placeholder', 'aria-label': 'chat-placeholder' },
  });
  const form = h('form', { class: 'chat-form' }, input,
    h('button', { class: 'icon-button chat-send', testid: 'chat-send', attributes: { type: 'submit' }, said: { 'aria-label': 'chat-send' } }, icon('send')));
  const element = h('aside', { class: 'panel chat', testid: 'chat', attributes: { 'aria-labelledby': 'chat-title' } },
    h('header', { class: 'chat-head' },
      h('h2', { class: 'chat-title', t: 'chat-title', attributes: { id: 'chat-title' } }),
      h('button', { class: 'icon-button', testid: 'chat-close', attributes: { type: 'button' }, said: { 'aria-label': 'chat-close' }, on: { click: close } }, icon('x'))),
    h('div', { class: 'chat-body' }, list, empty), wrong, form);

  const grow = () => {
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, 132)}px`;
  };
  const submit = () => {
    const text = input.value.trim();
    const long = Array.from(text).length > MAX_CHAT_CHARS;
    wrong.replaceChildren(...(long ? [h('span', { t: 'refused-chat-too-long' })] : []));
    if (!text || long) return;
    send(text);
    input.value = '';
    grow();
    input.focus();
  };
  input.addEventListener('input', grow);
  input.addEventListener('keydown', (event) => {
    // Enter inside an input method chooses a word; it doesn't send.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });

  // Whoever reads the newest line still does when a keyboard or a turned tablet takes half of the height.
  let follow = true;
  list.addEventListener('scroll', () => {
    follow = list.scrollHeight - list.scrollTop - list.clientHeight < FOLLOW_PX;
  });
  new ResizeObserver(() => {
    if (follow) list.scrollTop = list.scrollHeight;
  }).observe(list);

  return {
    element,
    /** @param {State} state */
    draw(state) {
      keep(list, items(state), (item) => item.key, (item) => makeItem(item, { again, drop }), (node, item) => drawItem(node, item, state));
      shown(empty, state.entries.length === 0 && state.pending.length === 0);
      if (follow) list.scrollTop = list.scrollHeight;
    },
    /** The panel was opened: to the newest line, and to the field where a keyboard is at hand. @param {boolean} byKey */
    opened(byKey) {
      list.scrollTop = list.scrollHeight;
      if (byKey || window.matchMedia('(pointer: fine)').matches) input.focus();
    },
  };
}

/** @typedef {(Entry & { first?: boolean }) | (Pending & { type: 'pending' })} Item */

/** @param {State} state @returns {Item[]} */
function items(state) {
  const entries = state.entries.map((entry, index) => {
    const before = state.entries[index - 1];
    const first = entry.type === 'line' && !(before?.type === 'line' && before.from === entry.from);
    return { ...entry, first };
  });
  // A refused line is another element: it can be touched.
  return [...entries, ...state.pending.map((one) => ({ ...one, key: one.refused ? `${one.key}-refused` : one.key, type: /** @type {const} */ ('pending') }))];
}

/** @param {Item} item @param {Actions} actions */
function makeItem(item, actions) {
  if (item.type === 'coming') {
    return h('li', { class: 'chat-coming' }, icon(comingIcons[item.kind]), h('span', { class: 'chat-coming-words' }));
  }
  if (item.type === 'pending') {
    const line = { ...item, key: item.key.replace('-refused', '') };
    return h('li', { class: `chat-line own ${item.refused ? 'refused' : 'pending'}`, testid: item.refused ? 'chat-refused' : 'chat-pending' },
      h('p', { class: 'chat-text', text: item.text, attributes: { dir: 'auto' } }),
      h('p', { class: 'chat-pending' }, icon(item.refused ? 'circle-alert' : 'hourglass'), h('span', { class: 'chat-pending-words' })),
      item.refused !== null && h('div', { class: 'chat-refused-actions' },
        button({ kind: 'quiet', t: 'chat-again', icon: 'send', testid: 'chat-again', on: () => actions.again(line) }),
        button({ kind: 'quiet', t: 'chat-drop', icon: 'x', testid: 'chat-drop', on: () => actions.drop(line) })));
  }
  // What somebody wrote is text and nothing else: an address in it can't be touched by accident,
  // and leads no patient's tablet away from the call.
  return h('li', { class: `chat-line${item.own ? ' own' : ''}${item.first ? ' first' : ''}`, testid: 'chat-line' },
    item.first && h('p', { class: 'chat-name' },
      h('span', { class: 'chat-name-words', text: item.name, attributes: { dir: 'auto' } }),
      h('time', { class: 'chat-time', text: clock(item.at) })),
    h('p', { class: 'chat-text', text: item.text, attributes: { dir: 'auto' } }));
}

/** @param {HTMLElement} element @param {Item} item @param {State} state */
function drawItem(element, item, state) {
  if (item.type === 'line') return;
  if (item.type === 'pending') {
    const says = element.querySelector('.chat-pending-words');
    if (!says) return;
    if (item.refused) sayText(says, ['chat-refused', () => ({ why: t(`refused-${(item.refused ?? '').replace(/_/g, '-')}`) })]);
    else sayText(says, state.connection === 'reconnecting' ? 'chat-pending-lost' : 'chat-pending');
    return;
  }
  setIcon(element, comingIcons[item.kind]);
  const words = element.querySelector('.chat-coming-words');
  const [id, args] = /** @type {[string, () => import('../texts/index.js').Args]} */ (comingText(item.kind, item.people));
  if (words) sayText(words, ['chat-coming', () => ({ what: t(id, args), time: clock(item.at) })]);
}
