// What is looked for on every screen of the gallery, besides what axe looks for. The functions that
// run in the page find each other as `globalThis.gallery`, where `install` puts them.

/** What may stand closer than 8 px to the next control, each with its reason. */
const TOUCHING = [
  '.row-link', // a list's rows are as wide as the list and parted by a line
];
/** Names and words that people wrote: shortened with … where there is no place for all of it. */
const SHORTENED = [
  '.tile-name', '.row-title', '.patient-name', '.call-room', '.chat-name-words', '.person-name', '.notice-words', '.chip-words',
];
/** Controls that aren't one of the elements that do it by themselves: none. A list that has the focus only scrolls. */
const NATIVE = 'button, a[href], input, textarea, select, summary';

/** @param {import('puppeteer-core').Page} page */
export async function install(page) {
  await page.evaluate(checks, { TOUCHING, SHORTENED, NATIVE });
}

/** Runs in the page. @param {{ TOUCHING: string[], SHORTENED: string[], NATIVE: string }} named */
function checks({ TOUCHING, SHORTENED, NATIVE }) {
  const CONTROLS = `${NATIVE}, [role="button"], [role="switch"], [role="link"], [role="tab"], [role="menuitem"], [role="menuitemradio"], [role="checkbox"], [role="radio"], [role="slider"], [role="option"], [tabindex]:not([tabindex="-1"], ol, ul)`;
  /** @param {Element} element */
  const named = (element) => {
    const id = element.getAttribute('data-testid') || element.className || element.tagName.toLowerCase();
    const words = (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 30);
    return `${id}${words ? ` “${words}”` : ''}`;
  };
  /** A control's place to touch: a hidden radio's is its label. @param {Element} element */
  const box = (element) => {
    const label = element.matches('input[type="radio"], input[type="checkbox"]') ? element.closest('label') : null;
    return (label ?? element).getBoundingClientRect();
  };
  /** @param {Element} element */
  const visible = (element) => {
    const { width, height } = box(element);
    return width > 1 && height > 1 && element.checkVisibility({ checkVisibilityCSS: true }) && !element.closest('[inert], [aria-hidden="true"]');
  };
  /** Whether something else lies on the whole of an element, as far as it is on the screen. @param {Element} element */
  const covered = (element) => {
    const { left, top, right, bottom } = box(element);
    const [l, t, r, b] = [Math.max(left, 0), Math.max(top, 0), Math.min(right, innerWidth), Math.min(bottom, innerHeight)];
    if (r - l < 2 || b - t < 2) return false;
    const places = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]];
    const whole = element.closest('label') ?? element;
    return places.every(([x, y]) => {
      const hit = document.elementFromPoint(l + (r - l) * x, t + (b - t) * y);
      return !hit || !(whole.contains(hit) || hit.contains(whole) && hit.matches('label'));
    });
  };
  /** What has the focus only to be scrolled by the keyboard. @param {Element} element */
  const scrolls = (element) => !element.matches(NATIVE) && !element.matches('[role]:not([role="log"], [role="region"], [role="group"], [role="list"])')
    && ['auto', 'scroll'].includes(getComputedStyle(element).overflowY);
  /** What a person can use now: all of the dialog on top, where there is one. */
  const controls = () => {
    const dialogs = document.querySelectorAll('dialog[open], [aria-modal="true"]');
    const from = dialogs.length ? dialogs[dialogs.length - 1] : document;
    return Array.from(from.querySelectorAll(CONTROLS)).filter((element) => visible(element) && !scrolls(element)
      && !element.matches(':disabled, [aria-disabled="true"]'));
  };

  /** What an element scrolls in, the page left out. @param {Element} element */
  const scroller = (element) => {
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
      if (['auto', 'scroll'].includes(getComputedStyle(at).overflowY)) return at;
    }
    return null;
  };
  /** The part of a control's place that what it scrolls in shows; without height where it shows none. @param {Element} element */
  const shownBox = (element) => {
    const { left, top, right, bottom } = box(element);
    const edge = scroller(element)?.getBoundingClientRect();
    if (!edge) return { left, top, right, bottom };
    const within = (/** @type {number} */ y) => Math.min(Math.max(y, edge.top), edge.bottom);
    return { left, top: within(top), right, bottom: within(bottom) };
  };

  /** Controls smaller than `least`. @param {number} least */
  const small = (least) => controls().flatMap((element) => {
    const { width, height } = box(element);
    return width < least - 0.5 || height < least - 0.5 ? [`${named(element)} is ${Math.round(width)} × ${Math.round(height)}`] : [];
  });

  /** @param {Element} element */
  const floats = (element) => {
    for (let at = /** @type {Element | null} */ (element); at; at = at.parentElement) {
      if (['sticky', 'fixed'].includes(getComputedStyle(at).position)) return at;
    }
    return null;
  };
  /** Pairs of controls less than 8 px apart. */
  const close = () => {
    const all = controls().filter((element) => !covered(element) && !element.matches(TOUCHING.join()));
    return all.flatMap((one, index) => all.slice(index + 1).flatMap((other) => {
      if (one.contains(other) || other.contains(one) || floats(one) !== floats(other)) return [];
      // Two that scroll together are as far apart as they are; else it counts what is seen.
      const [a, b] = scroller(one) === scroller(other) ? [box(one), box(other)] : [shownBox(one), shownBox(other)];
      if (a.bottom <= a.top || b.bottom <= b.top) return [];
      const apart = Math.max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom);
      return apart < 7.5 ? [`${named(one)} and ${named(other)} are ${Math.round(apart)} px apart`] : [];
    }));
  };

  /** What stands out of the screen to the side. */
  const wide = () => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const out = Array.from(document.querySelectorAll('#app *, dialog *')).flatMap((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return (right > clientWidth + 1 || left < -1) && width > 1 && visible(element) && !element.closest('svg') ? [`${named(element)} from ${Math.round(left)} to ${Math.round(right)}`] : [];
    });
    return scrollWidth > clientWidth ? [`the page scrolls sideways, by ${scrollWidth - clientWidth} px`, ...out] : out;
  };

  /** Text of which a part can't be seen. */
  const clipped = () => {
    /** @type {string[]} */
    const found = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      const parent = node.parentElement;
      if (!node.textContent?.trim() || !parent || !visible(parent) || parent.closest('.for-readers, script, noscript')) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const text = range.getBoundingClientRect();
      if (text.width < 1 || parent.closest(SHORTENED.join())) continue;
      for (let at = /** @type {Element | null} */ (parent); at && at !== document.documentElement; at = at.parentElement) {
        const style = getComputedStyle(at);
        if (style.clipPath !== 'none' && at.getBoundingClientRect().width <= 1) break; // for screen readers alone
        const [across, down] = [style.overflowX, style.overflowY];
        if (across === 'visible' && down === 'visible') continue;
        const edge = at.getBoundingClientRect();
        // What can be scrolled to can be read.
        const over = [
          ['auto', 'scroll', 'visible'].includes(across) ? 0 : Math.max(edge.left - text.left, text.right - edge.right),
          ['auto', 'scroll', 'visible'].includes(down) ? 0 : Math.max(edge.top - text.top, text.bottom - edge.bottom),
        ];
        // Lines are higher than their letters.
        if (over[0] > 1 || over[1] > 4) found.push(`“${node.textContent.trim().slice(0, 40)}” is cut off by ${Math.round(Math.max(...over))} px in ${named(at).slice(0, 40)}`);
        if (['auto', 'scroll'].includes(across) || ['auto', 'scroll'].includes(down)) break;
      }
    }
    return found;
  };

  /** What of an element, its parts and what is around it shows that it has the focus. @param {Element} element */
  const look = (element) => [element, element.nextElementSibling, element.parentElement, element.parentElement?.parentElement].map((one) => {
    if (!one) return '';
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor } = getComputedStyle(one);
    return [outlineStyle === 'none' ? '' : outlineStyle + outlineWidth + outlineColor, boxShadow, borderColor, backgroundColor].join();
  }).join('|');

  /** @type {Element[]} */
  let walked = [];
  /** @type {string[]} */
  let looks = [];
  /** @type {Element | null} */
  let clicked = null;
  window.addEventListener('click', (event) => {
    if (!walked.length) return;
    clicked = /** @type {Element} */ (event.target);
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  /** @param {Box} at */
  const inPage = ({ left, top, right, bottom }) => ({ left, top: top + scrollY, right, bottom: bottom + scrollY });
  /** Begins a walk: all that Tab has to reach, unfocused. */
  const begin = () => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    walked = controls();
    looks = walked.map(look);
    return walked.map((element) => ({
      name: named(element),
      box: inPage(box(element)),
      shown: inPage(shownBox(element)),
      scroller: [...document.querySelectorAll('*')].indexOf(/** @type {Element} */ (scroller(element))),
      // Of a group of radio buttons Tab reaches one; arrows do the rest.
      group: element instanceof HTMLInputElement && element.type === 'radio' ? element.name : '',
      key: element.matches('input:not([type="checkbox"]), textarea, select') ? '' : element.matches('a') ? 'Enter' : 'Space',
      native: element.matches(NATIVE),
    }));
  };
  /** Where the walk is. */
  const here = () => {
    const active = document.activeElement;
    const index = active ? walked.indexOf(active) : -1;
    clicked = null;
    return {
      index,
      nowhere: !active || active === document.body || active.matches('dialog'),
      name: active ? named(active) : '',
      seen: index < 0 || look(walked[index]) !== looks[index],
      covered: index >= 0 && covered(walked[index]),
    };
  };
  /** Whether the key pressed on control `index` pressed it. @param {number} index */
  const pressed = (index) => clicked !== null && (walked[index].contains(clicked) || walked[index].closest('label') === clicked);
  const end = () => {
    walked = [];
  };

  /** @type {any} */ (globalThis).gallery = { small, close, wide, clipped, begin, here, pressed, end };
}

/**
 * Asks one of the page's checks.
 * @param {import('puppeteer-core').Page} page @param {string} check @param {unknown[]} given
 * @returns {Promise<any>}
 */
export const ask = (page, check, ...given) => page.evaluate((name, all) => /** @type {any} */ (globalThis).gallery[name](...all), check, given);

/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */

/** Whether the eye goes back from `a` to `b`: to the left in a line, or up in a column. @param {Box} a @param {Box} b */
export function goesBack(a, b) {
  const shared = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  const sameLine = shared > 0.5 * Math.min(a.bottom - a.top, b.bottom - b.top);
  if (sameLine) return b.right <= a.left + 1;
  return b.bottom <= a.top + 1 && b.left < a.right - 1;
}

/**
 * Goes through a screen by Tab, and presses each control by its key; answers what was wrong.
 * @param {import('puppeteer-core').Page} page
 */
export async function walk(page) {
  /** @type {string[]} */
  const wrong = [];
  const all = await ask(page, 'begin');
  const reached = new Set();
  let last = -1;
  // Once around, with room for what scrolls and for the browser's own stop between last and first.
  for (let steps = 0; steps < all.length * 2 + 10; steps += 1) {
    await page.keyboard.press('Tab');
    const { index, nowhere, name, seen, covered } = await ask(page, 'here');
    if (nowhere) {
      last = -1;
      if (reached.size && reached.size >= all.length) break;
      continue;
    }
    if (index < 0) {
      last = -1;
      if (!name) wrong.push('the focus is on something without a name');
      continue;
    }
    if (reached.has(index)) break;
    reached.add(index);
    const control = all[index];
    if (!seen) wrong.push(`nothing shows that ${name} has the focus`);
    if (covered) wrong.push(`${name} has the focus under something else`);
    // From the last Tab goes to the first, and that once.
    const before = last >= 0 && index !== 0 ? all[last] : null;
    const back = before && (before.scroller === control.scroller ? goesBack(before.box, control.box) : goesBack(before.shown, control.shown));
    if (back) wrong.push(`from ${all[last].name} Tab goes back to ${name}`);
    last = index;
    if (control.key) {
      await page.keyboard.press(control.key);
      if (!await ask(page, 'pressed', index)) wrong.push(`${control.key} doesn't press ${name}`);
    }
  }
  const groups = new Set([...reached].map((index) => all[index].group).filter(Boolean));
  for (const [index, { name, group, native }] of all.entries()) {
    if (!reached.has(index) && !(group && groups.has(group))) wrong.push(`Tab never reaches ${name}`);
    if (!native) wrong.push(`${name} is a control of its own making`);
  }
  await ask(page, 'end');
  if (await page.evaluate(() => document.querySelectorAll('dialog[open]').length > 0)) {
    await page.keyboard.press('Escape');
    if (await page.evaluate(() => document.querySelectorAll('dialog[open]').length > 0)) wrong.push("Escape doesn't close the dialog");
  }
  return wrong;
}
