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

/** Milliseconds for a change of devices to settle: a plug makes several events. */
const SETTLE = 300;

export class Camera {
  /**
   * @param {object} events
   * @param {(state: CameraState) => void} events.state
   * @param {(track: MediaStreamTrack | null) => void} events.track  the camera's track, `null` when it is gone
   */
  constructor(events) {
    this._events = events;
    /** @type {CameraState} */
    this._state = 'off';
    this._wanted = false;
    /** Counts openings, so that one that was overtaken lets its camera go. */
    this._opening = 0;
    /** @type {MediaStreamTrack | null} */
    this._track = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._settling = undefined;
    this._devicesChanged = () => {
      clearTimeout(this._settling);
      this._settling = setTimeout(() => this._retry(), SETTLE);
    };
  }

  /** @returns {CameraState} */
  get state() {
    return this._state;
  }

  /** Opens the camera; settles when it is open or has failed. Never throws. */
  async on() {
    if (this._wanted && (this._track || this._state === 'starting')) return;
    if (!this._wanted) navigator.mediaDevices?.addEventListener?.('devicechange', this._devicesChanged);
    this._wanted = true;
    await this._open();
  }

  /** Gives the camera back. */
  off() {
    this._wanted = false;
    this._opening += 1;
    clearTimeout(this._settling);
    navigator.mediaDevices?.removeEventListener?.('devicechange', this._devicesChanged);
    this._release();
    this._enter('off');
  }

  async _open() {
    const opening = ++this._opening;
    this._release();
    if (!available()) return this._enter('insecure');
    this._enter('starting');
    /** @type {MediaStream} */
    let stream;
    try {
      stream = await open();
    } catch (error) {
      if (opening === this._opening) this._enter(stateOf(error));
      return undefined;
    }
    const [track] = stream.getVideoTracks();
    if (opening !== this._opening || !track) {
      stream.getTracks().forEach((one) => one.stop());
      if (opening === this._opening) this._enter('failed');
      return undefined;
    }
    this._track = track;
    track.onended = () => {
      if (this._track !== track) return;
      this._release();
      this._enter('lost');
    };
    this._enter('on');
    this._events.track(track);
    return undefined;
  }

  /** A camera was plugged in or out: one that is wanted and isn't there may be now. */
  _retry() {
    if (this._wanted && ['lost', 'missing', 'busy', 'failed'].includes(this._state)) this._open();
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
 * @returns {Promise<CameraState>}
 */
export async function capability() {
  if (!available()) return 'insecure';
  try {
    const permission = await navigator.permissions.query({ name: /** @type {PermissionName} */ ('camera') });
    if (permission.state === 'denied') return 'denied';
  } catch {
    // Firefox and Safari don't tell; asking will.
  }
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    if (!devices.some(({ kind }) => kind === 'videoinput')) return 'missing';
  } catch {
    return 'failed';
  }
  return 'off';
}

/** Without a secure context browsers hide the camera altogether. */
function available() {
  return window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);
}

async function open() {
  try {
    return await navigator.mediaDevices.getUserMedia({ video: WANTED, audio: false });
  } catch (error) {
    if (nameOf(error) !== 'OverconstrainedError') throw error;
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
