// The camera: asked for, watched, and given back. Every way in which it can fail has a state of
// its own, since the page says something different about each.

/** @typedef {import('../types').CameraState} CameraState */

/** What is asked for. Ideals only: a camera that can't do this is better than none. */
const WANTED = {
  width: { ideal: 640 },
  height: { ideal: 360 },
  frameRate: { ideal: 30 },
  facingMode: { ideal: 'user' },
};

/** The first wait, in milliseconds, before a camera that another program holds is tried again. */
const BUSY_FIRST = 1000;
/** The longest of these waits: a person who closed the other program looks for the picture. */
const BUSY_MOST = 8000;

/**
 * How long to wait before trying again what failed for the n-th time in a row; `null`: until
 * something is plugged in or somebody asks.
 * @param {CameraState} state
 * @param {number} failures
 */
export function patience(state, failures) {
  return state === 'busy' ? Math.min(BUSY_FIRST * 2 ** (failures - 1), BUSY_MOST) : null;
}

/**
 * Which camera to take.
 * @typedef {{ wish(): string | null, has(id: string): boolean }} Choice
 */

/** @type {Choice} */
const ANY = { wish: () => null, has: () => true };

export class Camera {
  /**
   * @param {object} events
   * @param {(state: CameraState) => void} events.state
   * @param {(track: MediaStreamTrack | null) => void} events.track  the camera's track, `null` when it is gone
   * @param {Choice} [choice]
   */
  constructor(events, choice = ANY) {
    this._events = events;
    this._choice = choice;
    /** @type {CameraState} */
    this._state = 'off';
    this._wanted = false;
    /** Counts openings, so that one that was overtaken lets its camera go. */
    this._opening = 0;
    /** @type {MediaStreamTrack | null} */
    this._track = null;
    /** The camera whose pictures were last seen. @type {string | null} */
    this._last = null;
    this._failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._trying = undefined;
  }

  /** @returns {CameraState} */
  get state() {
    return this._state;
  }

  /** Opens the camera; settles when it is open or has failed. Never throws. */
  async on() {
    if (this._wanted && (this._track || this._state === 'starting')) return;
    this._wanted = true;
    this._failures = 0;
    await this._open();
  }

  /** Gives the camera back. */
  off() {
    this._wanted = false;
    this._opening += 1;
    this._last = null;
    clearTimeout(this._trying);
    this._release();
    this._enter('off');
  }

  /** Another camera was chosen. */
  change() {
    this._last = null;
    this._failures = 0;
    if (this._wanted) this._open();
  }

  /** A camera was plugged in or out: one that is wanted and isn't there may be now. */
  plugged() {
    if (!this._wanted || !['lost', 'missing', 'busy', 'failed'].includes(this._state)) return;
    // Another camera than the one that was lost shows what nobody meant to show.
    if (this._state === 'lost' && this._last && !this._choice.has(this._last)) return;
    this._open();
  }

  /** @param {boolean} [quietly]  what is said of the camera stays until it is open */
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
    const [track] = stream.getVideoTracks();
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
    };
    this._enter('on');
    this._events.track(track);
    return undefined;
  }

  /** The same camera again; else the chosen one; else whichever the browser gives. */
  async _stream() {
    if (this._last) return open(this._last);
    const wish = this._choice.wish();
    if (!wish) return open(null);
    try {
      return await open(wish);
    } catch (error) {
      if (stateOf(error) !== 'missing') throw error;
      return open(null);
    }
  }

  /** @param {CameraState} state */
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
    track.onended = null;
    track.stop();
    this._events.track(null);
  }

  /** @param {CameraState} state */
  _enter(state) {
    if (state === this._state) return;
    this._state = state;
    this._events.state(state);
  }
}

/**
 * Whether there could be a picture, before anybody is asked for one.
 * @returns {Promise<{ camera: CameraState, asks: boolean }>}
 */
export async function capability() {
  if (!available()) return { camera: 'insecure', asks: false };
  let asks = true;
  try {
    const permission = await navigator.permissions.query({ name: /** @type {PermissionName} */ ('camera') });
    if (permission.state === 'denied') return { camera: 'denied', asks: false };
    asks = permission.state !== 'granted';
  } catch {
    // Firefox and Safari don't tell; asking will.
  }
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    if (!devices.some(({ kind }) => kind === 'videoinput')) return { camera: 'missing', asks };
  } catch {
    return { camera: 'failed', asks };
  }
  return { camera: 'off', asks };
}

/** Without a secure context browsers hide the camera altogether. */
export function available() {
  return window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);
}

/** @param {string | null} id  the camera meant; without one the browser chooses */
async function open(id) {
  const video = id ? { ...WANTED, facingMode: undefined, deviceId: { exact: id } } : WANTED;
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    // With a camera named it is that one that isn't there; otherwise the ideals were too much.
    if (id || nameOf(error) !== 'OverconstrainedError') throw error;
    return navigator.mediaDevices.getUserMedia({ video: true, audio: false });
  }
}

/** @param {unknown} error */
const nameOf = (error) => (error instanceof Error || error instanceof DOMException ? error.name : '');

/**
 * What the page says about a failed `getUserMedia`.
 * @param {unknown} error
 * @returns {CameraState}
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
