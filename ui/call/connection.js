// Over what a call travels, in words: which text says what. Pure; the view puts them on the screen.

/** @typedef {Exclude<import('../generated').Step, 'unknown'>} Step */
/** @typedef {Exclude<import('../generated').Why, 'unknown'>} Why */
/** @typedef {import('../platform/types').Control} Control */
/** @typedef {{ control: Control, step: Step, why: Why }} Way */

/** How things are as a whole, by which the panel's mark is chosen. @typedef {'good' | 'slow' | 'none' | 'waits'} Mood */

/** For each step: how good it is, its title, what follows from it, and its name among those who keep networks. @type {Readonly<Record<Step, { mood: Mood, title: string, text: string, tech: string }>>} */
export const STEPS = {
  webrtc: { mood: 'good', title: 'way-webrtc', text: 'way-webrtc-text', tech: 'way-tech-webrtc' },
  frames: { mood: 'good', title: 'way-frames', text: 'way-frames-text', tech: 'way-tech-frames' },
  jpeg: { mood: 'slow', title: 'way-jpeg', text: 'way-jpeg-text', tech: 'way-tech-jpeg' },
  none: { mood: 'none', title: 'way-none', text: 'way-none-text', tech: 'way-tech-none' },
};

/** Why it isn't the fast way; null: it is. @type {Readonly<Record<Why, string | null>>} */
export const WHYS = {
  none: null,
  trying: 'way-why-trying',
  missing: 'way-why-missing',
  off: 'way-why-off',
  refused: 'way-why-refused',
  silent: 'way-why-silent',
  lost: 'way-why-lost',
};

/** What the app says instead. @type {Readonly<Partial<Record<Why, string>>>} */
export const WHYS_IN_APP = { missing: 'way-why-missing-app' };

/** How control travels, and its name among those who keep networks. @type {Readonly<Record<Control, { text: string, tech: string }>>} */
export const CONTROLS = {
  websocket: { text: 'way-websocket', tech: 'way-tech-websocket' },
  https: { text: 'way-https', tech: 'way-tech-https' },
  webrtc: { text: 'way-channel', tech: 'way-tech-channel' },
};

/** How long an answer takes, in ms and in words; ITU-T G.114 has 150 and 400, beyond a second people give up. @type {readonly (readonly [most: number, text: string])[]} */
export const ANSWERS = [
  [150, 'way-answers-fast'], [400, 'way-answers-good'], [1000, 'way-answers-slow'], [Infinity, 'way-answers-late'],
];

/** What the line carries to here and from here. */
export const LINES = { both: 'way-line-both', down: 'way-line-down', up: 'way-line-up', sound: 'way-line-sound' };

/**
 * @param {Pick<import('./state.js').State, 'connection' | 'way' | 'line'>} state
 * @param {{ inApp: boolean }} options
 * @returns {{ mood: Mood, title: string, text: string, why: string | null, control: string | null, line: string | null, tech: string[], reason: Why | null }}
 */
export function connectionWords({ connection, way, line }, { inApp }) {
  if (connection === 'reconnecting' || !way) {
    const [title, text] = way ? ['way-broken', 'way-broken-text'] : ['way-unknown', 'way-unknown-text'];
    return { mood: 'waits', title, text, why: null, control: null, line: null, tech: [], reason: null };
  }
  const { mood, title, text, tech } = STEPS[way.step];
  const control = CONTROLS[way.control];
  const missing = line.down === 'sound' ? (line.up === 'sound' ? 'sound' : 'down') : line.up === 'sound' ? 'up' : 'both';
  return {
    mood: mood === 'good' && missing !== 'both' ? 'slow' : mood,
    title, text,
    why: (inApp ? WHYS_IN_APP[way.why] : null) ?? WHYS[way.why],
    control: control.text,
    line: way.step === 'none' ? null : LINES[missing],
    tech: [tech, control.tech],
    reason: way.why === 'none' ? null : way.why,
  };
}

/** How long an answer takes, in words. @param {number} roundTrip in ms */
export function answersIn(roundTrip) {
  return (ANSWERS.find(([most]) => roundTrip < most) ?? ANSWERS[ANSWERS.length - 1])[1];
}
