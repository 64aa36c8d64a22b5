// A camera or a microphone: asked for, watched, and given back. Every way in which it can fail has a
// state of its own, since the page says something different about each.

/** @typedef {'off' | 'starting' | 'on' | 'denied' | 'missing' | 'busy' | 'lost' | 'insecure' | 'failed'} InputState */

/** The first wait, in milliseconds, before a device that another program holds is tried again. */
const BUSY_FIRST = 1000;
/** The longest of these waits: a person who closed the other program looks for what it brings. */
const BUSY_MOST = 8000;

/**
 * How long to wait before trying again what failed for the n-th time in a row; `null`: until
 * something is plugged in or somebody asks.
 * @param {InputState} state
 * @param {number} failures
 */
export function patience(state, failures) {
  return state === 'busy' ? Math.min(BUSY_FIRST * 2 ** (failures - 1), BUSY_MOST) : null;
}

/**
 * Which device to take.
 * @typedef {{ wish(): string | null, has(id: string): boolean }} Choice
 */

/** @type {Choice} */
const ANY = { wish: () => null, has: () => true };

/**
 * @typedef {object} Events
 * @property {(state: InputState) => void} state
 * @property {(track: MediaStreamTrack | null) => void} track  the device's track, `null` when it is gone
 */

export class Input {
  /**
   * @param {(id: string | null) => Promise<MediaStream>} open  opens the device meant; without one the
   *   browser chooses
   * @param {Events} events
   * @param {Choice} [choice]
   */
  constructor(open, events, choice = ANY) {
    this._get = open;
    this._events = events;
    this._choice = choice;
    /** @type {InputState} */
    this._state = 'off';
    this._wanted = false;
    /** Counts openings, so that one that was overtaken lets its device go. */
    this._opening = 0;
    /** @type {MediaStreamTrack | null} */
    this._track = null;
    /** The device that was last seen to work. @type {string | null} */
    this._last = null;
    this._failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._trying = undefined;
  }

  /** @returns {InputState} */
  get state() {
    return this._state;
  }

  /** Opens the device; settles when it is open or has failed. Never throws. */
  async on() {
    if (this._wanted && (this._track || this._state === 'starting')) return;
    this._wanted = true;
    this._failures = 0;
    await this._open();
  }

  /** Gives the device back. */
  off() {
    this._wanted = false;
    this._opening += 1;
    this._last = null;
    clearTimeout(this._trying);
    this._release();
    this._enter('off');
  }

  /** Another device was chosen, or it is to be opened in another way. */
  change() {
    this._last = null;
    this._failures = 0;
    if (this._wanted) this._open();
  }

  /** A device was plugged in or out: one that is wanted and isn't there may be now. */
  plugged() {
    if (!this._wanted || !['lost', 'missing', 'busy', 'failed'].includes(this._state)) return;
    // Another device than the one that was lost shows or tells what nobody meant it to.
    if (this._state === 'lost' && this._last && !this._choice.has(this._last)) return;
    this._open();
  }

  /** @param {boolean} [quietly]  what is said of the device stays until it is open */
  async _open(quietly = false) {
    const opening = ++this._opening;
    clearTimeout(this._trying);
    this._release();
    if (!available()) return this._enter('insecure');
    if (!quietly) this._enter('starting');
    /** @type {MediaStream} */
    let stream;
    try {
      stream = await this._stream();
    } catch (error) {
      if (opening === this._opening) this._fail(stateOf(error));
      return undefined;
    }
    const [track] = stream.getTracks();
    if (opening !== this._opening || !track) {
      stream.getTracks().forEach((one) => one.stop());
      if (opening === this._opening) this._fail('failed');
      return undefined;
    }
    this._track = track;
    this._last = track.getSettings().deviceId ?? null;
    this._failures = 0;
    track.onended = () => {
      if (this._track !== track) return;
      this._release();
      this._enter('lost');
      this._lost();
    };
    this._opened(track);
    this._events.track(track);
    return undefined;
  }

  /** @param {MediaStreamTrack} _track */
  _opened(_track) {
    this._enter('on');
  }

  /** The device is gone. */
  _lost() {}

  /** The same device again; else the chosen one; else whichever the browser gives. */
  async _stream() {
    if (this._last) return this._get(this._last);
    const wish = this._choice.wish();
    if (!wish) return this._get(null);
    try {
      return await this._get(wish);
    } catch (error) {
      if (stateOf(error) !== 'missing') throw error;
      return this._get(null);
    }
  }

  /** @param {InputState} state */
  _fail(state) {
    this._failures += 1;
    this._enter(state);
    const wait = patience(state, this._failures);
    if (wait !== null) this._trying = setTimeout(() => this._open(true), wait);
  }

  _release() {
    const track = this._track;
    if (!track) return;
    this._track = null;
    track.onended = track.onmute = track.onunmute = null;
    track.stop();
    this._events.track(null);
  }

  /** @param {InputState} state */
  _enter(state) {
    if (state === this._state) return;
    this._state = state;
    this._events.state(state);
  }
}

/** Without a secure context browsers hide cameras and microphones altogether. */
export function available() {
  return window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);
}

/** @param {unknown} error */
export const nameOf = (error) => (error instanceof Error || error instanceof DOMException ? error.name : '');

/**
 * What the page says about a failed `getUserMedia`.
 * @param {unknown} error
 * @returns {InputState}
 */
export function stateOf(error) {
  switch (nameOf(error)) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
      return 'denied';
    case 'SecurityError':
      return 'insecure';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}

/**
 * Whether a device of the kind could be opened, before anybody is asked.
 * @param {'camera' | 'microphone'} kind
 * @returns {Promise<{ state: InputState, asks: boolean }>}
 */
export async function possible(kind) {
  if (!available()) return { state: 'insecure', asks: false };
  let asks = true;
  try {
    const permission = await navigator.permissions.query({ name: /** @type {PermissionName} */ (kind) });
    if (permission.state === 'denied') return { state: 'denied', asks: false };
    asks = permission.state !== 'granted';
  } catch {
    // Firefox and Safari don't tell; asking will.
  }
  const wanted = kind === 'camera' ? 'videoinput' : 'audioinput';
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    if (!devices.some((device) => device.kind === wanted)) return { state: 'missing', asks };
  } catch {
    return { state: 'failed', asks };
  }
  return { state: 'off', asks };
}
