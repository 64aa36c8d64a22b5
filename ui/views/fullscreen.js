// The whole screen for the page. Safari on iPhones has none, older Safari only under another name.

/** @typedef {Document & { webkitFullscreenElement?: Element | null, webkitFullscreenEnabled?: boolean, webkitExitFullscreen?: () => void }} Fuller */
/** @typedef {HTMLElement & { webkitRequestFullscreen?: () => void }} Wider */

/** Whether there is a whole screen to be had. */
export function canFill() {
  // Web views in Android's apps, ours among them (wry's RustWebChromeClient), say so and give it back
  // at once. "wv" is how they tell themselves from a browser.
  if (/\bAndroid\b.*; wv\)/.test(navigator.userAgent)) return false;
  const page = /** @type {Fuller} */ (document);
  return page.fullscreenEnabled || page.webkitFullscreenEnabled === true;
}

export function isFilled() {
  const page = /** @type {Fuller} */ (document);
  return Boolean(page.fullscreenElement ?? page.webkitFullscreenElement);
}

/** Takes the whole screen or gives it back. A refusal changes nothing. @param {boolean} wanted */
export function fillScreen(wanted) {
  const page = /** @type {Fuller} */ (document);
  const root = /** @type {Wider} */ (document.documentElement);
  if (wanted === isFilled()) return;
  const asked = wanted
    ? root.requestFullscreen?.({ navigationUI: 'hide' }) ?? root.webkitRequestFullscreen?.()
    : page.exitFullscreen?.() ?? page.webkitExitFullscreen?.();
  Promise.resolve(asked).catch(() => {});
}

/** @param {() => void} on @returns {() => void} ends it */
export function onFilled(on) {
  const events = ['fullscreenchange', 'webkitfullscreenchange'];
  for (const event of events) document.addEventListener(event, on);
  return () => {
    for (const event of events) document.removeEventListener(event, on);
  };
}
