// The gallery's scenes: made-up wards, rooms and people.
import { now } from './gallery-clock.js';
import { connectionStates } from './gallery-connection.js';
import { doorStates } from './gallery-door.js';
import { hostStates } from './gallery-hosts.js';
import { layoutStates, lineStates } from './gallery-layouts.js';
import { soundStates } from './gallery-sound.js';

/** @typedef {import('./platform/types').CallEvent} CallEvent */
/** @typedef {import('./platform/types').Host} Host */
/** @typedef {import('./generated').Member} Member */
/** @typedef {import('./generated').RoomInfo} RoomInfo */

/**
 * @typedef {{
 *   path?: string, name?: string, steps?: string[], focus?: boolean, below?: boolean,
 *   lobby?: import('./platform/types').LobbyState,
 *   capability?: import('./platform/types').CameraState, asks?: boolean,
 *   sound?: boolean, microphone?: import('./platform/types').MicState, listen?: import('./platform/types').MicState,
 *   level?: number, sample?: 'recording' | 'playing',
 *   microphones?: import('./platform/types').SoundDevice[], speakers?: import('./platform/types').SoundDevice[],
 *   cameras?: import('./platform/types').Camera[], preview?: import('./platform/types').CameraState,
 *   hosts?: Host[], host?: import('./platform/types').HostStatus, window?: 'closing' | 'quitting',
 *   use?: Awaited<ReturnType<NonNullable<import('./platform/types').Platform['useHost']>>>,
 *   call?: CallEvent[], refuses?: import('./generated').Code, tall?: (number | 'self')[],
 *   offline?: boolean, hash?: string, agent?: string, share?: boolean,
 *   door?: { reach?: 'fails' | import('./platform/types').Reach, code?: 'fails', redeem?: import('./platform/types').Redeemed },
 *   line?: Partial<import('./call/line-test.js').Figures> | 'testing' | 'limited' | 'unreachable',
 *   measured?: Partial<import('./platform/types').LineNow>,
 *   search?: import('./platform/types').HostsAround['search'],
 *   link?: import('./platform/types').OpenedLink, code?: import('./platform/types').OpenedLink,
 * }} Scene `steps`: what a person touches first, by test id; `later=MS` lets so much time pass;
 *   `refuses`: what is answered to a line of chat; `sound`: whether the platform has any; `microphone`:
 *   what is known of it before it is tried, `listen` and `level`: what comes then
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
  { name: 'Medicina 3 Norte', url: 'https://192.0.2.14:3000', fingerprint: print, ward: 'a3f109c27be4d510', address: '192.0.2.14', remembered: true, state: 'here', seen_ms: now - 30_000 },
  { name: 'Terapia intensiva', url: 'https://192.0.2.31:3000', fingerprint: `sha256:${'7c'.repeat(32)}`, ward: '7c7c7c7c7c7c7c7c', address: '192.0.2.31', remembered: false, state: 'here' },
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
  addresses: ['https://192.0.2.14:3000', 'https://198.51.100.7:3000'], qr: sampleQr(),
  connected: [
    { id: 1, name: 'Rosa Ortega', role: 'bedside', room: 'Cama 7', state: 'connected', line: 'good', round_trip_ms: 3 },
    { id: 2, name: 'Ana, hermana', role: 'family', room: 'Cama 7', state: 'connected', line: 'good', round_trip_ms: 18 },
    { id: 3, name: 'Luis, hijo', role: 'family', room: 'Cama 7', state: 'connected', line: 'weak', round_trip_ms: 140 },
    { id: 4, name: 'Enf. Robles', role: 'staff', room: 'Relevo de turno', state: 'connected', line: 'good', round_trip_ms: 2 },
  ],
  conditions: { power: 'plugged', networks: [{ interface: 'wlan0', address: '192.0.2.14', kind: 'wifi' }], awake: 'kept', visited: true },
  load: { processor: 9, memory: 41, battery: 84, bits_in: 4_210_000, bits_out: 11_640_000, strain: [] },
  at_boot: true,
};
/** @type {NonNullable<import('./platform/types').HostStatus['conditions']>} */
const poorConditions = {
  power: 'battery',
  networks: [{ interface: 'wlp3s0', address: '192.0.2.14', kind: 'wifi' }, { interface: 'enp0s31f6', address: '198.51.100.7', kind: 'cable' }],
  awake: 'refused', visited: false,
};
/** @type {import('./platform/types').HostStatus} */
const strained = {
  ...hosting,
  connected: [
    { id: 1, name: longName, role: 'bedside', room: `Visita de ${longName}`, state: 'connected', line: 'good', round_trip_ms: 12 },
    { id: 2, name: 'مريم الحسن', role: 'family', room: 'Cama 7', state: 'connected', line: 'poor', round_trip_ms: 2310 },
    { id: 3, name: 'Luis, hijo', role: 'family', room: 'Cama 7', state: 'reconnecting' },
    { id: 4, name: 'Enf. Robles', role: 'staff', room: 'Relevo de turno', state: 'connected' },
    ...Array.from({ length: 8 }, (_, i) => /** @type {const} */ ({ id: 10 + i, name: `Visita ${i + 1}`, role: 'guest', room: 'Trabajo social', state: 'connected', line: 'weak', round_trip_ms: 320 })),
  ],
  conditions: poorConditions,
  load: { processor: 97, memory: 94, battery: 22, bits_in: 18_300_000, bits_out: 96_120_000, strain: ['processor', 'memory', 'battery'] },
  at_boot: false,
};
/** @type {import('./platform/types').HostStatus} */
const portTaken = { state: 'failed', problem: 'port_in_use', port: 3000, holder: 'visita-relay', free_port: 3001, conditions: poorConditions, at_boot: false };

/** @type {import('./generated').Track[]} */
const camera = [{ id: 0, source: 'camera', codec: 'h264', layers: [{ width: 640, height: 360 }] }];
/** @type {import('./generated').Track} */
const microphone = { id: 9, source: 'microphone', codec: 'opus', layers: [] };
const both = [...camera, microphone];
/** @param {number} id @param {string} name @param {Partial<Member>} [more] @returns {Member} */
const member = (id, name, more = {}) => ({ id, name, role: 'family', tracks: both, connection: 'connected', ...more });
const you = member(90, 'Enf. Robles', { role: 'staff' });
const family = [
  member(1, 'Rosa (Cama 7)', { role: 'bedside' }), member(2, 'Ana, hermana'), member(3, 'Luis, hijo'),
  member(4, 'Abuela Inés', { tracks: [microphone] }),
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
  { type: 'microphone', state: 'on' },
  { type: 'picture', member: 'self', state: 'moving', width: 480, height: 360 },
  ...others.filter((one) => one.tracks.some(({ source }) => source === 'camera')).map((one) => /** @type {CallEvent} */ ({ type: 'picture', member: one.id, state: 'moving', width: 640, height: 360 })),
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
/** @param {Member} one @returns {CallEvent} */
const joins = (one) => ({ type: 'relay', message: { type: 'member_joined', member: one } });
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
  'home-app-host-starting': { ...app, lobby: { state: 'none', rooms: [], now_ms: now }, host: { state: 'starting', at_boot: false } },
  'home-app-host-no-network': { ...app, lobby: { state: 'none', rooms: [], now_ms: now }, host: { state: 'failed', problem: 'no_network', at_boot: false } },
  'home-app-host-disk-full': { ...app, lobby: { state: 'none', rooms: [], now_ms: now }, host: { state: 'failed', problem: 'disk_full', at_boot: false } },
  'home-app-host-no-folder': { ...app, lobby: { state: 'none', rooms: [], now_ms: now }, host: { state: 'failed', problem: 'data_not_writable', at_boot: false } },
  'home-app-host-failed': { ...app, lobby: { state: 'none', rooms: [], now_ms: now }, host: portTaken },
  ...hostStates(app, live(ward)),
  'home-app-address': { ...app, lobby: live(ward), steps: ['connect-other'], focus: true },
  'home-app-address-wrong': { ...app, lobby: live(ward), use: { ok: false, problem: 'unreachable' }, steps: ['connect-other', 'address-input=192.0.2.99', 'connect'], focus: true },
  'home-browser': { name: 'Dra. Salas', lobby: live(ward) },
  'home-empty': { name: 'Dra. Salas', lobby: live([]) },
  'home-connecting': { name: 'Dra. Salas', lobby: { state: 'connecting', rooms: [], now_ms: now } },
  'home-lost': { name: 'Dra. Salas', lobby: { state: 'lost', rooms: ward, now_ms: now } },
  'home-ended': { name: 'Dra. Salas', lobby: { state: 'lost', rooms: ward, now_ms: now, ended: true } },
  'home-ended-empty': { name: 'Dra. Salas', lobby: { state: 'lost', rooms: [], now_ms: now, ended: true } },
  'home-offline': { name: 'Dra. Salas', offline: true, lobby: { state: 'lost', rooms: [], now_ms: now } },
  'home-unreachable': { name: 'Dra. Salas', lobby: { state: 'lost', rooms: [], now_ms: now, problem: 'unreachable' } },
  'home-long-names': { name: longName, lobby: live([room(longName, 'bed', 1, 0, true), room('Sala de reuniones para el relevo de turno de la tarde', 'meeting', 12, 75), room('مريم الحسن', 'bed', 2, 5)]) },
  'home-new': { name: 'Dra. Salas', lobby: live(ward), steps: ['new-room'], focus: true },
  'home-name': { lobby: live(ward), steps: ['room-enter'], focus: true },
  'home-name-wrong': { lobby: live(ward), steps: ['room-enter', 'enter'], focus: true },
  'home-new-exists': { name: 'Dra. Salas', lobby: live(ward), steps: ['new-room', 'new-room-name=cama 7'], focus: true },
  'home-new-wrong': { name: 'Dra. Salas', lobby: live(ward), steps: ['new-room', 'create-room'], focus: true },
  settings: { name: 'Dra. Salas', lobby: live(ward), steps: ['person'] },
  'settings-saved': { name: 'Dra. Salas', lobby: live(ward), steps: ['person', 'settings-name=Dra. Salas Peña', 'settings-save'] },
  'settings-wrong': { name: 'Dra. Salas', lobby: live(ward), steps: ['person', 'settings-name= ', 'settings-save'], focus: true },
  'settings-camera': { name: 'Dra. Salas', lobby: live(ward), steps: ['person', 'settings-camera'] },
  host: { ...app, lobby: live(ward), host: hosting, steps: ['host-panel'] },
  'host-below': { ...app, lobby: live(ward), host: hosting, steps: ['host-panel'], below: true },
  'host-strained-below': { ...app, lobby: live(ward), host: strained, steps: ['host-panel'], below: true },
  'host-off-below': { ...app, lobby: live(ward), host: { state: 'off', conditions: poorConditions, at_boot: false }, steps: ['host-panel-off'], below: true },
  'host-unheard-below': { ...app, lobby: live(ward), host: { ...hosting, conditions: hosting.conditions && { ...hosting.conditions, unheard: true } }, steps: ['host-panel'], below: true },
  'host-quitting': { ...app, lobby: live(ward), host: hosting, steps: ['host-panel'], window: 'quitting', focus: true },
  'host-nobody': { ...app, lobby: live(ward), host: { ...hosting, connected: [] }, steps: ['host-panel'] },
  'host-strained': { ...app, lobby: live(ward), host: strained, steps: ['host-panel'] },
  'host-off': { ...app, lobby: live(ward), host: { state: 'off', conditions: { ...poorConditions, networks: [] }, at_boot: false }, steps: ['host-panel-off'] },
  'host-port-taken': { ...app, lobby: live(ward), host: portTaken, steps: ['host-panel-off'] },
  'host-rename': { ...app, lobby: live(ward), host: hosting, steps: ['host-panel', 'ward-rename'], focus: true },
  'host-closing': { ...app, lobby: live(ward), host: hosting, steps: ['host-panel'], window: 'closing', focus: true },
  'host-stop-many': { ...app, lobby: live(ward), host: strained, steps: ['host-panel', 'host-switch'], focus: true },
  'host-stop': { ...app, lobby: live(ward), host: hosting, steps: ['host-panel', 'host-switch'], focus: true },
  'call-entering': { ...staff, call: entering },
  'call-alone': { ...staff, call: inCall([]) },
  'call-1': { ...staff, call: inCall(family.slice(1, 2)) },
  'call-2': { ...staff, call: inCall(family.slice(0, 2)) },
  'call-3': { ...staff, call: inCall(family.slice(0, 3)) },
  'call-4': { ...staff, call: inCall(family) },
  'call-4-chat': { ...staff, call: inCall(family.slice(0, 3), [...talk, comes]), steps: ['room-enter', 'chat-toggle'] },
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
  'call-camera-busy': { ...staff, call: inCall(family, [cam('busy')]) },
  'call-camera-lost': { ...staff, call: inCall(family.slice(0, 1), [cam('lost')]) },
  'call-again': { ...staff, call: inCall(family.slice(0, 1), [goes(1, 'left')]) },
  'call-late': { ...staff, call: inCall(family.slice(0, 2)).filter((event) => event.type !== 'picture' || event.member !== 2), steps: ['room-enter', 'later=7000'] },
  'call-minutes': { ...staff, call: inCall(family.slice(0, 2)), steps: ['room-enter', 'later=1080000'] },
  'call-many-come': { ...staff, call: inCall(family.slice(0, 2), [...dozen.slice(4, 10).map((one) => joins(one)), goes(2, 'left'), goes(1, 'lost')]) },
  'call-30': { ...staff, call: inCall(Array.from({ length: 30 }, (_, i) => member(i + 1, dozen[i % 12].name))) },
  'call-all-tall': { ...staff, call: inCall(family.slice(0, 3), [1, 2, 3].map((id) => ({ type: 'picture', member: id, state: 'moving', width: 360, height: 640 }))), tall: [1, 2, 3] },
  'call-people': {
    ...staff,
    call: inCall([...family.slice(0, 2), member(3, longName), member(4, 'مريم الحسن', { tracks: [] })], [
      { type: 'relay', message: { type: 'member_changed', member: { ...family[1], connection: 'reconnecting' } } },
    ]),
    steps: ['room-enter', 'people-toggle'],
  },
  'call-menu': { ...staff, call: inCall(family), cameras, steps: ['room-enter', 'menu-toggle'] },
  'call-menu-keys-off': { ...staff, call: inCall(family.slice(0, 2)), steps: ['room-enter', 'menu-toggle', 'menu-keys'] },
  'call-self-hidden': { ...staff, call: inCall(family.slice(0, 2)), steps: ['room-enter', 'menu-toggle', 'menu-self', 'menu-close'] },
  'call-self-moved': { ...staff, call: inCall(family.slice(0, 2)), steps: ['room-enter', 'self-move'] },
  'call-chat-reconnecting': { ...staff, call: inCall(family.slice(0, 2), [...talk, { type: 'connection', state: 'reconnecting' }]), steps: ['room-enter', 'chat-toggle', 'chat-input=Enseguida le llevo las fotos', 'chat-send'] },
  'call-chat-refused': { ...staff, refuses: 'rate_limited', call: inCall(family.slice(0, 2), talk), steps: ['room-enter', 'chat-toggle', 'chat-input=Qué alegría', 'chat-send'] },
  'call-chat-long': {
    ...staff,
    call: inCall(family.slice(0, 2), [
      line(1, 2, longName, 'Aquí está la página: https://ejemplo.invalid/una/direccion/muy/larga/que/no/se/toca?x=<b>1</b>&y=2'),
      line(2, 3, 'مريم الحسن', 'صباح الخير، كيف حالكم اليوم؟ Room 7'),
      line(3, 90, 'Enf. Robles', 'Mañana por la mañana la cambian de cuarto; en cuanto sepa el número se lo escribo aquí mismo. '.repeat(3)),
      line(4, 2, longName, 'x'.repeat(120)),
    ]),
    steps: ['room-enter', 'chat-toggle'],
  },
  'call-closing': { ...staff, call: inCall(family.slice(0, 2), [{ type: 'relay', message: { type: 'closing' } }]) },
  'call-ended': { ...staff, call: ended(undefined) },
  'call-room-missing': { ...staff, call: ended('room_missing') },
  'call-shutting-down': { ...staff, call: ended('shutting_down') },
  'call-session-gone': { ...staff, call: ended('session_gone') },
  ...Object.fromEntries(/** @type {const} */ (['busy', 'room_full', 'too_many_rooms', 'forbidden', 'origin', 'timeout', 'replaced', 'rate_limited', 'internal', 'version', 'unreachable', 'pin_mismatch', 'malformed'])
    .map((code) => [`problem-${code.replace(/_/g, '-')}`, { ...staff, call: ended(code) }])),
  'family-name': { path: '/Familiar/' },
  'family-name-wrong': { path: '/Familiar/', steps: ['familiar-enter'], focus: true },
  'family-camera-asks': { path: '/Familiar/', asks: true },
  'family-camera-asking': { path: '/Familiar/', asks: true, preview: 'starting', steps: ['check-open'] },
  'family-camera-off': { path: '/Familiar/', steps: ['check-toggle'] },
  'family-camera-several': { path: '/Familiar/', cameras },
  'family-camera-several-open': { path: '/Familiar/', cameras, steps: ['camera-fold'] },
  'family-camera-long-names': { path: '/Familiar/', cameras: longCameras },
  'family-camera-denied': { path: '/Familiar/', capability: 'denied' },
  'family-camera-insecure': { path: '/Familiar/', capability: 'insecure' },
  'family-camera-missing': { path: '/Familiar/', capability: 'missing', preview: 'missing', cameras: [] },
  'family-camera-busy': { path: '/Familiar/', preview: 'busy' },
  'family-camera-lost': { path: '/Familiar/', preview: 'lost', cameras: [] },
  'family-entering': { ...relative, call: entering },
  'family-waiting': { ...relative, call: inCall([]) },
  'family-waiting-long': { ...relative, call: inCall([]), steps: [...relative.steps, 'later=600000'] },
  'family-waiting-denied': { ...relative, call: inCall([], [cam('denied')]) },
  'family-reconnecting': { ...relative, call: inCall([], [{ type: 'connection', state: 'reconnecting' }]) },
  'family-call': { ...relative, call: inCall([member(1, 'Rosa')], [], 'Ana Ortega') },
  'family-again': { ...relative, call: inCall([member(1, 'Rosa')], [goes(1, 'left')], 'Ana Ortega') },
  'family-left': { ...relative, call: inCall([]), steps: [...relative.steps, 'leave'] },
  'family-unreachable': { ...relative, call: ended('unreachable') },
  'family-back': { ...relative, call: ended('unreachable'), steps: [...relative.steps, 'back'] },
  'family-offline': { ...relative, offline: true, call: ended('unreachable') },
  ...Object.fromEntries(/** @type {const} */ (['shutting_down', 'room_missing', 'busy', 'version', 'pin_mismatch', 'timeout'])
    .map((code) => [`family-${code.replace('_', '-')}`, { ...relative, call: ended(code) }])),
  'patient-waiting': { path: '/Paciente/', lobby: live([room('Ana, su hermana', 'bed', 1, 2, true)]) },
  'patient-three': { path: '/Paciente/', lobby: live([room('Ana, su hermana', 'bed', 1, 2, true), room('Luis', 'bed', 1, 1, true), room(longName, 'bed', 2, 6)]) },
  'patient-nobody': { path: '/Paciente/', lobby: live([]) },
  'patient-lost': { path: '/Paciente/', lobby: { state: 'lost', rooms: [], now_ms: now, problem: 'unreachable' } },
  'patient-host-ended': { path: '/Paciente/', lobby: { state: 'lost', rooms: [], now_ms: now, ended: true } },
  'patient-offline': { path: '/Paciente/', offline: true, lobby: { state: 'lost', rooms: [], now_ms: now } },
  'patient-connecting': { path: '/Paciente/', lobby: { state: 'connecting', rooms: [], now_ms: now } },
  'patient-long-name': { path: '/Paciente/', lobby: live([room(longName, 'bed', 1, 2, true)]) },
  'patient-right-to-left': { path: '/Paciente/', lobby: live([room('مريم الحسن', 'bed', 1, 2, true), room('Luis', 'bed', 1, 1, true)]) },
  'patient-entering': { ...patient, call: entering },
  'patient-call': { ...patient, call: inCall([member(2, 'Ana, su hermana')], [], 'Ana, su hermana') },
  'patient-gone': { ...patient, call: inCall([member(2, 'Ana, su hermana')], [goes(2, 'left')], 'Ana, su hermana') },
  'patient-chat': { ...patient, call: inCall([member(2, 'Ana, su hermana')], talk, 'Ana, su hermana'), steps: ['waiting-row', 'chat-toggle'] },
  'patient-leave': { ...patient, call: inCall([member(2, 'Ana, su hermana')], [], 'Ana, su hermana'), steps: ['waiting-row', 'leave'] },
  'patient-reconnecting': { ...patient, call: inCall([member(2, 'Ana, su hermana')], [{ type: 'connection', state: 'reconnecting' }], 'Ana, su hermana') },
  'patient-camera-off': { ...patient, call: inCall([member(2, 'Ana, su hermana', { tracks: [] })], [cam('off')], 'Ana, su hermana') },
  'patient-camera-busy': { ...patient, call: inCall([member(2, 'Ana, su hermana')], [cam('busy')], 'Ana, su hermana') },
  ...doorStates({ staff, relative, live, ward, inCall, family, cam, app, hosting }),
  ...connectionStates({ staff, relative, app, lobby: live(ward), inCall, family }),
  ...lineStates({ name: 'Enf. Robles', lobby: live(ward) }),
  ...layoutStates({ staff, patient, inCall, member, family, dozen, longName }),
  ...soundStates({ staff, relative, patient, inCall, member, camera, family, dozen, longName }),
  'patient-ended': { ...patient, call: ended('shutting_down') },
  'patient-room-missing': { ...patient, call: ended('room_missing') },
};
