// The gallery's scenes of getting in: codes, invitations, help, and pages inside other apps.

/** @typedef {import('./gallery-states.js').Scene} Scene */
/** @typedef {import('./platform/types').CallEvent} CallEvent */

const PHONES = {
  iphone: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
  android: 'Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
  windows: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
  mac: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
  firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  facebook: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/465.0.0.41.102;FBBV/600000000;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.5;FBSS/3;FBID/phone;FBLC/es_LA;FBOP/5]',
  view: 'Mozilla/5.0 (Linux; Android 14; Pixel 7 Build/UQ1A.240105.004; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36',
};

/**
 * @param {{
 *   staff: Scene, relative: Scene, ward: import('./generated').RoomInfo[], family: import('./generated').Member[],
 *   live: (rooms: import('./generated').RoomInfo[]) => import('./platform/types').LobbyState,
 *   inCall: (others: import('./generated').Member[], more?: CallEvent[], roomName?: string) => CallEvent[],
 *   cam: (state: import('./platform/types').CameraState) => CallEvent,
 *   app: Scene, hosting: import('./platform/types').HostStatus,
 * }} shared
 * @returns {Record<string, Scene>}
 */
export function doorStates({ staff, relative, ward, live, inCall, family, cam, app, hosting }) {
  const home = { name: 'Dra. Salas', lobby: live(ward) };
  const typed = { ...home, steps: ['code-input=042 917', 'code-enter'], focus: true };
  /** @param {import('./platform/types').Redeemed} redeem @returns {Scene} */
  const refused = (redeem) => ({ ...typed, door: { redeem } });
  const steps = [...staff.steps ?? [], 'menu-toggle', 'menu-invite', 'later=0'];
  /** @param {string} path @param {keyof typeof PHONES} [phone] @returns {Scene} */
  const help = (path, phone) => ({ path, ...(phone ? { agent: PHONES[phone] } : {}), steps: ['later=0'] });
  return {
    'code-short': { ...home, steps: ['code-input=0429', 'code-enter'], focus: true },
    'code-unknown': refused({ ok: false, problem: 'code_unknown' }),
    'code-too-many': refused({ ok: false, problem: 'rate_limited', wait_s: 27 }),
    'code-too-many-until': refused({ ok: false, problem: 'rate_limited', wait_s: 900 }),
    'code-unreachable': refused({ ok: false, problem: 'unreachable' }),
    'code-offline': { ...refused({ ok: false, problem: 'unreachable' }), offline: true },
    'code-leads': { ...typed, focus: false, door: { redeem: { ok: true, room: '00ff10abcdef0123', kind: 'bed' } } },
    'invited-visit': { hash: '#/i/00ff10abcdef0123' },
    'invited-meeting': { hash: '#/m/00ff10abcdef0123', lobby: live(ward), focus: true },
    invite: { ...staff, call: inCall(family.slice(0, 2)), share: true, steps },
    'invite-alone': { ...staff, call: inCall([]), steps: [...staff.steps ?? [], 'call-invite', 'later=0'] },
    'invite-no-code': { ...staff, call: inCall(family.slice(0, 2)), door: { code: 'fails' }, steps },
    'invite-unreachable': { ...staff, call: inCall(family.slice(0, 2)), door: { reach: 'fails' }, steps },
    'invite-long-address': { ...staff, call: inCall(family.slice(0, 2)), door: { reach: { url: 'https://[2001:db8:85a3:8d3:1319:8a2e:370:7348]:3000', fingerprint: '', ward: '' } }, steps },
    'host-certificate': { ...app, lobby: live(ward), host: hosting, steps: ['host-panel', 'host-certificate', 'later=0'] },
    'help-certificate-iphone': help('/ayuda/certificado', 'iphone'),
    'help-certificate-android': help('/Ayuda/Certificado/', 'android'),
    'help-certificate-windows': help('/ayuda/certificado', 'windows'),
    'help-certificate-mac': help('/ayuda/certificado', 'mac'),
    'help-certificate-linux': help('/ayuda/certificado', 'firefox'),
    'help-certificate-by-hand': { ...help('/ayuda/certificado', 'windows'), steps: ['later=0', 'help-fold'], below: true },
    'help-certificate-unreachable': { ...help('/ayuda/certificado'), door: { reach: 'fails' } },
    'help-permissions-iphone': help('/ayuda/permisos', 'iphone'),
    'help-permissions-android': help('/ayuda/permisos', 'android'),
    'help-permissions-windows': help('/ayuda/permisos', 'windows'),
    'help-permissions-mac': help('/ayuda/permisos', 'mac'),
    'help-permissions-linux': help('/ayuda/permisos', 'firefox'),
    'help-permissions-in-call': { ...staff, agent: PHONES.android, call: inCall(family.slice(0, 2), [cam('denied')]), steps: [...staff.steps ?? [], 'camera-how', 'later=0'] },
    'help-permissions-app': { ...app, agent: PHONES.windows, lobby: live(ward), call: inCall(family.slice(0, 2), [cam('denied')]), steps: ['host-use', ...staff.steps ?? [], 'camera-how', 'later=0'] },
    'inside-facebook': { path: '/Familiar/', hash: '#/i/00ff10abcdef0123', agent: PHONES.facebook },
    'inside-android': { path: '/Familiar/', agent: PHONES.view },
    'inside-home': { ...home, agent: PHONES.view },
    'inside-waiting': { ...relative, agent: PHONES.facebook, call: inCall([]) },
  };
}
