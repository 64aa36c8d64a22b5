// Whether the other side of a connection is still there, judged by when it was heard last: the same
// rules as `protocol/src/pulse.rs`. Who was silent for the first limit is quiet: shown as
// reconnecting, while the connection stays, so that the next word brings it back at once. Only the
// second limit ends the connection.

/** Signs of life in a heartbeat. */
export const SIGNS = 3;
/** Heartbeats of silence, with the slack, that end a connection. */
const MISSED = 3;
/** Milliseconds added to each limit, for one slow turn of a busy machine. */
const SLACK = 1000;

/** @typedef {'quiet' | 'back' | 'broken'} Turn */

/** How one connection's other side is. Times in milliseconds. */
export class Pulse {
  /** @param {number} heartbeat */
  constructor(heartbeat) {
    /** How often a side says something at least. */
    this.every = heartbeat / SIGNS;
    this.quietAfter = heartbeat + SLACK;
    this.brokenAfter = MISSED * heartbeat + SLACK;
    this.quiet = false;
  }

  /**
   * Looks at how things are; answers what changed, if anything did.
   * @param {number} now
   * @param {number} heard  when something was heard last
   * @returns {Turn | null}
   */
  turn(now, heard) {
    const silent = now - heard;
    if (silent >= this.brokenAfter) return 'broken';
    const quiet = silent >= this.quietAfter;
    if (quiet === this.quiet) return null;
    this.quiet = quiet;
    return quiet ? 'quiet' : 'back';
  }
}
