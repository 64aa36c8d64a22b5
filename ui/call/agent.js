// What a browser says it is: the system and the browser, to show the right steps first; and whether
// another app shows the page in itself, where cameras mostly don't work. A guess, which a person
// can correct; nothing is allowed or refused by it.

/** @typedef {'ios' | 'android' | 'windows' | 'macos' | 'linux'} System */
/** @typedef {'safari' | 'chrome' | 'edge' | 'firefox' | 'samsung' | 'other'} Browser */
/**
 * `dots`: the app's menu is at the top right;
 * `share`: the way out is behind the sign for sharing; `any`: it isn't known where.
 * @typedef {'dots' | 'share' | 'any'} WayOut
 */
/** An app that shows pages in itself; `name` is its own, empty if it isn't known. @typedef {{ name: string, out: WayOut }} Inside */

/** Whose web view it is, by a word that it puts into its name; the first that fits counts. @type {readonly [word: RegExp, name: string, out: WayOut][]} */
const INSIDE = [
  [/\bInstagram\b/, 'Instagram', 'dots'],
  [/\b(MessengerForiOS|MessengerLiteForiOS|Orca-Android)\b|FBAN\/Messenger|FB_IAB\/Orca/, 'Messenger', 'dots'],
  [/\b(FBAN|FBAV|FB_IAB|FBIOS)\b/, 'Facebook', 'dots'],
  [/\bWhatsApp\b/, 'WhatsApp', 'share'],
  [/\bMicroMessenger\b/, 'WeChat', 'dots'],
  [/\bLinkedInApp\b/, 'LinkedIn', 'dots'],
  [/\bLine\/\d/, 'LINE', 'dots'],
  [/\b(musical_ly|BytedanceWebview|TikTok|trill_)/, 'TikTok', 'dots'],
  [/\bTelegram/, 'Telegram', 'dots'],
  [/\bTwitter(Android| for)/, 'X', 'share'],
  [/\bSnapchat\b/, 'Snapchat', 'dots'],
  [/\bPinterest\b/, 'Pinterest', 'dots'],
  [/\bGSA\//, 'Google', 'share'],
];

/**
 * @param {{ agent: string, touches?: number }} seen `navigator`'s `userAgent` and `maxTouchPoints`
 * @returns {{ system: System, browser: Browser }}
 */
export function guess({ agent, touches = 0 }) {
  return { system: systemOf(agent, touches), browser: browserOf(agent) };
}

/** @param {string} agent @param {number} touches @returns {System} */
function systemOf(agent, touches) {
  if (/iPhone|iPad|iPod/.test(agent)) return 'ios';
  if (/Android/.test(agent)) return 'android';
  if (/Windows/.test(agent)) return 'windows';
  // An iPad asks for pages as a Mac does; no Mac has a screen to be touched.
  if (/Macintosh|Mac OS X/.test(agent)) return touches > 1 ? 'ios' : 'macos';
  return 'linux';
}

/** Most say that they are Safari, and many that they are Chrome. @param {string} agent @returns {Browser} */
function browserOf(agent) {
  if (/\b(Firefox|FxiOS)\//.test(agent)) return 'firefox';
  if (/\b(Edg|EdgA|EdgiOS)\//.test(agent)) return 'edge';
  if (/\bSamsungBrowser\//.test(agent)) return 'samsung';
  if (/\b(Chrome|Chromium|CriOS)\//.test(agent)) return 'chrome';
  return /\bSafari\//.test(agent) ? 'safari' : 'other';
}

/**
 * The app that shows this page in itself, or null for a browser of its own.
 * @param {{ agent: string, secure: boolean, devices: boolean }} seen `secure`: the page came by HTTPS;
 *   `devices`: the page could ask for a camera at all
 * @returns {Inside | null}
 */
export function insideOf({ agent, secure, devices }) {
  for (const [word, name, out] of INSIDE) if (word.test(agent)) return { name, out };
  // Android's own word for a web view.
  if (/;\s*wv\)/.test(agent)) return { name: '', out: 'any' };
  // On an iPhone only Safari, and browsers that say their name, call themselves Safari.
  if (/iPhone|iPad|iPod/.test(agent) && !/\bSafari\//.test(agent)) return { name: '', out: 'any' };
  // Every browser that this page works in has cameras where the page is safe.
  return secure && !devices ? { name: '', out: 'any' } : null;
}
