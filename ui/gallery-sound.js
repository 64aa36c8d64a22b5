// The gallery's scenes of sound.

/** @typedef {import('./platform/types').CallEvent} CallEvent */
/** @typedef {import('./platform/types').MicState} MicState */
/** @typedef {import('./generated').Member} Member */
/** @typedef {import('./gallery-states.js').Scene} Scene */

/** Speech at arm's length, in dBov, and a room in which nobody speaks. */
const VOICE = -26;
const QUIET = -60;

/** @param {MicState} state @returns {CallEvent} */
export const mic = (state) => ({ type: 'microphone', state });
/** @param {Record<number, number>} members @param {{ own?: number, talkingMuted?: boolean }} [more] @returns {CallEvent} */
const levels = (members, { own = QUIET, talkingMuted = false } = {}) => ({ type: 'levels', own, talkingMuted, members });
/** @param {number} member @returns {CallEvent} */
const speaks = (member) => ({ type: 'relay', message: { type: 'speaker', member } });
/** @param {import('./platform/types').SoundState} state @returns {CallEvent} */
const sound = (state) => ({ type: 'sound', state });
/** @param {'microphone' | 'speaker'} which @param {string} name @returns {CallEvent} */
const uses = (which, name) => ({ type: 'device', device: which, name });
/** @param {import('./platform/types').CameraState} state @returns {CallEvent} */
const cam = (state) => ({ type: 'camera', state });

/** The line carries no pictures: to here, or from here. @type {CallEvent} */
const down = { type: 'relay', message: { type: 'line', carries: 'sound' } };
/** @type {CallEvent} */
const up = { type: 'uplink', carries: 'sound' };

const cameras = [{ id: 'a', name: 'Cámara frontal' }, { id: 'b', name: 'Cámara trasera' }];
const microphones = [
  { id: 'a', name: 'Micrófono integrado' }, { id: 'b', name: 'Jabra Evolve2 30 SE (0b0e:0e36), analógico estéreo monoaural' }, { id: 'c', name: '' },
];
const speakers = [{ id: 'a', name: 'Altavoz integrado' }, { id: 'b', name: 'Jabra Evolve2 30 SE' }];
const many = { cameras, microphones, speakers };

/**
 * @param {{
 *   staff: Scene & { steps: string[] }, relative: Scene & { steps: string[] }, patient: Scene & { steps: string[] },
 *   inCall: (others: Member[], more?: CallEvent[], room?: string) => CallEvent[],
 *   member: (id: number, name: string, more?: Partial<Member>) => Member, camera: Member['tracks'],
 *   family: Member[], dozen: Member[], longName: string,
 * }} made
 * @returns {Record<string, Scene>}
 */
export function soundStates({ staff, relative, patient, inCall, member, camera, family, dozen, longName }) {
  /** @param {Member} one @returns {Member} */
  const muted = (one) => ({ ...one, tracks: camera });
  /** Whose line doesn't carry the picture. @param {Member} one @returns {Member} */
  const weak = (one) => ({ ...one, line: 'sound', tracks: one.tracks.filter(({ source }) => source !== 'camera') });
  const four = [family[0], family[1], muted(family[2]), family[3]];
  const talk = [speaks(2), levels({ 1: -54, 2: VOICE, 4: QUIET })];
  const visitor = member(2, 'Ana, su hermana');
  /** @param {CallEvent[]} more @param {Partial<Member>} [as] */
  const bedside = (more, as) => ({ ...patient, call: inCall([{ ...visitor, ...as }], more, 'Ana, su hermana') });
  const check = { path: '/Familiar/' };
  return {
    'sound-speaks': { ...staff, call: inCall(four, [...talk, levels({ 2: VOICE }, { own: -34 })]) },
    'sound-speaks-chat': { ...staff, call: inCall(four, talk), steps: [...staff.steps, 'chat-toggle'] },
    'sound-speaks-12': { ...staff, call: inCall(dozen.map((one, at) => (at % 4 === 1 ? muted(one) : one)), [speaks(5), levels({ 5: VOICE })]) },
    'sound-speaks-covered': { ...staff, call: inCall(family.slice(1, 2), talk), steps: [...staff.steps, 'self-move', 'self-move', 'self-move'] },
    'sound-speaks-long-name': { ...staff, call: inCall([member(1, longName), muted(member(2, longName)), member(3, 'مريم الحسن')], [speaks(3), levels({ 3: VOICE })]) },
    'sound-muted': { ...staff, call: inCall(four, [mic('muted')]) },
    'sound-muted-talking': { ...staff, call: inCall(family.slice(0, 2), [mic('muted'), levels({}, { talkingMuted: true })]) },
    'sound-starting': { ...staff, call: inCall(family.slice(0, 2), [mic('starting')]) },
    'sound-blocked': { ...staff, call: inCall(family.slice(0, 3), [sound('blocked')]) },
    'sound-interrupted': { ...staff, call: inCall(family.slice(0, 3), [sound('interrupted')]) },
    'sound-missing': { ...staff, call: inCall(family.slice(0, 3), [sound('missing')]) },
    'sound-mic-denied': { ...staff, call: inCall(family.slice(0, 2), [mic('denied')]) },
    'sound-mic-missing': { ...staff, call: inCall(family.slice(0, 2), [mic('missing')]) },
    'sound-mic-busy': { ...staff, call: inCall(family.slice(0, 2), [mic('busy')]) },
    'sound-mic-lost': { ...staff, call: inCall(family.slice(0, 2), [mic('lost')]) },
    'sound-mic-other': { ...staff, call: inCall(four, [uses('microphone', microphones[1].name), mic('lost'), mic('on'), uses('microphone', microphones[0].name)]) },
    'sound-speaker-other': { ...staff, call: inCall(four, [uses('speaker', speakers[0].name), uses('speaker', speakers[1].name)]) },
    'sound-mic-without': { ...staff, call: inCall(family.slice(0, 2), [mic('lost')]), steps: [...staff.steps, 'mic-without'] },
    'sound-both-denied': { ...staff, call: inCall(family.slice(0, 2), [mic('denied'), cam('denied')]) },
    'sound-audio-only': { ...staff, call: inCall(four, [...talk, cam('off')]), steps: [...staff.steps, 'audio-only'] },
    'sound-line-down': { ...staff, call: inCall(four, [...talk, down]) },
    'sound-line-both': { ...relative, call: inCall(family.slice(0, 1), [down, up]) },
    'sound-line-other': { ...staff, call: inCall([weak(family[0]), family[1], weak(family[2])], [up]), steps: [...staff.steps, 'people-toggle'] },
    'sound-line-back': { ...staff, call: inCall(family.slice(0, 2), [down, { type: 'relay', message: { type: 'line', carries: 'pictures' } }]) },
    'sound-hold': { ...staff, call: inCall(family.slice(0, 2), [mic('muted')]), steps: [...staff.steps, 'menu-toggle', 'menu-hold'] },
    'sound-holding': { ...staff, call: inCall(family.slice(0, 2)), steps: [...staff.steps, 'menu-toggle', 'menu-hold', 'menu-close', 'mic-toggle'] },
    'sound-people': { ...staff, call: inCall([...four.slice(0, 3), member(4, longName, { tracks: [] })], talk), steps: [...staff.steps, 'people-toggle', 'volume=3'] },
    'sound-menu': { ...staff, ...many, call: inCall(family), steps: [...staff.steps, 'menu-toggle'] },
    'sound-menu-open': { ...staff, ...many, call: inCall(family), steps: [...staff.steps, 'menu-toggle', 'mic-fold'] },
    'sound-menu-signals': { ...staff, ...many, call: inCall(family), steps: [...staff.steps, 'menu-toggle', 'signals-fold', 'when-off'] },
    'sound-none': { ...staff, sound: false, call: inCall(four) },
    'sound-check-waits': { ...check, level: QUIET },
    'sound-check-muted': { ...check, steps: ['check-mic-toggle'] },
    'sound-check-asks-no-camera': { ...check, asks: true, capability: 'missing', preview: 'missing', cameras: [] },
    'sound-check-open': { ...check, ...many, steps: ['sound-fold'] },
    'sound-check-recording': { ...check, sample: 'recording', steps: ['sound-fold', 'check-sample'] },
    'sound-check-playing': { ...check, sample: 'playing', steps: ['sound-fold', 'check-sample'] },
    'sound-check-mic-denied': { ...check, microphone: 'denied' },
    'sound-check-both-denied': { ...check, capability: 'denied', microphone: 'denied' },
    'sound-check-both-insecure': { ...check, capability: 'insecure', microphone: 'insecure' },
    'sound-check-mic-lost': { ...check, listen: 'lost', microphones: [] },
    'sound-check-no-camera': { ...check, capability: 'missing', preview: 'missing', cameras: [] },
    'sound-check-two-reasons': { ...check, preview: 'busy', listen: 'missing', microphones: [] },
    'sound-check-none': { ...check, sound: false },
    'sound-wait-blocked': { ...relative, call: inCall([], [sound('blocked')]) },
    'sound-wait-denied': { ...relative, call: inCall([], [mic('denied')]) },
    'sound-patient-speaks': bedside([speaks(2), levels({ 2: VOICE })]),
    'sound-patient-muted': bedside([mic('muted')], { tracks: camera }),
    'sound-patient-muted-talking': bedside([mic('muted'), levels({}, { talkingMuted: true })]),
    'sound-patient-line-up': bedside([up]),
    'sound-patient-line-both': bedside([down, up]),
    'sound-patient-blocked': bedside([sound('blocked')]),
    'sound-patient-interrupted': bedside([sound('interrupted')]),
    'sound-patient-speaker-other': bedside([uses('speaker', speakers[1].name), sound('missing'), sound('on'), uses('speaker', speakers[0].name)]),
    'sound-patient-mic-busy': bedside([mic('busy')]),
  };
}
