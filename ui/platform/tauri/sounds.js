// The microphones and loudspeakers of this device: Rust lists, opens and plays them. The page gets
// words and levels, and never a sample.

import { find, keep, kept, process, processes } from '../chosen.js';
import { channel, invoke } from './ipc.js';
import { Live } from './live.js';

/** @typedef {import('../types').Cameras} All */
/** @typedef {import('../types').Devices} Devices */
/** @typedef {import('../types').SoundCheckEvent} SoundCheckEvent */
/** @typedef {import('../types').SoundDevice} SoundDevice */
/**
 * What Rust tells of them.
 * @typedef {{ microphones: SoundDevice[], microphone: string | null, speakers: SoundDevice[], speaker: string | null, processes: boolean }} List
 */
/** @typedef {'microphone' | 'speaker'} Kind */

/** @type {readonly Kind[]} */
const KINDS = ['microphone', 'speaker'];

/** @param {string} command @param {object} [args] */
const tell = (command, args) => invoke(command, args).catch((error) => console.error(command, error));

export class Sounds {
  /** @param {() => Promise<void>} ask  for the microphone, where the system wants to be asked */
  constructor(ask) {
    this._ask = ask;
    /** @type {Live<List>} */
    this._live = new Live('watch_sounds');
    /** @type {Record<Kind, SoundDevice[]>} */
    this._found = { microphone: [], speaker: [] };
    /** What Rust was told to take. @type {Partial<Record<Kind, string>>} */
    this._told = {};
    /** Checks begin and end one after the other. @type {Promise<unknown>} */
    this._queue = Promise.resolve();
    /** The check that goes on. @type {object | null} */
    this._checking = null;
    // Rust is told before anything is opened; it takes another device where this one isn't there.
    if (!processes()) tell('set_processing', { on: false });
    for (const kind of KINDS) {
      const wish = kept(kind);
      if (wish) this._take(kind, wish.id);
    }
  }

  /** @param {(list: List) => void} on */
  watch(on) {
    return this._live.watch((list) => {
      this._found = { microphone: list.microphones, speaker: list.speakers };
      // One that was plugged in elsewhere may have another id, and has the same name.
      for (const kind of KINDS) {
        const meant = find(this._found[kind], kept(kind));
        if (meant) this._take(kind, meant.id);
      }
      on(list);
    });
  }

  /** @param {Kind} kind @param {string} id */
  choose(kind, id) {
    const device = find(this._found[kind], { id, name: '' });
    if (device) keep(device, kind);
    this._take(kind, id);
  }

  /** @param {boolean} on */
  process(on) {
    process(on);
    tell('set_processing', { on });
  }

  tone() {
    tell('sound_tone');
  }

  /** @param {import('../types').Signal} which */
  signal(which) {
    tell('sound_signal', { which });
  }

  /**
   * @param {(event: SoundCheckEvent) => void} on
   * @returns {import('../types').SoundCheck}
   */
  listen(on) {
    const check = {};
    this._checking = check;
    const goesOn = () => this._checking === check;
    const open = () => this._next(async () => {
      if (!goesOn()) return;
      await this._ask();
      await invoke('sound_check_start', {
        on: channel((event) => {
          if (goesOn()) on(event);
        }),
      });
    });
    open();
    return {
      sample: () => this._next(async () => {
        if (goesOn()) await invoke('sound_check_sample');
      }),
      again: open,
      stop: () => {
        if (!goesOn()) return;
        this._checking = null;
        this._next(() => invoke('sound_check_stop'));
      },
    };
  }

  /** @param {Kind} kind @param {string} id */
  _take(kind, id) {
    if (this._told[kind] === id) return;
    this._told[kind] = id;
    tell(`choose_${kind}`, { id });
  }

  /** @param {() => Promise<unknown>} work */
  _next(work) {
    this._queue = this._queue.then(work).catch((error) => console.error('sound check', error));
  }
}

/**
 * The cameras, and with them the devices of sound.
 * @param {Pick<Devices, 'watch' | 'choose' | 'preview'>} cameras
 * @param {Sounds} sounds
 * @returns {Devices}
 */
export function withSound(cameras, sounds) {
  return {
    watch(on) {
      /** @type {All | null} */
      let seen = null;
      /** @type {Partial<List>} */
      let heard = {};
      const both = () => {
        if (seen) on({ cameras: seen.cameras, chosen: seen.chosen, ...heard });
      };
      const stops = [
        cameras.watch((now) => {
          seen = now;
          both();
        }),
        sounds.watch((now) => {
          heard = now;
          both();
        }),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    choose: (id) => cameras.choose(id),
    preview: (on) => cameras.preview(on),
    chooseMicrophone: (id) => sounds.choose('microphone', id),
    chooseSpeaker: (id) => sounds.choose('speaker', id),
    process: (on) => sounds.process(on),
    listen: (on) => sounds.listen(on),
    tone: () => sounds.tone(),
    signal: (which) => sounds.signal(which),
  };
}
