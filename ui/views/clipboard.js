// Texts to be pasted elsewhere.

/**
 * Puts a text where it can be pasted; where the browser doesn't let it, the text is shown and selected.
 * @param {string} text @param {HTMLElement} place where it stands
 */
export async function copy(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    place.hidden = false;
    getSelection()?.selectAllChildren(place);
    return false;
  }
}
