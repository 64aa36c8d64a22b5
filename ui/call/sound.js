// The sound of a call, as part of its state: the own microphone, whether the others can be heard,
// who speaks, how loud each one is. Pure, as `state.js` is.

/** @typedef {import('../platform/types').MemberId} MemberId */
/** @typedef {import('../platform/types').MicState} MicState */
/** @typedef {import('../platform/types').SoundState} SoundState */
/** @typedef {import('../platform/types').Level} Level */
/** @typedef {import('../platform/types').CallEvent} CallEvent */
/** @typedef {Extract<CallEvent, { type: 'device' }>['device']} Device */
/** @typedef {import('../generated').Member} Member */

/**
 * `speaker`: who the relay says speaks. `own` and `levels`: how loud. `volumes`: how loud somebody
 * is to be here, 1 unless changed. `told`: when it was last said that one speaks while muted. `devices`:
 * what sound comes from and goes to, `null` before that is known and empty once it was lost.
 * @typedef {{
 *   microphone: MicState,
 *   hearing: SoundState,
 *   speaker: MemberId | null,
 *   own: Level,
 *   levels: Readonly<Record<MemberId, Level>>,
 *   volumes: Readonly<Record<MemberId, number>>,
 *   told: number | null,
 *   devices: Readonly<Record<Device, string | null>>,
 * }} Sound
 */

/** @type {Level} */
export const SILENCE = -127;
/** Who speaks while muted is told, and not told again within this many ms: nurses mute to talk to the patient. */
export const TELL_AGAIN_MS = 30_000;
/**
 * What a meter shows, in dBov: its lowest step is a quiet room's noise, and its highest is speech
 * close to the microphone (ITU-T P.56's active level of −26, and its peaks).
 */
const METER = { lowest: -60, highest: -15 };
/** From this level on, in dBov, a microphone that is tried out hears somebody and not the room. */
const VOICE = -45;

/** @returns {Sound} */
export function silent() {
  return { microphone: 'off', hearing: 'on', speaker: null, own: SILENCE, levels: {}, volumes: {}, told: null, devices: { microphone: null, speaker: null } };
}

/** Whether others could hear the member now. @param {Member} member */
export function hasMicrophone(member) {
  return member.tracks.some((track) => track.source === 'microphone');
}

/** Whether what is said here is sent, or is about to be. @param {MicState} microphone */
export function isOpen(microphone) {
  return microphone === 'on' || microphone === 'starting';
}

/** How much of a meter a level fills, from 0 to 1. @param {Level} level */
export function loudness(level) {
  return Math.min(1, Math.max(0, (level - METER.lowest) / (METER.highest - METER.lowest)));
}

/** Whether somebody speaks into a microphone that is tried out. @param {Level} level */
export function isVoice(level) {
  return level >= VOICE;
}

/**
 * Who of the others speaks. Who is gone, or muted since, doesn't.
 * @param {{ sound: Sound, members: Readonly<Record<MemberId, Member>>, you: MemberId | null }} state
 * @returns {MemberId | null}
 */
export function speakerOf({ sound, members, you }) {
  const member = sound.speaker === null || sound.speaker === you ? undefined : members[sound.speaker];
  return member && member.connection === 'connected' && hasMicrophone(member) ? member.id : null;
}

/**
 * @param {Sound} sound @param {MicState} microphone
 * @returns {Sound}
 */
export function microphone(sound, microphone) {
  return {
    ...sound,
    microphone,
    own: microphone === 'on' ? sound.own : SILENCE,
    told: microphone === 'muted' ? sound.told : null,
    devices: microphone === 'lost' ? lost(sound.devices, 'microphone') : sound.devices,
  };
}

/**
 * @param {Sound} sound @param {SoundState} hearing
 * @returns {Sound}
 */
export function hearing(sound, hearing) {
  const away = hearing === 'missing' || hearing === 'interrupted';
  return { ...sound, hearing, devices: away ? lost(sound.devices, 'speaker') : sound.devices };
}

/** The one that was in use is gone, or may be; the next one is told of. @param {Sound['devices']} devices @param {Device} device */
function lost(devices, device) {
  return devices[device] === null ? devices : { ...devices, [device]: '' };
}

/**
 * Sound comes from, or goes to, this device. One without a name is none that could be told of.
 * @param {Sound} sound @param {Extract<CallEvent, { type: 'device' }>} event
 * @returns {{ sound: Sound, changed: boolean }} `changed`: it is another one, or back
 */
export function device(sound, { device, name }) {
  const before = sound.devices[device];
  if (!name || name === before) return { sound, changed: false };
  return { sound: { ...sound, devices: { ...sound.devices, [device]: name } }, changed: before !== null };
}

/**
 * @param {Sound} sound @param {Extract<CallEvent, { type: 'levels' }>} event
 * @returns {Sound}
 */
export function levels(sound, event) {
  return { ...sound, own: sound.microphone === 'on' ? event.own : SILENCE, levels: event.members };
}

/**
 * Whether it is to be said now that one speaks while muted.
 * @param {Sound} sound @param {Extract<CallEvent, { type: 'levels' }>} event @param {number} now
 */
export function tells(sound, event, now) {
  return event.talkingMuted && sound.microphone === 'muted' && (sound.told === null || now - sound.told >= TELL_AGAIN_MS);
}

/**
 * A member is gone, and all that was known of its sound.
 * @param {Sound} sound @param {MemberId} member
 * @returns {Sound}
 */
export function gone(sound, member) {
  const { [member]: _level, ...others } = sound.levels;
  const { [member]: _volume, ...volumes } = sound.volumes;
  return { ...sound, speaker: sound.speaker === member ? null : sound.speaker, levels: others, volumes };
}
