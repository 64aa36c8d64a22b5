// The gallery's scenes of the panel that says over what a call travels.

/** @typedef {import('./platform/types').CallEvent} CallEvent */
/** @typedef {import('./gallery-states.js').Scene} Scene */

/**
 * @param {{
 *   staff: Scene & { steps: string[] }, relative: Scene & { steps: string[] }, app: Scene, lobby: import('./platform/types').LobbyState,
 *   inCall: (others: import('./generated').Member[], more?: CallEvent[], room?: string) => CallEvent[], family: import('./generated').Member[],
 * }} parts
 * @returns {Record<string, Scene>}
 */
export function connectionStates({ staff, relative, app, lobby, inCall, family }) {
  const open = ['menu-toggle', 'menu-connection', 'later=0'];
  const steps = [...staff.steps, ...open];
  /** @param {Partial<Extract<CallEvent, { type: 'way' }>>} way @param {...CallEvent} more */
  const over = (way, ...more) => inCall(family.slice(0, 2), [{ type: 'way', control: 'websocket', step: 'frames', why: 'trying', ...way }, ...more]);
  /** @type {CallEvent} */
  const down = { type: 'relay', message: { type: 'line', carries: 'sound' } };
  return {
    'connection-fast': { ...staff, call: over({ control: 'webrtc', step: 'webrtc', why: 'none' }), steps },
    'connection-trying': { ...staff, call: over({}), measured: { down: null, up: null, gets: [], sends: [] }, steps },
    'connection-silent': { ...staff, call: over({ why: 'silent' }), line: {}, steps: ['line-test', 'later=0', ...steps] },
    'connection-photos': { ...staff, call: over({ step: 'jpeg', why: 'missing' }), measured: { gets: ['jpeg', 'opus'], sends: ['jpeg', 'opus'] }, steps },
    'connection-requests': { ...staff, call: over({ control: 'https', step: 'none', why: 'refused' }), measured: { roundTrip: 640, gets: [], sends: [] }, steps },
    'connection-weak': { ...staff, call: over({ step: 'webrtc', why: 'none' }, down), measured: { roundTrip: 1210, down: 41, up: 38, gets: ['opus'], sends: ['vp8', 'opus'] }, steps },
    'connection-broken': { ...staff, call: over({}, { type: 'connection', state: 'reconnecting' }), measured: { roundTrip: null, down: null, up: null, gets: [], sends: [] }, steps },
    'connection-app': { ...app, lobby, call: over({ why: 'missing' }), steps: ['host-use', ...steps] },
    'connection-family': { ...relative, call: over({ why: 'lost' }), steps: [...relative.steps, ...open] },
  };
}
