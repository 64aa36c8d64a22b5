// Elements without markup: text is only ever set as text, so nothing that came from outside can
// become an element.
import { icons } from '../icons/icons.js';
import { say, sayAttribute } from '../texts/index.js';

/** @typedef {keyof typeof icons} IconName */
/** A text's id, with its arguments where it has some. @typedef {string | [string, import('../texts/index.js').Given]} Text */
/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @typedef {{
 *   class?: string,
 *   testid?: string,
 *   text?: string,
 *   t?: Text,
 *   said?: Record<string, Text>,
 *   on?: Record<string, (event: any) => void>,
 *   attributes?: Record<string, string | number | boolean | null | undefined>,
 * }} Props `text` is raw, `t` a text's id, `said` texts in attributes
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Props} [props] @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  if (props.class) element.className = props.class;
  if (props.testid) element.dataset.testid = props.testid;
  for (const [name, value] of Object.entries(props.attributes ?? {})) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const [name, listener] of Object.entries(props.on ?? {})) element.addEventListener(name, listener);
  if (props.text !== undefined) element.textContent = props.text;
  if (props.t) sayText(element, props.t);
  for (const [name, text] of Object.entries(props.said ?? {})) {
    sayAttribute(element, name, ...spread(text));
  }
  for (const child of children) if (child || child === '') element.append(child);
  return element;
}

/** @param {Element} element @param {Text} text */
export function sayText(element, text) {
  say(element, ...spread(text));
}

/** @param {Text} text @returns {[string, import('../texts/index.js').Given | undefined]} */
function spread(text) {
  return typeof text === 'string' ? [text, undefined] : text;
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An icon, of the size of its place's text unless the class says otherwise. Always beside words,
 * so it is hidden from screen readers.
 * @param {IconName} name @param {string} [className]
 * @returns {SVGSVGElement}
 */
export function icon(name, className = '') {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon ${className}`.trim());
  svg.setAttribute('aria-hidden', 'true');
  svg.dataset.icon = name;
  for (const [tag, attributes] of icons[name]) {
    const shape = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.append(shape);
  }
  return svg;
}

/**
 * The icon in `place` becomes another one, if it isn't that one already.
 * @param {Element} place @param {IconName} name
 */
export function setIcon(place, name) {
  const old = place.querySelector('svg.icon');
  if (!old || /** @type {SVGElement} */ (old).dataset.icon === name) return;
  old.replaceWith(icon(name, (old.getAttribute('class') ?? '').replace(/^icon ?/, '')));
}

/**
 * A picture of one path on a square field: a QR code.
 * @param {number} size @param {string} d @param {string} className
 */
export function pathSquare(size, d, className) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('class', className);
  svg.setAttribute('shape-rendering', 'crispEdges');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', d);
  svg.append(path);
  return svg;
}

/**
 * Makes `parent`'s children those that `items` need, keeping an item's element as long as the item
 * is there: nothing that stays is rebuilt, moved without need, or loses the focus.
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {(item: T) => string} key
 * @param {(item: T) => HTMLElement} make
 * @param {(element: HTMLElement, item: T) => void} [update]
 */
export function keep(parent, items, key, make, update) {
  const wanted = new Set(items.map(key));
  /** @type {Map<string, HTMLElement>} */
  const old = new Map();
  for (const child of /** @type {HTMLElement[]} */ (Array.from(parent.children))) old.set(child.dataset.key ?? '', child);
  /** @type {Element | null} */
  let after = null;
  for (const item of items) {
    const id = key(item);
    let element = old.get(id);
    if (element) old.delete(id);
    else {
      element = make(item);
      element.dataset.key = id;
    }
    update?.(element, item);
    /** @type {Element | null} */
    const place = after ? after.nextElementSibling : parent.firstElementChild;
    if (place !== element) {
      // What stands in the way is usually gone: take it out instead of moving what stays.
      const before = /** @type {HTMLElement | null} */ (place)?.dataset.key ?? '';
      if (place && old.has(before) && !wanted.has(before) && place.nextElementSibling === element) {
        old.delete(before);
        place.remove();
      } else {
        parent.insertBefore(element, place);
      }
    }
    after = element;
  }
  for (const gone of old.values()) gone.remove();
}

/** @param {Element} element @param {boolean} shown */
export function shown(element, shown) {
  if (/** @type {HTMLElement} */ (element).hidden === shown) /** @type {HTMLElement} */ (element).hidden = !shown;
}

/** The first letters of a name, for a tile without a picture. @param {string} name @returns {string} */
export function initials(name) {
  const words = name.split(/[\s,.(]+/u).filter(Boolean);
  const written = words.filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = (written.length ? written.slice(0, 2) : words.slice(0, 1)).map((word) => Array.from(word)[0] ?? '');
  return letters.join('').toLocaleUpperCase();
}
