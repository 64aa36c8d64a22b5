// A camera for Chromium: a Y4M file of a moving picture with the marker in it.
import { openSync, writeSync, closeSync } from 'node:fs';

import { draw } from './marker.js';

/**
 * Writes `seconds` of video; Chromium plays it in a loop. `noise` makes it hard to encode.
 * @param {string} path
 */
export function writeY4m(path, { width = 640, height = 360, rate = 30, seconds = 3, chroma = [110, 150], noise = 0 } = {}) {
  const file = openSync(path, 'w');
  try {
    writeSync(file, `YUV4MPEG2 W${width} H${height} F${rate}:1 Ip A1:1 C420jpeg\n`);
    let state = 1;
    const luma = new Uint8Array(width * height);
    const planes = chroma.map((value) => new Uint8Array((width * height) / 4).fill(value));
    for (let number = 0; number < rate * seconds; number += 1) {
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) luma[y * width + x] = 60 + ((x + y + 3 * number) & 0x7f);
      }
      if (noise > 0) {
        for (let at = 0; at < luma.length; at += 1) {
          state = (Math.imul(state, 1103515245) + 12345) >>> 0;
          luma[at] += (state >>> 16) % noise;
        }
      }
      draw(luma, width, height, number, Math.round((number * 1e6) / rate));
      writeSync(file, 'FRAME\n');
      writeSync(file, luma);
      for (const plane of planes) writeSync(file, plane);
    }
  } finally {
    closeSync(file);
  }
  return path;
}
