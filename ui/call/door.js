// Ways into a room as text: the invitation's link, the six digits, and links for other programs.
// No document, no network: what is read here came from outside.

/** @typedef {import('../generated').RoomKind} RoomKind */
/** Which room, and what for. @typedef {{ room: import('../generated').RoomId, kind: RoomKind }} Invitation */

/** A visit's link and a meeting's; the rest of the fragment has place for a secret. */
const LINK = /^#\/(i|m)\/([0-9a-f]{16})$/;

/**
 * The link that leads into a room. What it names stands in the fragment, which no browser sends
 * anywhere; and no name of a person or a room is in it.
 * @param {string} base where others reach the relay, an origin
 * @param {Invitation} invitation
 */
export function linkTo(base, { room, kind }) {
  return `${base}/#/${kind === 'meeting' ? 'm' : 'i'}/${room}`;
}

/**
 * What a page's fragment invites to.
 * @param {string} hash
 * @returns {Invitation | null}
 */
export function invited(hash) {
  const [, letter, room] = LINK.exec(hash) ?? [];
  return room ? { room, kind: letter === 'm' ? 'meeting' : 'bed' } : null;
}

/**
 * Where others reach the relay that this page reached at `own`: there too, unless that is this
 * very machine, which leads nobody else anywhere.
 * @param {string} own an origin
 * @param {readonly string[]} links all origins that the relay knows of, the best first
 */
export function baseFor(own, links) {
  return isHere(own) ? links.find((one) => !isHere(one)) ?? own : own;
}

/** @param {string} origin */
function isHere(origin) {
  const { hostname } = new URL(origin);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

/**
 * The same invitation for the app, which must meet the host with this fingerprint.
 * @param {string} base @param {string} fingerprint `sha256:…` @param {Invitation} invitation
 */
export function appLinkTo(base, fingerprint, { room, kind }) {
  const { hostname, port } = new URL(base);
  // Without a port the app means the usual one, and an address means 443.
  return `visita://${hostname}:${port || 443}/${kind === 'meeting' ? 'm' : 'i'}/${room}?fp=${fingerprint}`;
}

/** What people read of an origin, and type. @param {string} origin */
export function shownBase(origin) {
  return new URL(origin).host;
}

/** The first characters of the ten digits in the scripts that people type here. */
const ZEROS = [0x30, 0x660, 0x6f0, 0xff10];

/**
 * The digits in what was typed or pasted, at most six; whatever stands around them is left out.
 * @param {string} text
 */
export function digitsOf(text) {
  let digits = '';
  for (const character of text) {
    const at = character.codePointAt(0) ?? 0;
    const zero = ZEROS.find((first) => at >= first && at < first + 10);
    if (zero !== undefined && digits.length < 6) digits += String(at - zero);
  }
  return digits;
}

/** Six digits as they are read: two groups of three. @param {string} digits */
export function grouped(digits) {
  return digits.length > 3 ? `${digits.slice(0, 3)} ${digits.slice(3)}` : digits;
}

/**
 * An address for Android to open with the person's own browser, out of another app's. The system
 * reads `#Intent;` from the last `#` on (`Intent.parseUri`), so the address keeps its fragment.
 * @param {string} href
 */
export function intentFor(href) {
  const { host, pathname, search, hash } = new URL(href);
  return `intent://${host}${pathname}${search}${hash}#Intent;scheme=https;action=android.intent.action.VIEW;category=android.intent.category.BROWSABLE;end`;
}
