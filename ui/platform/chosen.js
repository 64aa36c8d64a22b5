// Which camera was chosen, kept between visits. A browser gives a camera another id when it was
// told to forget, so the name helps to find it again.
import { recall, remember } from '../views/storage.js';

/** @typedef {import('./types').Camera} Camera */

const KEY = 'camera';

/** @param {Camera} camera */
export function keep(camera) {
  remember(KEY, JSON.stringify({ id: camera.id, name: camera.name }));
}

/** @returns {Camera | null} */
export function kept() {
  try {
    const { id, name } = JSON.parse(recall(KEY) ?? 'null') ?? {};
    return typeof id === 'string' && typeof name === 'string' ? { id, name } : null;
  } catch {
    return null;
  }
}

/**
 * The camera meant by what was kept, among those there are.
 * @param {readonly Camera[]} cameras
 * @param {Camera | null} wish
 * @returns {Camera | null}
 */
export function find(cameras, wish) {
  if (!wish) return null;
  return cameras.find(({ id }) => id === wish.id)
    ?? (wish.name ? cameras.find(({ name }) => name === wish.name) : undefined)
    ?? null;
}
