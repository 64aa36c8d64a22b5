// The share of packets that get lost, as `protocol/src/losses.rs` counts it, where the reasons of
// the constants stand. Pure.

/** Packets are judged by so many. */
const SLOT = 50;
/** So many of the last slots show how it is now, and so many how it was. */
const RECENT = 3;
const SLOTS = 10;

/** Over the last packets: it rises fast and falls slowly. */
export class Window {
  constructor() {
    /** How many were sent and how many of them lost; the last one isn't full yet. @type {{ sent: number, lost: number }[]} */
    this._slots = [{ sent: 0, lost: 0 }];
  }

  /**
   * So many more were sent, of which so many got lost.
   * @param {number} sent
   * @param {number} lost
   */
  add(sent, lost) {
    const slot = this._slots[this._slots.length - 1];
    slot.sent += sent;
    slot.lost += Math.min(sent, lost);
    if (slot.sent < SLOT) return;
    if (this._slots.length > SLOTS) this._slots.shift();
    this._slots.push({ sent: 0, lost: 0 });
  }

  /** How many of a thousand get lost; none while too little was sent to say. */
  get permille() {
    const full = this._slots.slice(0, -1);
    if (full.length < RECENT) return 0;
    return Math.max(share(full.slice(-RECENT)), share(full));
  }
}

/** @param {readonly { sent: number, lost: number }[]} slots */
function share(slots) {
  let sent = 0;
  let lost = 0;
  for (const slot of slots) {
    sent += slot.sent;
    lost += slot.lost;
  }
  return Math.floor((lost * 1000) / Math.max(1, sent));
}
