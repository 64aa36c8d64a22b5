// QR codes of the page's own making: what is in them goes through no request.
import { encodeQR } from '../vendor/qr/index.js';
import { pathSquare } from './dom.js';

/** The white rim that readers need, in modules (ISO 18004). */
const QUIET = 4;

/** A code as a drawing, its runs of dark modules as rectangles. @param {string} text */
export function qrCode(text) {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET });
  let d = '';
  for (const [y, row] of rows.entries()) {
    for (let x = 0; x < row.length;) {
      let long = 0;
      while (row[x + long]) long += 1;
      if (long) d += `M${x} ${y}h${long}v1h-${long}z`;
      x += long || 1;
    }
  }
  return pathSquare(rows.length, d, 'qr-code');
}
