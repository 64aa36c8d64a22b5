// Which camera, microphone and speaker were chosen, kept between visits. A browser gives a device
// another id when it was told to forget, so the name helps to find it again.
import { recall, remember } from '../views/storage.js';

/** @typedef {import('./types').Camera} Camera */

/** @typedef {'camera' | 'microphone' | 'speaker'} Kind */

/**
 * @param {Camera} device
 * @param {Kind} [kind]
 */
export function keep(device, kind = 'camera') {
  remember(kind, JSON.stringify({ id: device.id, name: device.name }));
}

/**
 * @param {Kind} [kind]
 * @returns {Camera | null}
 */
export function kept(kind = 'camera') {
  try {
    const { id, name } = JSON.parse(recall(kind) ?? 'null') ?? {};
    return typeof id === 'string' && typeof name === 'string' ? { id, name } : null;
  } catch {
    return null;
  }
}

/**
 * The device meant by what was kept, among those there are.
 * @param {readonly Camera[]} devices
 * @param {Camera | null} wish
 * @returns {Camera | null}
 */
export function find(devices, wish) {
  if (!wish) return null;
  return devices.find(({ id }) => id === wish.id)
    ?? (wish.name ? devices.find(({ name }) => name === wish.name) : undefined)
    ?? null;
}

/** Where it is kept whether the browser helps the sound (echo, noise, gain). */
const PROCESSING = 'processing';

/** Whether it does: unless it was switched off by hand, for a headset. */
export const processes = () => recall(PROCESSING) !== 'off';

/** @param {boolean} on */
export const process = (on) => remember(PROCESSING, on ? 'on' : 'off');
