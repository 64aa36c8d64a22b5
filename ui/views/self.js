// The own picture: small, in a corner of the stage, moved by finger, mouse or keyboard, or hidden;
// larger on the screen where one waits.
import { CORNERS, nearestCorner, steered } from '../call/layout.js';
import { h, icon, sayText, setIcon, shown } from './dom.js';
import { person } from './person.js';
import { recall, remember } from './storage.js';
import { devicePixels, fill } from './tiles.js';

/** @typedef {import('../call/state.js').State} State */
/** @typedef {import('../call/layout.js').Corner} Corner */
/** @typedef {import('../call/layout.js').Rect} Rect */
/** @typedef {import('../platform/types').CallHandle} CallHandle */
/** @typedef {'corner' | 'tile' | 'preview' | 'hidden'} Place */

/** A finger that moves less than this many CSS pixels taps. */
const TAP_PX = 8;
/** The size at which the own picture is asked for where one waits, in CSS pixels. */
const PREVIEW = { width: 480, height: 360 };

/** The arrow keys' directions. @type {Record<string, 'up' | 'down' | 'left' | 'right'>} */
const arrows = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' };

/** @param {CallHandle} handle */
export function createSelf(handle) {
  const canvas = h('canvas', {
    class: 'self-canvas', testid: 'self-canvas', attributes: { role: 'img', width: 4, height: 3 }, said: { 'aria-label': 'self-picture' },
  });
  const words = h('span', { class: 'self-words' }, person(), h('span', { class: 'self-line' }, icon('video-off'), h('span', { class: 'self-state' })));
  const note = h('span', { class: 'self-note', testid: 'self-paused' }, icon('video-off'), h('span', { t: 'self-paused' }));
  // All of it can be touched, so that a corner's small picture is as large to touch as to see.
  const move = h('button', { class: 'self-move', testid: 'self-move', attributes: { type: 'button' }, said: { 'aria-label': 'self-move' } },
    h('span', { class: 'self-move-mark' }, icon('move')));
  const element = h('div', { class: 'self', testid: 'self' }, canvas, words, note, move);

  /** @type {ReturnType<CallHandle['show']> | null} */
  let shows = null;
  let asked = '';
  /** @type {Place} */
  let place = 'corner';
  const kept = recall('self-corner');
  let corner = CORNERS.find((one) => one === kept) ?? 'bottom-right';
  let hidden = recall('self-hidden') === 'yes';

  /** @param {State} state @param {Rect | null} rect on the stage; null where one waits */
  const draw = (state, rect) => {
    element.dataset.place = place;
    shown(move, place === 'corner');
    if (rect) {
      element.style.transform = `translate(${rect.x}px, ${rect.y}px)`;
      element.style.width = `${rect.width}px`;
      element.style.height = `${rect.height}px`;
      element.classList.toggle('narrow', rect.height < 110);
      // Words of any size fit into it.
      element.style.setProperty('--own-text', `${Math.round(Math.min(rect.width * 0.17, rect.height * 0.2))}px`);
    } else {
      for (const property of ['transform', 'width', 'height', '--own-text']) element.style.removeProperty(property);
      element.classList.remove('narrow');
    }
    const size = rect ?? PREVIEW;
    const on = (state.camera === 'on' || state.camera === 'starting') && place !== 'hidden';
    const pixels = devicePixels(size.width, size.height);
    const key = `${pixels.width}x${pixels.height}`;
    if (on && !shows) shows = handle.show('self', canvas, pixels);
    else if (on && shows && key !== asked) shows.resize(pixels);
    else if (!on && shows) {
      shows.stop();
      shows = null;
    }
    asked = key;
    fill(canvas, state.self.width / state.self.height, size.width / size.height);
    const moving = state.camera === 'on' && state.self.state === 'moving';
    shown(canvas, on);
    shown(words, !moving);
    shown(note, moving && state.line.up === 'sound');
    element.dataset.camera = state.camera;
    setIcon(words, on ? 'hourglass' : 'video-off');
    const says = words.querySelector('.self-state');
    if (says) sayText(says, on ? 'self-starting' : 'self-off');
  };

  /** @param {Corner} next */
  const moveTo = (next) => {
    corner = next;
    remember('self-corner', corner);
    element.classList.remove('dragged');
    element.dispatchEvent(new CustomEvent('moved', { bubbles: true }));
  };

  const dragged = drag(element, () => place === 'corner', (x, y) => {
    const rect = element.parentElement?.getBoundingClientRect();
    if (rect) moveTo(nearestCorner(rect.width, rect.height, x - rect.left, y - rect.top));
  });
  move.addEventListener('click', () => {
    // A finger that dragged the picture lifts off it: that is no touch.
    if (!dragged()) moveTo(CORNERS[(CORNERS.indexOf(corner) + 1) % CORNERS.length]);
  });

  return {
    element,
    draw,
    corner: () => corner,
    hidden: () => hidden,
    /** @param {boolean} wanted */
    hide(wanted) {
      hidden = wanted;
      remember('self-hidden', wanted ? 'yes' : 'no');
      element.dispatchEvent(new CustomEvent('moved', { bubbles: true }));
    },
    /** Moves it by an arrow key; says whether it could. @param {string} key */
    steer(key) {
      const direction = arrows[key];
      if (!direction || place !== 'corner') return false;
      moveTo(steered(corner, direction));
      return true;
    },
    /** @param {Place} where @param {Element} parent */
    into(where, parent) {
      if (element.parentElement !== parent) parent.append(element);
      place = where;
    },
    destroy: () => shows?.stop(),
  };
}

/**
 * @param {HTMLElement} element @param {() => boolean} allowed
 * @param {(x: number, y: number) => void} dropped where, in the window
 * @returns {() => boolean} whether the touch that just ended was a drag
 */
function drag(element, allowed, dropped) {
  /** @type {{ id: number, x: number, y: number, base: string, moved: boolean } | null} */
  let held = null;
  let dragged = false;
  element.addEventListener('pointerdown', (event) => {
    dragged = false;
    if (!allowed() || event.button !== 0) return;
    held = { id: event.pointerId, x: event.clientX, y: event.clientY, base: element.style.transform, moved: false };
  });
  element.addEventListener('pointermove', (event) => {
    if (!held || event.pointerId !== held.id) return;
    const dx = event.clientX - held.x;
    const dy = event.clientY - held.y;
    if (!held.moved && Math.hypot(dx, dy) < TAP_PX) return;
    if (!held.moved) {
      held.moved = true;
      element.setPointerCapture(event.pointerId);
      element.classList.add('dragged');
    }
    element.style.transform = `${held.base} translate(${dx}px, ${dy}px)`;
  });
  // A flick would go on as a fling for a second, and Chromium takes the next touch for its end.
  element.addEventListener('touchmove', (event) => {
    if (held?.moved && event.cancelable) event.preventDefault();
  }, { passive: false });
  /** @param {PointerEvent} event */
  const end = (event) => {
    if (!held || event.pointerId !== held.id) return;
    const { moved, base } = held;
    held = null;
    dragged = moved;
    if (!moved) return;
    element.style.transform = base;
    dropped(event.clientX, event.clientY);
  };
  element.addEventListener('pointerup', end);
  element.addEventListener('pointercancel', end);
  return () => {
    const was = dragged;
    dragged = false;
    return was;
  };
}
