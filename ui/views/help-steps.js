// The steps of the help pages: which there are for each system, in which order, with which drawing.
// The words are in the texts; what is tried on no device of the kind is said in docs/DEVICES.md.

/** @typedef {import('../call/agent.js').System} System */
/** @typedef {import('../call/agent.js').Browser} Browser */
/** @typedef {import('./drawings.js').Drawing} Drawing */
/** @typedef {'certificate' | 'permissions'} Topic */
/** @typedef {{ t: string, draw: Drawing }} Step */
/** One way, under its title; `for`: the browsers that it is for, all of them without. @typedef {{ title: string, for?: Browser[], steps: Step[] }} Way */

/** @type {Way} */
const installOnIphone = {
  title: 'cert-install',
  steps: [
    { t: 'cert-ios-download', draw: 'download' },
    { t: 'cert-ios-profile', draw: 'list' },
    { t: 'cert-compare-details', draw: 'compare' },
    { t: 'cert-ios-trust', draw: 'switch' },
    { t: 'cert-back', draw: 'door' },
  ],
};
/** @type {Way} */
const installOnAndroid = {
  title: 'cert-install',
  steps: [
    { t: 'cert-download', draw: 'download' },
    { t: 'cert-android-search', draw: 'list' },
    { t: 'cert-android-install', draw: 'confirm' },
    { t: 'cert-android-compare', draw: 'compare' },
    { t: 'cert-back', draw: 'door' },
  ],
};
/** @type {Way} */
const installOnWindows = {
  title: 'cert-install',
  steps: [
    { t: 'cert-download-open', draw: 'download' },
    { t: 'cert-windows-install', draw: 'confirm' },
    { t: 'cert-windows-store', draw: 'list' },
    { t: 'cert-restart', draw: 'door' },
  ],
};
/** @type {Way} */
const installOnMac = {
  title: 'cert-install',
  steps: [
    { t: 'cert-download-open', draw: 'download' },
    { t: 'cert-mac-find', draw: 'list' },
    { t: 'cert-compare-details', draw: 'compare' },
    { t: 'cert-mac-trust', draw: 'confirm' },
    { t: 'cert-restart', draw: 'door' },
  ],
};
/** @type {Way} */
const installInChrome = {
  title: 'way-chrome',
  for: ['chrome', 'edge', 'other'],
  steps: [
    { t: 'cert-download', draw: 'download' },
    { t: 'cert-linux-chrome', draw: 'list' },
    { t: 'cert-linux-import', draw: 'confirm' },
    { t: 'cert-restart', draw: 'door' },
  ],
};
/** @type {Way} */
const installInFirefox = {
  title: 'way-firefox',
  for: ['firefox'],
  steps: [
    { t: 'cert-linux-firefox', draw: 'download' },
    { t: 'cert-linux-firefox-trust', draw: 'confirm' },
    { t: 'cert-back', draw: 'door' },
  ],
};

/** Accepting it by hand, by browser. @type {Record<'safari' | 'chrome' | 'firefox' | 'iphone', Way>} */
const byHand = {
  safari: { title: 'way-safari', for: ['safari'], steps: [{ t: 'hand-safari', draw: 'warning' }, { t: 'hand-safari-visit', draw: 'confirm' }] },
  chrome: { title: 'way-chrome', for: ['chrome', 'edge', 'samsung', 'other'], steps: [{ t: 'hand-chrome', draw: 'warning' }, { t: 'hand-chrome-go', draw: 'confirm' }] },
  firefox: { title: 'way-firefox', for: ['firefox'], steps: [{ t: 'hand-firefox', draw: 'warning' }, { t: 'hand-firefox-go', draw: 'confirm' }] },
  iphone: { title: 'way-safari', steps: [{ t: 'hand-safari', draw: 'warning' }, { t: 'hand-iphone', draw: 'confirm' }] },
};

/** What the ward's certificate needs: `install`, and the ways without. @type {Record<System, { install: Way[], without: Way[] }>} */
export const certificate = {
  ios: { install: [installOnIphone], without: [byHand.iphone] },
  android: { install: [installOnAndroid], without: [byHand.chrome, byHand.firefox] },
  windows: { install: [installOnWindows], without: [byHand.chrome, byHand.firefox] },
  macos: { install: [installOnMac], without: [byHand.safari, byHand.chrome, byHand.firefox] },
  linux: { install: [installInChrome, installInFirefox], without: [byHand.chrome, byHand.firefox] },
};

/** @type {Way} */
const allowInChrome = {
  title: 'way-chrome',
  for: ['chrome', 'edge', 'samsung', 'other'],
  steps: [{ t: 'allow-chrome', draw: 'address' }, { t: 'allow-chrome-switch', draw: 'switch' }, { t: 'allow-reload', draw: 'reload' }],
};
/** @type {Way} */
const allowInFirefox = {
  title: 'way-firefox',
  for: ['firefox'],
  steps: [{ t: 'allow-firefox', draw: 'address' }, { t: 'allow-firefox-clear', draw: 'confirm' }, { t: 'allow-reload', draw: 'reload' }],
};

/** How camera and microphone are allowed that were refused. @type {Record<System, Way[]>} */
export const permissions = {
  ios: [
    { title: 'way-safari', for: ['safari'], steps: [{ t: 'allow-ios-menu', draw: 'address' }, { t: 'allow-ios-site', draw: 'list' }, { t: 'allow-reload', draw: 'reload' }] },
    { title: 'way-ios-others', for: ['chrome', 'firefox', 'edge', 'other'], steps: [{ t: 'allow-ios-others', draw: 'list' }, { t: 'allow-ios-others-switch', draw: 'switch' }, { t: 'allow-reload', draw: 'reload' }] },
    { title: 'way-system', steps: [{ t: 'allow-ios-system', draw: 'list' }, { t: 'allow-ios-system-ask', draw: 'switch' }] },
  ],
  android: [
    allowInChrome,
    allowInFirefox,
    { title: 'way-system', steps: [{ t: 'allow-android-system', draw: 'list' }, { t: 'allow-android-quick', draw: 'switch' }] },
  ],
  windows: [
    allowInChrome,
    allowInFirefox,
    { title: 'way-system', steps: [{ t: 'allow-windows-system', draw: 'list' }, { t: 'allow-windows-switch', draw: 'switch' }] },
  ],
  macos: [
    { title: 'way-safari', for: ['safari'], steps: [{ t: 'allow-mac-safari', draw: 'menu' }, { t: 'allow-mac-safari-site', draw: 'list' }, { t: 'allow-reload', draw: 'reload' }] },
    allowInChrome,
    allowInFirefox,
    { title: 'way-system', steps: [{ t: 'allow-mac-system', draw: 'list' }, { t: 'allow-mac-switch', draw: 'switch' }] },
  ],
  linux: [allowInChrome, allowInFirefox],
};

/**
 * The ways of a page, those for this browser first.
 * @param {readonly Way[]} ways @param {Browser} browser
 */
export function ordered(ways, browser) {
  const fits = (/** @type {Way} */ way) => way.for?.includes(browser) ?? false;
  return [...ways.filter(fits), ...ways.filter((way) => !fits(way))];
}
