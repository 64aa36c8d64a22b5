// The frame number and time that stand in the synthetic picture as blocks; the layout is told in
// `media/src/marker.rs`. Written here for the Y4M that Chromium takes for its camera, and read
// from canvases.

const COLUMNS = 36;
const ROWS = 20;
const WHITE_COLUMN = 1;
const FIRST_BIT = 2;
const BLACK_COLUMN = 34;

function checksum(number, time) {
  const bytes = [];
  for (let shift = 24; shift >= 0; shift -= 8) bytes.push((number >>> shift) & 0xff);
  for (let shift = 40; shift >= 0; shift -= 8) bytes.push(Math.floor(time / 2 ** shift) % 256);
  let sum = 0xffff;
  for (const byte of bytes) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum & 0x8000 ? (sum << 1) ^ 0x1021 : sum << 1) & 0xffff;
  }
  return sum;
}

/** The three words of a marker. */
export const wordsOf = (number, time) =>
  [number >>> 0, Math.floor(time / 65_536) >>> 0, (((time % 65_536) << 16) | checksum(number, time)) >>> 0];

/**
 * Draws a marker into a luma plane.
 * @param {Uint8Array} luma
 */
export function draw(luma, width, height, number, time) {
  const column = (at) => Math.floor((at * width) / COLUMNS);
  const row = (at) => Math.floor((at * height) / ROWS);
  const words = wordsOf(number, time);
  for (let y = 0; y < row(5); y += 1) luma.fill(16, y * width + column(1), y * width + column(35));
  words.forEach((word, index) => {
    for (let y = row(index + 1); y < row(index + 2); y += 1) {
      const white = (at) => luma.fill(235, y * width + column(at), y * width + column(at + 1));
      white(WHITE_COLUMN);
      for (let bit = 0; bit < 32; bit += 1) if ((word >>> (31 - bit)) & 1) white(FIRST_BIT + bit);
    }
  });
}

/**
 * Reads the marker of RGBA pixels.
 * @returns {{ number: number, time: number } | null}
 */
export function read({ data, width, height }) {
  const spans = (at, count, size) => {
    const start = Math.floor((at * size) / count);
    const end = Math.floor(((at + 1) * size) / count);
    const quarter = Math.floor((end - start) / 4);
    return [start + quarter, end - quarter];
  };
  const mean = (column, row) => {
    const [x0, x1] = spans(column, COLUMNS, width);
    const [y0, y1] = spans(row, ROWS, height);
    let sum = 0;
    for (let y = y0; y < y1; y += 1) for (let x = x0; x < x1; x += 1) sum += data[4 * (y * width + x) + 1];
    return sum / ((x1 - x0) * (y1 - y0));
  };
  const words = [];
  for (let row = 1; row < 4; row += 1) {
    const white = mean(WHITE_COLUMN, row);
    const black = mean(BLACK_COLUMN, row);
    if (!(white - black >= 64)) return null;
    let word = 0;
    for (let bit = 0; bit < 32; bit += 1) word = word * 2 + (mean(FIRST_BIT + bit, row) > (white + black) / 2 ? 1 : 0);
    words.push(word);
  }
  const number = words[0];
  const time = words[1] * 65_536 + Math.floor(words[2] / 65_536);
  return words[2] % 65_536 === checksum(number, time) ? { number, time } : null;
}
