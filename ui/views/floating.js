// The person who is large, in a small window of the browser's that stays over all others: seen while
// one looks something up elsewhere. Chromium on desktops has it (Document Picture-in-Picture).
import { onLanguage, refresh } from '../texts/index.js';
import { h } from './dom.js';
import { createTiles } from './tiles.js';

/** @typedef {import('../call/state.js').State} State */
/** @typedef {{ requestWindow(options: { width: number, height: number }): Promise<Window> }} DocumentPictureInPicture */

/** The window's size at first, in CSS pixels; people change it, and the browser remembers. */
const SIZE = { width: 400, height: 260 };

/** @returns {DocumentPictureInPicture | undefined} */
function offered() {
  return /** @type {any} */ (window).documentPictureInPicture;
}

/** Whether the browser has such windows. */
export function canFloat() {
  return offered() !== undefined;
}

/**
 * @param {import('../platform/types').CallHandle} handle @param {boolean} sound whether there is sound to tell of
 * @param {() => void} changed it came, went, or has another size
 */
export function createFloating(handle, sound, changed) {
  /** @type {{ view: Window, tiles: ReturnType<typeof createTiles>, empty: HTMLElement, over: () => void } | null} */
  let open = null;
  let asking = false;

  const close = () => {
    const was = open;
    open = null;
    if (!was) return;
    was.over();
    was.tiles.destroy();
    was.view.close();
    changed();
  };

  return {
    isOpen: () => open !== null,
    close,
    /** From a touch. A refusal changes nothing. */
    async open() {
      if (open || asking) return;
      asking = true;
      const view = await offered()?.requestWindow(SIZE).catch(() => undefined);
      asking = false;
      if (!view) return;
      const tiles = createTiles(handle, sound, null);
      const empty = h('p', { class: 'floating-empty', t: 'call-alone-again' });
      const root = h('main', { class: 'call floating' }, tiles.element, empty);
      view.document.documentElement.lang = document.documentElement.lang;
      view.document.title = document.title;
      for (const sheet of document.querySelectorAll('link[rel="stylesheet"]')) view.document.head.append(sheet.cloneNode());
      view.document.body.append(root);
      view.addEventListener('pagehide', close);
      view.addEventListener('resize', changed);
      open = { view, tiles, empty, over: onLanguage(() => refresh(root)) };
      changed();
    },
    /** @param {State} state @param {number} text size of the text, as a multiple of 16 px */
    draw(state, text) {
      if (!open) return;
      const { view, tiles, empty } = open;
      const seats = state.focus.seats.slice(0, 1);
      empty.hidden = seats.length > 0;
      tiles.draw(state, seats, [{ x: 0, y: 0, width: view.innerWidth, height: view.innerHeight }], false, -1, null, text);
    },
    /** @param {State} state */
    levels(state) {
      open?.tiles.levels(state);
    },
  };
}
