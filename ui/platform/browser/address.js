// Which relay this page talks to.

/**
 * The relay's origin: the page's own, unless the address (`?relay=https://…`) or the page
 * (`<meta name="visita-relay" content="https://…">`) names another, which must allow this page's
 * origin. A page that a relay serves can't be led elsewhere: its content policy forbids it.
 * @param {{ href: string, meta?: string | null }} page
 * @returns {URL}
 */
export function relayOf({ href, meta }) {
  const here = new URL(href);
  for (const given of [here.searchParams.get('relay'), meta]) {
    if (!given) continue;
    try {
      const url = new URL(given);
      if (url.protocol === 'https:' || url.protocol === 'http:') return new URL(url.origin);
    } catch {
      // Not an address: the next best is meant.
    }
  }
  return new URL(here.origin);
}

/**
 * The address of one of the relay's sockets.
 * @param {URL} relay
 * @param {'ws' | 'lobby'} socket
 */
export function socketUrl(relay, socket) {
  const url = new URL(`/api/v1/${socket}`, relay);
  url.protocol = relay.protocol === 'http:' ? 'ws:' : 'wss:';
  return url.href;
}
