// The gallery's scenes of how the people of a call are shown: one large with a strip, and who is pinned.

/** @typedef {import('./platform/types').CallEvent} CallEvent */
/** @typedef {import('./generated').Member} Member */
/** @typedef {import('./gallery-states.js').Scene} Scene */

/** @type {import('./generated').Track} */
const microphone = { id: 9, source: 'microphone', codec: 'opus', layers: [] };
const speaker = ['menu-toggle', 'layout-fold', 'layout-speaker', 'menu-close'];

/**
 * @param {{
 *   staff: Scene & { steps: string[] }, patient: Scene, inCall: (others: Member[], more?: CallEvent[], room?: string) => CallEvent[],
 *   member: (id: number, name: string, more?: Partial<Member>) => Member, family: Member[], dozen: Member[], longName: string,
 * }} parts
 * @returns {Record<string, Scene>}
 */
export function layoutStates({ staff, patient, inCall, member, family, dozen, longName }) {
  /** @param {number} id @returns {CallEvent} */
  const speaks = (id) => ({ type: 'relay', message: { type: 'speaker', member: id } });
  // Each in a state of its own: speaking, without a picture, away, with a long name, with sound alone.
  const mixed = [
    member(1, longName), member(2, 'Ana, hermana', { tracks: [microphone] }), member(3, 'مريم الحسن'), member(4, 'Luis, hijo'),
    member(5, 'Marco, esposo', { line: 'sound' }), member(6, 'Elena, nieta'),
  ];
  /** @type {CallEvent[]} */
  const happens = [
    { type: 'relay', message: { type: 'member_changed', member: { ...mixed[3], connection: 'reconnecting' } } },
    { type: 'picture', member: 6, state: 'stalled', width: 640, height: 360 },
    { type: 'picture', member: 5, state: 'stalled', width: 640, height: 360 },
    speaks(1),
  ];
  /** @type {CallEvent} */
  const lost = { type: 'relay', message: { type: 'member_changed', member: { ...family[0], connection: 'reconnecting' } } };
  return {
    'layout-speaker-2': { ...staff, call: inCall(family.slice(0, 2), [speaks(1)]), steps: [...staff.steps, ...speaker] },
    'layout-speaker-4': { ...staff, call: inCall(family, [speaks(1)]), steps: [...staff.steps, ...speaker] },
    'layout-speaker-9': { ...staff, call: inCall(dozen.slice(0, 9)), steps: [...staff.steps, ...speaker] },
    'layout-speaker-12': { ...staff, call: inCall(dozen, [speaks(1)]), steps: [...staff.steps, ...speaker] },
    'layout-speaker-states': { ...staff, call: inCall(mixed, happens), steps: [...staff.steps, ...speaker] },
    'layout-speaker-lost': { ...staff, call: inCall(family.slice(0, 3), [lost]), steps: [...staff.steps, ...speaker] },
    'layout-menu': { ...staff, call: inCall(family), steps: [...staff.steps, 'menu-toggle', 'layout-fold'] },
    'layout-pinned': { ...staff, call: inCall(family), steps: [...staff.steps, 'people-toggle', 'pin', 'people-close'] },
    'layout-pinned-people': { ...staff, call: inCall(family.slice(0, 3)), steps: [...staff.steps, 'people-toggle', 'pin', 'later=7000'] },
    'layout-patient-3': { ...patient, call: inCall(family.slice(1, 4), [], 'Familia Ortega') },
    'layout-patient-6': { ...patient, call: inCall(dozen.slice(0, 6), [], 'Familia Ortega') },
  };
}

/**
 * The test of the line, on the first screens of relatives and staff.
 * @param {Scene} staff the list of conversations
 * @returns {Record<string, Scene>}
 */
export function lineStates(staff) {
  const steps = ['line-test'];
  const family = { path: '/Familiar/', steps };
  return {
    'line-testing': { ...family, line: 'testing' },
    'line-several': { ...family, line: {} },
    'line-one': { ...staff, steps, line: { latency: 140, down: 940, up: 420 } },
    'line-sound': { ...family, line: { down: 140, up: 90 } },
    'line-none': { ...family, line: { down: 20, up: 10 } },
    'line-limited': { ...staff, steps, line: 'limited' },
    'line-unreachable': { ...family, line: 'unreachable' },
  };
}
