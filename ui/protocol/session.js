// Numbering, acknowledging and resuming of control messages, the same rules as
// `protocol/src/session.rs`: each side numbers its messages from 1 without gaps, keeps them until
// the other has them, and sends them again after a resume.

/** The most messages kept for a peer that doesn't acknowledge. */
export const MAX_UNACKED = 1024;

/** @typedef {'gap' | 'ack_ahead' | 'forgotten' | 'overflow'} Problem */

/** The other side broke the rules of numbering, or never acknowledges. */
export class SessionError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(`session: ${problem}`);
    /** @type {Problem} */
    this.problem = problem;
  }
}

/**
 * One side of a session.
 * @template M  a message's body
 */
export class Session {
  constructor() {
    /** @type {{ n: number, body: M }[]} */
    this._unacked = [];
    this._sent = 0;
    this._acked = 0;
    /** The last number received in order from the other side, 0 for none. */
    this.received = 0;
  }

  /** How many messages wait for an acknowledgement. */
  get unacknowledged() {
    return this._unacked.length;
  }

  /**
   * Numbers a message and keeps it until it is acknowledged.
   * Throws a `SessionError` ('overflow') when too many wait already.
   * @param {M} body
   * @returns {number} its number
   */
  send(body) {
    if (this._unacked.length >= MAX_UNACKED) throw new SessionError('overflow');
    this._sent += 1;
    this._unacked.push({ n: this._sent, body });
    return this._sent;
  }

  /**
   * Takes the number and acknowledgement of a message from the other side. A duplicate, which a
   * resume can bring, isn't to be handled again. Throws a `SessionError`.
   * @param {number} n
   * @param {number} ack
   * @returns {'new' | 'duplicate'}
   */
  accept(n, ack) {
    this.acked(ack);
    if (n < 1 || n > this.received + 1) throw new SessionError('gap');
    if (n <= this.received) return 'duplicate';
    this.received = n;
    return 'new';
  }

  /**
   * The other side has everything up to `ack`. Throws a `SessionError` if that was never sent.
   * @param {number} ack
   */
  acked(ack) {
    if (ack > this._sent) throw new SessionError('ack_ahead');
    if (ack <= this._acked) return;
    this._acked = ack;
    const kept = this._unacked.findIndex(({ n }) => n > ack);
    this._unacked.splice(0, kept === -1 ? this._unacked.length : kept);
  }

  /**
   * After a resume: what the other side, which has everything up to `peerReceived`, must be sent
   * again, in order. Throws a `SessionError`.
   * @param {number} peerReceived
   * @returns {readonly { n: number, body: M }[]}
   */
  resume(peerReceived) {
    if (peerReceived < this._acked) throw new SessionError('forgotten');
    this.acked(peerReceived);
    return this._unacked.slice();
  }
}
