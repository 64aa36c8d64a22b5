// Texts to be pasted elsewhere.

/**
 * Puts a text where it can be pasted; a browser that doesn't let it is shown it chosen.
 * @param {string} text @param {Element} place where it stands
 */
export async function copy(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(place);
    return false;
  }
}
