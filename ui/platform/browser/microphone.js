// The microphone of a browser, with the browser's own echo cancelling.

import { Input } from './input.js';

/**
 * The browser's processing, switched off by hand for a headset, which echoes nothing and needs no
 * helping; tests that measure tones switch it off in the same way.
 * @param {boolean} on
 */
const wanted = (on) => ({
  echoCancellation: on, noiseSuppression: on, autoGainControl: on, channelCount: { ideal: 1 }, sampleRate: { ideal: 48_000 },
});

/**
 * The system's own choice, where a browser has a name for it (Chromium). A track of it stays with the
 * device that was the default when it was opened; its label says which.
 */
export const DEFAULT = 'default';

export class Microphone extends Input {
  /**
   * @param {import('./input.js').Events} events
   * @param {import('./input.js').Choice & { processes(): boolean, nameOf(id: string): string }} choice
   */
  constructor(events, choice) {
    super((id) => navigator.mediaDevices.getUserMedia({
      audio: { ...wanted(choice.processes()), ...(id ? { deviceId: { exact: id } } : {}) }, video: false,
    }), events, choice);
    this._nameOf = choice.nameOf;
  }

  /**
   * A phone call, or the system's own switch, takes the sound away without ending the track.
   * @param {MediaStreamTrack} track
   * @override
   */
  _opened(track) {
    const tell = () => {
      if (this._track === track) this._enter(track.muted ? 'busy' : 'on');
    };
    track.onmute = track.onunmute = tell;
    tell();
  }

  /**
   * Another one stands in for it until it is back, unlike with a camera: who can't touch anything
   * must be heard, and a room's sound shows nobody what wasn't meant to be seen.
   * @override
   */
  _lost() {
    this._last = null;
    this._open(true);
  }

  /**
   * There is none to stand in: it is lost.
   * @param {import('./input.js').InputState} state
   * @override
   */
  _fail(state) {
    super._fail(this._state === 'lost' && state === 'missing' ? 'lost' : state);
  }

  /** @override */
  plugged() {
    const wish = this._choice.wish();
    const used = this._track?.getSettings().deviceId;
    const other = wish !== null && this._choice.has(wish) && used !== wish;
    if (this._state === 'on' && (other || (used === DEFAULT && this._nameOf(used) !== this._track?.label))) this.change();
    else super.plugged();
  }
}
