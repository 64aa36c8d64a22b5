// Our own drawings beside the steps: the screen as a frame, and in it what is to be touched, in the
// accent's colour. No system's look is copied: they change, and what is where doesn't.

/** @typedef {'download' | 'list' | 'switch' | 'confirm' | 'compare' | 'address' | 'menu' | 'warning' | 'reload' | 'door'} Drawing */
/** `faint`: what is there, `mark`: what to touch. @typedef {'screen' | 'faint' | 'line' | 'mark' | 'mark-line' | 'on-mark'} Paint */
/** @typedef {[tag: 'rect' | 'circle' | 'path', attributes: Record<string, string | number>, paint: Paint]} Shape */

const SVG = 'http://www.w3.org/2000/svg';

/** @param {number} x @param {number} y @param {number} width @param {number} height @param {Paint} paint @param {number} [rx] @returns {Shape} */
const box = (x, y, width, height, paint, rx = 3) => ['rect', { x, y, width, height, rx }, paint];
/** @param {number} cx @param {number} cy @param {number} r @param {Paint} paint @returns {Shape} */
const dot = (cx, cy, r, paint) => ['circle', { cx, cy, r }, paint];
/** @param {string} d @param {Paint} [paint] @returns {Shape} */
const stroke = (d, paint = 'mark-line') => ['path', { d }, paint];

/** Words that needn't be read. @param {number} y @param {number} [width] @param {number} [x] */
const words = (y, width = 40, x = 20) => box(x, y, width, 5, 'faint');
/** A browser's address. */
const address = [box(16, 14, 88, 12, 'faint', 6)];
/** A switch that is on. @param {number} y @returns {Shape[]} */
const switchOn = (y) => [box(80, y, 24, 14, 'mark', 7), dot(97, y + 7, 5, 'on-mark')];

/** What is on the screen, which is 120 × 90. @type {Record<Drawing, Shape[]>} */
const drawings = {
  download: [...address, stroke('M60 36v24M49 50l11 11 11-11'), stroke('M42 66v7h36v-7')],
  list: [words(16, 56), words(30, 64), box(14, 40, 92, 18, 'mark', 5), box(21, 46, 48, 6, 'on-mark'), stroke('M93 44l5 5-5 5', 'on-mark'), words(66, 52), words(78, 60)],
  switch: [words(20, 56), words(38, 44), ...switchOn(33), words(58, 50), ...switchOn(53)],
  confirm: [box(20, 16, 80, 58, 'line', 6), words(25, 52, 30), words(35, 40, 30), box(30, 52, 26, 13, 'faint', 4), box(62, 50, 30, 17, 'mark', 5), stroke('M71 58.5l4 4 8-8', 'on-mark')],
  compare: [box(16, 18, 88, 16, 'line', 4), box(22, 24, 18, 4, 'faint'), box(44, 24, 18, 4, 'faint'), box(66, 24, 18, 4, 'faint'),
    box(16, 56, 88, 16, 'line', 4), box(22, 62, 18, 4, 'faint'), box(44, 62, 18, 4, 'faint'), box(66, 62, 18, 4, 'faint'), stroke('M53 42.5h14M53 47.5h14')],
  address: [box(16, 14, 88, 14, 'faint', 7), dot(25, 21, 8, 'mark'), stroke('M21.5 19h7M21.5 23h7', 'on-mark'), box(16, 36, 62, 40, 'line', 5), words(43, 30, 23), words(54, 38, 23), words(65, 26, 23)],
  menu: [box(10, 10, 100, 12, 'faint', 2), box(16, 10, 24, 12, 'mark', 2), box(16, 25, 60, 48, 'line', 4), words(32, 40, 22), words(43, 46, 22), box(20, 52, 52, 12, 'mark', 3), box(24, 56, 34, 4, 'on-mark')],
  warning: [...address, stroke('M60 34l14 24H46zM60 43v7M60 53.5v.5', 'line'), words(64, 56, 32), box(42, 73, 36, 7, 'mark')],
  reload: [...address, stroke('M74 44a15 15 0 1 0 1.5 12M75 35v10H65')],
  door: [...address, box(36, 34, 48, 40, 'line', 6), dot(60, 48, 7, 'mark'), stroke('M47 68a13 10 0 0 1 26 0')],
};

/**
 * @param {Drawing} name
 * @param {'phone' | 'computer'} device whose screen it is on
 */
export function drawing(name, device) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 120 90');
  svg.setAttribute('class', `drawing ${device}`);
  svg.setAttribute('aria-hidden', 'true');
  for (const [tag, attributes, paint] of [box(4, 4, 112, 82, 'screen', device === 'phone' ? 14 : 6), ...drawings[name]]) {
    const shape = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, String(value));
    shape.setAttribute('class', `draw-${paint}`);
    svg.append(shape);
  }
  return svg;
}
