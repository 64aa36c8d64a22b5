// A drawn person, for whoever sends no picture: nobody in particular, and calm.

const SVG = 'http://www.w3.org/2000/svg';

/** Each part with its shape, on a field of 120 × 120; colours come from the style sheet. */
const parts = /** @type {const} */ ([
  ['body', 'M6 120c1-24 17-35 38-38 5 5 10 7 16 7s11-2 16-7c21 3 37 14 38 38z'],
  ['neck', 'M49 66h22v17c-3 4-7 6-11 6s-8-2-11-6z'],
  ['face', 'M60 18c14 0 23 10 23 26 0 17-10 32-23 32S37 61 37 44c0-16 9-26 23-26z'],
  ['hair', 'M36 47c-3-20 7-33 24-33 18 0 27 13 24 33-2-9-6-14-11-17-8 5-20 6-29 2-4 4-6 9-8 15z'],
]);

/** @param {string} [className] */
export function person(className = '') {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 120 120');
  svg.setAttribute('class', `person ${className}`.trim());
  svg.setAttribute('aria-hidden', 'true');
  for (const [part, d] of parts) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', `person-${part}`);
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}
