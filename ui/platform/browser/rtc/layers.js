// The spatial layers in which the camera goes by RTP: which there are, and what each is worth while it
// is shown at some size. Pure.

/** @typedef {import('../../../generated').Size} Size */

/** The names under which they go: their numbers (`PROTOCOL.md`, 17). */
export const RIDS = ['0', '1'];

/** The small one's part of a side. */
const PART = 2;
/** A picture of fewer pixels goes in one layer: a smaller one would be no picture. */
const LEAST = 320 * 180 * PART * PART;
/** Bits a second that a picture of 640×360 is worth, and how others grow. */
const BITRATE = { at: 640 * 360, bits: 600_000, least: 150_000, most: 1_800_000 };

/**
 * The sizes of the layers, smallest first.
 * @param {Size} camera
 * @param {number} names  under how many the picture can go
 * @returns {Size[]}
 */
export function layersOf({ width, height }, names) {
  if (names < 2 || width * height < LEAST) return [{ width, height }];
  return [{ width: Math.floor(width / PART), height: Math.floor(height / PART) }, { width, height }];
}

/**
 * What to send of each layer, smallest first; of a picture in one layer the second is off.
 * @param {Size} camera
 * @param {Size} wanted  the largest size at which anybody shows it
 * @param {number} names
 * @returns {{ active: boolean, scaleResolutionDownBy: number, maxBitrate: number }[]}
 */
export function encodings(camera, wanted, names) {
  const layers = layersOf(camera, names);
  const by = Math.max(1, Math.min(camera.width / wanted.width, camera.height / wanted.height) || 1);
  // Layers above the smallest one that covers what is wanted are for nobody.
  const last = layers.length - 1;
  const covers = layers.findIndex(({ width, height }) => width >= wanted.width && height >= wanted.height);
  const top = covers < 0 ? last : covers;
  return Array.from({ length: names }, (_, layer) => {
    const whole = layer < last ? PART : 1;
    const scale = layer < top ? whole : Math.max(whole, by);
    const pixels = (camera.width * camera.height) / scale ** 2;
    const bits = Math.round((BITRATE.bits * pixels) / BITRATE.at);
    return {
      active: layer <= top,
      scaleResolutionDownBy: scale,
      maxBitrate: Math.min(BITRATE.most, Math.max(BITRATE.least, bits)),
    };
  });
}
