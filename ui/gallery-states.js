// The gallery's scenes: made-up wards, rooms and people.
import { now } from './gallery-clock.js';

/** @typedef {import('./platform/types').CallEvent} CallEvent */
/** @typedef {import('./platform/types').Host} Host */
/** @typedef {import('./generated').Member} Member */
/** @typedef {import('./generated').RoomInfo} RoomInfo */

/**
 * @typedef {{
 *   path?: string, name?: string, steps?: string[], focus?: boolean,
 *   lobby?: import('./platform/types').LobbyState,
 *   capability?: import('./platform/types').CameraState, asks?: boolean,
 *   cameras?: import('./platform/types').Camera[], preview?: import('./platform/types').CameraState,
 *   hosts?: Host[], host?: import('./platform/types').HostStatus,
 *   use?: Awaited<ReturnType<NonNullable<import('./platform/types').Platform['useHost']>>>,
 *   call?: CallEvent[], tall?: (number | 'self')[],
 * }} Scene `steps`: what a person touches first, by test id; `later=MS` lets so much time pass
 */

const minutes = 60_000;

/**
 * @param {string} name @param {'bed' | 'meeting'} kind @param {number} members @param {number} since in minutes
 * @param {boolean} [waiting] @returns {RoomInfo}
 */
const room = (name, kind, members, since, waiting = false) => ({
  id: Array.from(name, (c) => (c.codePointAt(0) ?? 0).toString(16)).join('').slice(0, 16).padEnd(16, '0'),
  name, kind, members, waiting, since_ms: now - since * minutes,
});

const ward = [
  room('Cama 12', 'bed', 1, 2, true),
  room('Cama 7', 'bed', 3, 11),
  room('Relevo de turno', 'meeting', 2, 4),
  room('Trabajo social', 'meeting', 0, 31),
];
const longName = 'María Guadalupe de los Ángeles Fernández de Córdoba y Villaseñor viuda de Etchegaray';
/** @param {RoomInfo[]} rooms @returns {import('./platform/types').LobbyState} */
const live = (rooms) => ({ state: 'live', rooms, now_ms: now });

const print = 'sha256:a3f109c27be4d5108f6629b1c04e77da3382915ff0ac6be45d21907c88e36b4f';
/** @type {Host[]} */
const hosts = [
  { name: 'Medicina 3 Norte', url: 'https://192.0.2.14:3000', fingerprint: print, ward: 'a3f109c27be4d510', address: '192.0.2.14:3000', remembered: true },
  { name: 'Terapia intensiva', url: 'https://192.0.2.31:3000', fingerprint: `sha256:${'7c'.repeat(32)}`, ward: '7c7c7c7c7c7c7c7c', address: '192.0.2.31:3000', remembered: false },
];
/** @type {Scene['use']} */
const used = { ok: true, ward: 'Medicina 3 Norte', fingerprint: print, first_use: false };

/** A drawing that looks like a QR code; the app makes the real one. */
function sampleQr() {
  const size = 29;
  let d = '';
  let seed = 7;
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      const corner = [[0, 0], [size - 7, 0], [0, size - 7]].find(([cx, cy]) => x >= cx - 1 && x <= cx + 7 && y >= cy - 1 && y <= cy + 7);
      let dark = (seed >> 16) % 2 === 0;
      if (corner) {
        const ring = Math.max(Math.abs(x - corner[0] - 3), Math.abs(y - corner[1] - 3));
        dark = ring === 3 || ring <= 1;
      }
      if (dark) d += `M${x} ${y}h1v1h-1z`;
    }
  }
  return { size, d };
}

/** @type {import('./platform/types').HostStatus} */
const hosting = {
  state: 'on', url: 'https://192.0.2.14:3000', fingerprint: print, ward: 'Medicina 3 Norte',
  addresses: ['192.0.2.14', '198.51.100.7'], qr: sampleQr(),
  connected: [
    { id: 1, name: 'Rosa Ortega', role: 'bedside', room: 'Cama 7', state: 'connected' },
    { id: 2, name: 'Ana, hermana', role: 'family', room: 'Cama 7', state: 'connected' },
    { id: 3, name: 'Luis, hijo', role: 'family', room: 'Cama 7', state: 'reconnecting' },
    { id: 4, name: 'Enf. Robles', role: 'staff', room: 'Relevo de turno', state: 'connected' },
  ],
};

/** @type {import('./generated').Track[]} */
const camera = [{ id: 0, source: 'camera', codec: 'h264', layers: [{ width: 640, height: 360 }] }];
/** @param {number} id @param {string} name @param {Partial<Member>} [more] @returns {Member} */
const member = (id, name, more = {}) => ({ id, name, role: 'family', tracks: camera, connection: 'connected', ...more });
const you = member(90, 'Enf. Robles', { role: 'staff' });
const family = [
  member(1, 'Rosa (Cama 7)', { role: 'bedside' }), member(2, 'Ana, hermana'), member(3, 'Luis, hijo'),
  member(4, 'Abuela Inés', { tracks: [] }),
];

/**
 * @param {Member[]} others @param {CallEvent[]} [more] @param {string} [roomName]
 * @returns {CallEvent[]}
 */
const inCall = (others, more = [], roomName = 'Cama 7 · Familia Ortega') => [
  { type: 'connection', state: 'connecting' },
  { type: 'connection', state: 'connected' },
  { type: 'relay', message: { type: 'joined', room: room(roomName, 'bed', others.length + 1, 12), you: 90, members: [you, ...others], chat: [] } },
  { type: 'camera', state: 'on' },
  { type: 'picture', member: 'self', state: 'moving', width: 480, height: 360 },
  ...others.filter((one) => one.tracks.length > 0).map((one) => /** @type {CallEvent} */ ({ type: 'picture', member: one.id, state: 'moving', width: 640, height: 360 })),
  ...more,
];
/** @param {number} seq @param {number} from @param {string} name @param {string} text @returns {CallEvent} */
const line = (seq, from, name, text) => ({ type: 'relay', message: { type: 'chat', seq, from, name, text, at_ms: now - (9 - seq) * minutes } });
const talk = [
  line(1, 2, 'Ana, hermana', 'Mamá dice que ya viene tu nieta.'),
  line(2, 90, 'Enf. Robles', 'Rosa se alegra mucho.'),
  line(3, 90, 'Enf. Robles', 'Ya está sentada y con sus lentes.'),
  line(4, 3, 'Luis, hijo', 'Acabo de llegar al hospital, subo en diez minutos. Díganle que le llevo las fotos.'),
];
/** @type {CallEvent} */
const comes = { type: 'relay', message: { type: 'member_joined', member: family[3] } };
/** @param {number} id @param {'left' | 'lost'} reason @returns {CallEvent} */
const goes = (id, reason) => ({ type: 'relay', message: { type: 'member_left', member: id, reason } });
const dozen = ['Rosa', 'Ana', 'Luis', 'Inés', 'Dra. Salas', 'Marco', 'Sofía', 'Elena', 'Tomás', 'Carmen', 'Jorge', 'Lucía'].map((name, i) => member(i + 1, name, i === 5 ? { tracks: [] } : {}));
/** @type {CallEvent[]} */
const entering = [{ type: 'connection', state: 'connecting' }];
/** @param {import('./platform/types').CameraState} state @returns {CallEvent} */
const cam = (state) => ({ type: 'camera', state });
/** @param {Extract<CallEvent, { type: 'connection' }>['code']} code @returns {CallEvent[]} */
const ended = (code) => [{ type: 'connection', state: 'connecting' }, { type: 'connection', state: 'ended', ...(code ? { code } : {}) }];

const staff = { name: 'Enf. Robles', lobby: live(ward), steps: ['room-enter'] };
const relative = { path: '/familiar', steps: ['familiar-name=Ana Ortega', 'familiar-enter'] };
const patient = { path: '/Paciente/', lobby: live([room('Ana, su hermana', 'bed', 1, 2, true)]), steps: ['waiting-row'] };
const app = { name: 'Enf. Robles', hosts, use: used };
const cameras = [{ id: 'a', name: 'Cámara frontal' }, { id: 'b', name: 'Cámara trasera' }, { id: 'c', name: 'Logitech C270' }];
const longCameras = [
  { id: 'a', name: 'Integrated_Webcam_HD_Realtek_Semiconductor_Corp_0bda:565a (USB Video Class 1.5)' },
  { id: 'b', name: '' },
  { id: 'c', name: 'كاميرا الجناح الشمالي' },
];
/** Uses the first host, so that the screen shows a host in use. */
const using = ['host-use'];

/** @type {Record<string, Scene>} */
export const states = {
  'home-app': { ...app, lobby: live(ward), steps: using },
  'home-app-hosting': { ...app, lobby: live(ward), host: { ...hosting, connected: [] } },
  'home-app-searching': { ...app, hosts: [], lobby: { state: 'none', rooms: [], now_ms: now } },
  'home-app-first-use': { ...app, lobby: live(ward), use: { ...used, first_use: true }, steps: using },
  'home-app-unreachable': { ...app, lobby: { state: 'none', rooms: [], now_ms: now }, use: { ok: false, problem: 'unreachable' }, steps: using },
  'home-app-pin-mismatch': { ...app, lobby: { state: 'none', rooms: [], now_ms: now }, use: { ok: false, problem: 'pin_mismatch' }, steps: using },
  'home-app-lobby-pin-mismatch': { ...app, lobby: { state: 'lost', rooms: [], now_ms: now, problem: 'pin_mismatch' } },
  'home-app-stopped': { ...app, lobby: { state: 'lost', rooms: [], now_ms: now, problem: 'pin_mismatch' }, steps: ['back'] },
  'home-app-host-failed': { ...app, lobby: { state: 'none', rooms: [], now_ms: now }, host: { state: 'failed', problem: 'port_in_use' } },
  'home-app-address': { ...app, lobby: live(ward), steps: ['connect-other'], focus: true },
  'home-app-address-wrong': { ...app, lobby: live(ward), use: { ok: false, problem: 'unreachable' }, steps: ['connect-other', 'address-input=192.0.2.99', 'connect'], focus: true },
  'home-browser': { name: 'Dra. Salas', lobby: live(ward) },
  'home-empty': { name: 'Dra. Salas', lobby: live([]) },
  'home-connecting': { name: 'Dra. Salas', lobby: { state: 'connecting', rooms: [], now_ms: now } },
  'home-lost': { name: 'Dra. Salas', lobby: { state: 'lost', rooms: ward, now_ms: now } },
  'home-unreachable': { name: 'Dra. Salas', lobby: { state: 'lost', rooms: [], now_ms: now, problem: 'unreachable' } },
  'home-long-names': { name: longName, lobby: live([room(longName, 'bed', 1, 0, true), room('Sala de reuniones para el relevo de turno de la tarde', 'meeting', 12, 75), room('مريم الحسن', 'bed', 2, 5)]) },
  'home-new': { name: 'Dra. Salas', lobby: live(ward), steps: ['new-room'], focus: true },
  'home-name': { lobby: live(ward), steps: ['room-enter'], focus: true },
  'home-name-wrong': { lobby: live(ward), steps: ['room-enter', 'enter'], focus: true },
  host: { ...app, lobby: live(ward), host: hosting, steps: ['host-panel'] },
  'host-nobody': { ...app, lobby: live(ward), host: { ...hosting, connected: [] }, steps: ['host-panel'] },
  'host-stop': { ...app, lobby: live(ward), host: hosting, steps: ['host-panel', 'host-switch'], focus: true },
  'call-entering': { ...staff, call: entering },
  'call-alone': { ...staff, call: inCall([]) },
  'call-1': { ...staff, call: inCall(family.slice(1, 2)) },
  'call-2': { ...staff, call: inCall(family.slice(0, 2)) },
  'call-3': { ...staff, call: inCall(family.slice(0, 3)) },
  'call-4': { ...staff, call: inCall(family) },
  'call-4-chat': { ...staff, call: inCall(family.slice(0, 3), [comes, ...talk]), steps: ['room-enter', 'chat-toggle'] },
  'call-chat-empty': { ...staff, call: inCall(family.slice(0, 2)), steps: ['room-enter', 'chat-toggle'] },
  'call-chat-sending': { ...staff, call: inCall(family.slice(0, 2), talk), steps: ['room-enter', 'chat-toggle', 'chat-input=Qué alegría', 'chat-send'] },
  'call-unread': { ...staff, call: inCall(family.slice(0, 3), talk) },
  'call-12': { ...staff, call: inCall(dozen) },
  'call-notices': { ...staff, call: inCall(family.slice(0, 2), [comes, { type: 'relay', message: { type: 'member_joined', member: member(5, 'Dra. Salas') } }, goes(1, 'lost')]) },
  'call-long-names': { ...staff, call: inCall([member(1, longName), member(2, 'مريم الحسن'), member(3, 'Ana <b>María</b>', { tracks: [] })], [], `Visita de ${longName}`) },
  'call-tiles': {
    ...staff,
    call: inCall([...family.slice(0, 3), member(5, 'Marco, esposo'), member(6, 'Elena, nieta')], [
      { type: 'relay', message: { type: 'member_changed', member: { ...family[1], connection: 'reconnecting' } } },
      { type: 'picture', member: 3, state: 'stalled', width: 640, height: 360 },
      { type: 'picture', member: 5, state: 'undecodable', width: 0, height: 0 },
      { type: 'relay', message: { type: 'member_changed', member: { ...member(6, 'Elena, nieta'), tracks: [] } } },
    ]),
  },
  'call-tall': { ...staff, call: inCall(family.slice(0, 2), [{ type: 'picture', member: 2, state: 'moving', width: 360, height: 640 }]), tall: [2] },
  'call-reconnecting': { ...staff, call: inCall(family.slice(0, 2), [{ type: 'connection', state: 'reconnecting' }]) },
  'call-camera-off': { ...staff, call: inCall(family.slice(0, 2), [cam('off')]) },
  'call-camera-denied': { ...staff, call: inCall(family.slice(0, 2), [cam('denied')]) },
  'call-ended': { ...staff, call: ended(undefined) },
  'call-room-missing': { ...staff, call: ended('room_missing') },
  'call-shutting-down': { ...staff, call: ended('shutting_down') },
  'call-session-gone': { ...staff, call: ended('session_gone') },
  'family-name': { path: '/Familiar/' },
  'family-name-wrong': { path: '/Familiar/', steps: ['familiar-enter'], focus: true },
  'family-camera-asks': { path: '/Familiar/', asks: true },
  'family-camera-asking': { path: '/Familiar/', asks: true, preview: 'starting', steps: ['check-open'] },
  'family-camera-off': { path: '/Familiar/', steps: ['check-toggle'] },
  'family-camera-several': { path: '/Familiar/', cameras },
  'family-camera-long-names': { path: '/Familiar/', cameras: longCameras },
  'family-camera-denied': { path: '/Familiar/', capability: 'denied' },
  'family-camera-insecure': { path: '/Familiar/', capability: 'insecure' },
  'family-camera-missing': { path: '/Familiar/', capability: 'missing', preview: 'missing', cameras: [] },
  'family-camera-busy': { path: '/Familiar/', preview: 'busy' },
  'family-camera-lost': { path: '/Familiar/', preview: 'lost', cameras: [] },
  'family-entering': { ...relative, call: entering },
  'family-waiting': { ...relative, call: inCall([]) },
  'family-waiting-denied': { ...relative, call: inCall([], [cam('denied')]) },
  'family-reconnecting': { ...relative, call: inCall([], [{ type: 'connection', state: 'reconnecting' }]) },
  'family-call': { ...relative, call: inCall([member(1, 'Rosa')], [], 'Ana Ortega') },
  'family-again': { ...relative, call: inCall([member(1, 'Rosa')], [goes(1, 'left')], 'Ana Ortega') },
  'family-left': { ...relative, call: inCall([]), steps: [...relative.steps, 'leave'] },
  'family-unreachable': { ...relative, call: ended('unreachable') },
  'patient-waiting': { path: '/Paciente/', lobby: live([room('Ana, su hermana', 'bed', 1, 2, true)]) },
  'patient-three': { path: '/Paciente/', lobby: live([room('Ana, su hermana', 'bed', 1, 2, true), room('Luis', 'bed', 1, 1, true), room(longName, 'bed', 2, 6)]) },
  'patient-nobody': { path: '/Paciente/', lobby: live([]) },
  'patient-lost': { path: '/Paciente/', lobby: { state: 'lost', rooms: [], now_ms: now, problem: 'unreachable' } },
  'patient-entering': { ...patient, call: entering },
  'patient-call': { ...patient, call: inCall([member(2, 'Ana, su hermana')], [], 'Ana, su hermana') },
  'patient-gone': { ...patient, call: inCall([member(2, 'Ana, su hermana')], [goes(2, 'left')], 'Ana, su hermana') },
  'patient-chat': { ...patient, call: inCall([member(2, 'Ana, su hermana')], talk, 'Ana, su hermana'), steps: ['waiting-row', 'chat-toggle'] },
  'patient-ended': { ...patient, call: ended('shutting_down') },
};
