// What the line carries now, as part of a call's state: whether pictures come, and whether the own
// one is sent. Pure, as `state.js` is.

/** @typedef {import('../generated').Carries} Carries */

/** `down`: of what the others send; `up`: of what is sent from here. @typedef {{ down: Carries, up: Carries }} Line */

/** @returns {Line} */
export function whole() {
  return { down: 'pictures', up: 'pictures' };
}

/** Whether nobody's picture is seen: the person wants none, or the line carries none. @param {{ audioOnly: boolean, line: Line }} state */
export function soundOnly({ audioOnly, line }) {
  return audioOnly || line.down === 'sound';
}

/**
 * What is to be said of the line: that it carries no pictures to here, none from here, or neither.
 * What the person wants so, or what nobody could send, isn't missing.
 * @param {Pick<import('./state.js').State, 'connection' | 'audioOnly' | 'line' | 'camera' | 'order' | 'members'>} state
 * @returns {keyof Line | 'both' | null}
 */
export function missing({ connection, audioOnly, line, camera, order, members }) {
  if (connection !== 'connected') return null;
  const seen = order.some((id) => members[id].tracks.some((track) => track.source === 'camera'));
  const down = line.down === 'sound' && !audioOnly && seen;
  const up = line.up === 'sound' && camera === 'on';
  if (down) return up ? 'both' : 'down';
  return up ? 'up' : null;
}
