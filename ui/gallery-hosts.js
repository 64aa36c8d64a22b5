// The gallery's scenes of finding hosts.
import { now } from './gallery-clock.js';

/** @typedef {import('./platform/types').Host} Host */
/** @typedef {import('./platform/types').LobbyState} LobbyState */
/** @typedef {import('./gallery-states.js').Scene} Scene */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** How long the page looks before it says that there is nobody, and a little more. */
const LOOKED = 'later=7000';

/**
 * @param {string} name @param {string} digit @param {string} address @param {Partial<Host>} [more]
 * @returns {Host}
 */
const host = (name, digit, address, more = {}) => ({
  name, address, url: `https://${address}:3000`, ward: digit.repeat(16), fingerprint: `sha256:${digit.repeat(64)}`,
  remembered: more.seen_ms !== undefined, state: 'here', ...more,
});
const medicine = host('Medicina 3 Norte', 'a', '192.0.2.14', { seen_ms: now - 20_000 });
const away = host('Pediatría', 'b', '192.0.2.40', { state: 'away', seen_ms: now - DAY - HOUR });
const long = 'Unidad de Cuidados Intensivos Pediátricos y Neonatales del Hospital General «Dr. Fernando Quiroz Gutiérrez»';

/**
 * @param {Scene} app @param {LobbyState} live
 * @returns {Record<string, Scene>}
 */
export function hostStates(app, live) {
  /** @type {LobbyState} */
  const none = { state: 'none', rooms: [], now_ms: now };
  const link = { url: 'https://192.0.2.31:3000', address: '192.0.2.31:3000' };
  const print = `sha256:${'7c'.repeat(32)}`;
  return {
    'hosts-none': { ...app, hosts: [], lobby: none, steps: [LOOKED] },
    'hosts-none-known': { ...app, hosts: [away, host('Urgencias', 'c', '192.0.2.7', { state: 'away', seen_ms: now - 5 * DAY })], lobby: none, steps: [LOOKED] },
    'hosts-no-network': { ...app, hosts: [{ ...medicine, state: 'away', seen_ms: now - 2 * HOUR }], search: 'no_network', lobby: none },
    'hosts-failed': { ...app, hosts: [], search: 'failed', lobby: none },
    'hosts-asked': { ...app, hosts: [{ ...medicine, state: 'asked' }], lobby: none },
    'hosts-seen': {
      ...app,
      lobby: live,
      use: { ok: true, ward: medicine.name, fingerprint: medicine.fingerprint, first_use: false },
      hosts: [
        medicine,
        host('Urgencias', 'c', '192.0.2.7', { state: 'away', seen_ms: now - 60_000 }),
        away,
        host('Maternidad', 'd', '192.0.2.8', { state: 'away', seen_ms: now - 6 * DAY }),
        host('Quirófano', 'e', '192.0.2.9', { state: 'away', seen_ms: now - 40 * DAY }),
      ],
      steps: ['host-use'],
    },
    'hosts-silent': { ...app, lobby: none, hosts: [host('Terapia intensiva', '7', '192.0.2.31', { state: 'silent' })] },
    'hosts-twins': { ...app, lobby: none, hosts: [medicine, host('Medicina 3 Norte', 'f', '192.0.2.52')] },
    'hosts-changed': { ...app, lobby: none, hosts: [{ ...medicine, state: 'changed' }, host('Terapia intensiva', '7', '192.0.2.31')] },
    'hosts-changed-why': { ...app, lobby: none, hosts: [{ ...medicine, state: 'changed' }], steps: ['host-why'], focus: true },
    'hosts-changed-forget': { ...app, lobby: none, hosts: [{ ...medicine, state: 'changed' }], steps: ['host-why', 'forget-host'], focus: true },
    'hosts-long-names': {
      ...app,
      lobby: none,
      hosts: [host(long, '1', '2001:db8:85a3::8a2e:370:7334', { seen_ms: now }), host('جناح الأطفال', '2', '192.0.2.2'), host(long, '3', '192.0.2.3', { state: 'away', seen_ms: now - DAY - HOUR })],
      steps: ['host-use'],
    },
    'hosts-code': { ...app, lobby: none, hosts: [], steps: ['read-code'], focus: true },
    'hosts-code-denied': { ...app, lobby: none, hosts: [], preview: 'denied', steps: ['read-code'], focus: true },
    'hosts-code-other': { ...app, lobby: none, hosts: [], code: { kind: 'other' }, steps: ['read-code'], focus: true },
    'hosts-code-unreachable': { ...app, lobby: none, hosts: [], code: { kind: 'host', ...link, known: false }, use: { ok: false, problem: 'unreachable' }, steps: ['read-code'], focus: true },
    'hosts-link-new': { ...app, lobby: none, hosts: [], link: { kind: 'host', ...link, fingerprint: print, known: false }, focus: true },
    'hosts-link-known': { ...app, lobby: none, hosts: [medicine], link: { kind: 'host', ...link, known: true, name: 'Medicina 3 Norte' }, focus: true },
    'hosts-link-other': { ...app, lobby: none, hosts: [], link: { kind: 'other' }, focus: true },
  };
}
