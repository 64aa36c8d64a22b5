// What the page keeps between visits. A browser may refuse to keep anything: then nothing is kept.

/** @param {string} key @returns {string | null} */
export function recall(key) {
  try {
    return localStorage.getItem(`visita.${key}`);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
export function remember(key, value) {
  try {
    localStorage.setItem(`visita.${key}`, value);
  } catch {
    // Private windows and full disks: the page works, it only asks again next time.
  }
}
