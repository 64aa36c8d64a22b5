// What the app does for the page: the session, the devices and the codecs are Rust's; pictures
// come over a socket of this machine, and the lobby's list over a WebSocket that Rust opens.

import { Devices as PageDevices } from '../browser/devices.js';
import { possible } from '../browser/input.js';
import { Call } from './call.js';
import { Capture } from './capture.js';
import { Devices } from './devices.js';
import { Frames, SELF } from './frames.js';
import { channel, invoke } from './ipc.js';
import { Live } from './live.js';
import { Links, scan } from './links.js';
import { Lobby } from './lobby.js';
import { Sounds, withSound } from './sounds.js';

/** @typedef {import('../types').HostsAround} HostsAround */
/** @typedef {import('../types').HostStatus} HostStatus */
/** @typedef {import('../types').Platform} Platform */

/** @returns {Platform} */
export function createPlatform() {
  /** @type {Live<import('./lobby.js').Relay | null>} */
  const relay = new Live('watch_relay');
  /** @type {Live<HostsAround>} */
  const hosts = new Live('watch_hosts');
  /** @type {Live<HostStatus>} */
  const host = new Live('watch_host');
  const links = new Links();
  const lobby = new Lobby(relay);
  /** @type {Call | null} */
  let call = null;
  const frames = new Frames(invoke('start'), (member, width, height) => {
    if (call) call.painted(member, width, height);
    else if (member === SELF) own?.painted(width, height);
  });
  const page = capturesInPage() ? new PageDevices() : null;
  const own = page ? null : new Devices(frames);
  if (page) new Capture(page, frames);
  // Where the page has the camera the system asks for the microphone too, and Rust asks it to.
  const ask = page ? () => invoke('ask_microphone').catch(noQuestion) : async () => {};
  const sounds = new Sounds(ask);

  return {
    kind: 'tauri',
    language: () => navigator.language,
    lobby: (on) => lobby.watch(on),
    join(options) {
      lobby.pause();
      const joined = new Call(options, frames, ask, () => {
        if (call !== joined) return;
        call = null;
        lobby.resume();
      });
      call = joined;
      return joined;
    },
    async capability() {
      const can = await invoke('capability');
      if (!page) return can;
      const { state, asks } = await possible('camera');
      return { camera: state, asks, microphone: can.microphone };
    },
    devices: withSound(page ?? /** @type {Devices} */ (own), sounds),
    trouble: (trouble) => {
      invoke('page_trouble', { trouble }).catch(() => {});
    },
    hosts: (on) => hosts.watch(on),
    links: (on) => links.watch(on),
    scan,
    forgetHost: (fingerprint) => invoke('forget_host', { fingerprint }).catch((error) => console.error('forget_host', error)),
    useHost: (choice) => invoke('use_host', choice),
    host: {
      start: (port) => invoke('host_start', { port: port ?? null }),
      stop: () => invoke('host_stop'),
      rename: (name) => invoke('host_rename', { name }).then(() => null, (code) => code),
      atBoot: (on) => invoke('host_at_boot', { on }),
      watch: (on) => host.watch(on),
    },
    window: {
      watch: (on) => void invoke('watch_window', { on: channel(on) }).catch(noDesktop),
      hide: () => invoke('hide_window'),
      quit: () => invoke('quit'),
      trayWords: (words) => invoke('tray_words', { words }).catch(noDesktop),
    },
  };
}

/** On a phone or tablet there is neither a window to close nor a tray. */
function noDesktop() {}

/** On a desktop the system asks by itself, if at all. */
function noQuestion() {}

/** Whether only the web view is given the cameras here. Rust says so before the page begins. */
function capturesInPage() {
  return /** @type {any} */ (window).__VISITA_CAMERA__ === 'page';
}
