// What the relay is asked before a call: where others reach it, and where six digits lead.

import { baseFor } from '../../call/door.js';

/** @typedef {import('../types').Reach} Reach */
/** @typedef {import('../types').Redeemed} Redeemed */

/** Milliseconds for an answer. */
const PATIENCE = 8000;

/**
 * Where others reach the relay, and who it is. Rejects where it doesn't answer.
 * @param {URL} relay
 * @returns {Promise<Reach>}
 */
export async function reach(relay) {
  const answer = await ask(new URL('/api/v1/version', relay), {});
  const { fingerprint, ward, links } = await answer.json();
  const known = Array.isArray(links) ? links.filter((one) => typeof one === 'string') : [];
  return { url: baseFor(relay.origin, known), fingerprint: String(fingerprint), ward: String(ward) };
}

/**
 * Where six digits lead.
 * @param {URL} relay
 * @param {string} code
 * @returns {Promise<Redeemed>}
 */
export async function redeem(relay, code) {
  try {
    // Plain text, so that a page of another origin needn't ask first.
    const answer = await ask(new URL('/api/v1/code', relay), { method: 'POST', body: JSON.stringify({ code }) });
    const said = await answer.json();
    if (answer.ok && /^[0-9a-f]{16}$/.test(said.room)) return { ok: true, room: said.room, kind: said.kind === 'meeting' ? 'meeting' : 'bed' };
    if (answer.status === 404) return { ok: false, problem: 'code_unknown' };
    if (answer.status === 429) return { ok: false, problem: 'rate_limited', wait_s: Number(answer.headers.get('retry-after')) || 60 };
    return { ok: false, problem: answer.status === 503 ? 'busy' : 'other' };
  } catch {
    return { ok: false, problem: 'unreachable' };
  }
}

/** @param {URL} url @param {RequestInit} options */
async function ask(url, options) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    return await fetch(url, { ...options, cache: 'no-store', credentials: 'omit', signal: patience.signal });
  } finally {
    clearTimeout(timer);
  }
}
