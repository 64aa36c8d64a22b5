// Six digits for the room: asked over control, and the answer waited for.

/** @typedef {import('./types').CallEvent} CallEvent */
/** @typedef {import('./types').RoomCode} RoomCode */

/** Milliseconds for the relay to answer; over a broken connection it can't. */
const PATIENCE = 10_000;
/** What is the answer of a relay that gives no code, where its number isn't known. @type {readonly string[]} */
const REFUSALS = ['busy', 'not_joined', 'unknown_message'];

/**
 * Rejects with a code.
 * @param {(on: (event: CallEvent) => void) => () => void} subscribe  a call's
 * @param {() => number | null | void} ask  says it; answers its number, null if it can't be said
 * @returns {Promise<RoomCode>}
 */
export function roomCode(subscribe, ask) {
  return new Promise((resolve, reject) => {
    /** What happened before, which a late subscriber is told, answers nothing. */
    let past = true;
    /** @type {{ number?: number | null | void }} */
    const asked = {};
    const over = () => {
      clearTimeout(timer);
      stop();
    };
    const timer = setTimeout(() => {
      stop();
      reject('timeout');
    }, PATIENCE);
    const stop = subscribe((event) => {
      if (past || event.type !== 'relay') return;
      const { message } = event;
      if (message.type === 'code') {
        over();
        resolve({ code: message.code, valid_s: message.valid_s });
      } else if (message.type === 'error' && (asked.number === undefined ? REFUSALS.includes(message.code) : message.reply_to === asked.number)) {
        over();
        reject(message.code);
      }
    });
    past = false;
    asked.number = ask();
    if (asked.number === null) {
      over();
      reject('timeout');
    }
  });
}
