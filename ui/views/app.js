// The page as a whole: which screen is shown, and how a call begins and ends.
import { languages, sayTitle, use } from '../texts/index.js';
import { callScreen } from './call.js';
import { deviceCheck } from './devices.js';
import { watchWindow } from './dialog-host.js';
import { askName, closeDialogs } from './dialog.js';
import { familiarScreen } from './familiar.js';
import { homeScreen } from './home.js';
import { hostScreen } from './host.js';
import { followOwnHost } from './hosts.js';
import { pacienteScreen } from './paciente.js';
import { problemScreen } from './problem.js';
import { settingsScreen } from './settings.js';
import { recall, remember } from './storage.js';
import { holdsToTalk } from './talk.js';

/** @typedef {import('../platform/types').Platform} Platform */
/** @typedef {import('../platform/types').JoinOptions} JoinOptions */
/** @typedef {import('../platform/types').HostProblem} HostProblem */
/** `title`: a text's id for the window; never a name. @typedef {{ element: HTMLElement, title?: string, destroy?: () => void }} Screen */
/** @typedef {{ url: string, ward: string, fingerprint: string }} InUse */

/**
 * What screens are given. `changed` is told when another host is in use;
 * `stopped`: the full stop about the host in use was shown, and another host can be chosen.
 * @typedef {{
 *   platform: Platform,
 *   inUse: InUse | null,
 *   changed: Set<() => void>,
 *   stopped: boolean,
 *   name: string,
 *   setName(name: string): void,
 *   home(): void,
 *   hostPanel(): void,
 *   family(room: string | null, name?: string): void,
 *   patient(): void,
 *   settings(): void,
 *   stop(problem: HostProblem): void,
 *   enter(options: JoinOptions, variant: Variant, back: () => void): void,
 *   enterAsStaff(room: import('../generated').RoomChoice): void,
 * }} App
 */
/** Whom a call is drawn for. @typedef {'staff' | 'family' | 'patient'} Variant */

/**
 * @param {HTMLElement} root @param {Platform} platform
 * @param {{ pathname: string, hash: string }} location
 * @returns {App}
 */
export function start(root, platform, location) {
  /** @type {Screen | null} */
  let screen = null;
  let first = true;

  /** @param {Screen} next */
  const show = (next) => {
    closeDialogs();
    screen?.destroy?.();
    screen = next;
    root.replaceChildren(next.element);
    sayTitle(next.title ?? next.element.dataset.title ?? 'app-name');
    // A screen reader goes on at the new screen's heading; a fresh page is read from its top.
    if (!first) Array.from(next.element.querySelectorAll('h1')).find((one) => !one.closest('[hidden]'))?.focus({ preventScroll: true });
    first = false;
    window.scrollTo(0, 0);
  };

  /** @type {App} */
  const app = {
    platform,
    inUse: null,
    changed: new Set(),
    stopped: false,
    name: recall('name') ?? '',
    setName(name) {
      app.name = name;
      remember('name', name);
    },
    home: () => show(homeScreen(app)),
    hostPanel: () => show({ ...hostScreen(app), title: 'host-title' }),
    family: (room, name = '') => show(familiarScreen(app, room, name)),
    patient: () => show(pacienteScreen(app)),
    settings: () => show(settingsScreen(app)),
    stop(problem) {
      app.stopped = true;
      show({ element: problemScreen({ code: problem === 'pin_mismatch' || problem === 'version' ? problem : 'unreachable', back: app.home }) });
    },
    enter(options, variant, back) {
      const again = () => app.enter(options, variant, back);
      const handle = platform.join(options);
      show({ ...callScreen({ handle, devices: platform.devices, variant, inApp: platform.kind === 'tauri', back, again, show }), title: variant === 'family' ? 'family-title' : 'call-title' });
    },
    enterAsStaff(room) {
      const enter = (/** @type {boolean} */ camera, /** @type {boolean} */ microphone) => app.enter(
        { room, name: app.name, role: platform.kind === 'tauri' ? 'staff' : 'guest', camera, microphone: microphone && !holdsToTalk() }, 'staff', app.home,
      );
      if (app.name) {
        enter(true, platform.devices.listen !== undefined);
        return;
      }
      const check = deviceCheck(platform);
      askName({
        value: '',
        verb: 'enter',
        body: [check.element],
        closed: () => check.destroy(),
        done: (name) => {
          app.setName(name);
          enter(check.camera(), check.microphone());
        },
      });
    },
  };

  followOwnHost(app);
  watchWindow(app);
  const wanted = route(platform, location);
  if (wanted.page === 'familiar') app.family(wanted.room);
  else if (wanted.page === 'paciente') app.patient();
  else {
    app.home();
    if (wanted.room) app.enterAsStaff({ by: 'id', id: wanted.room });
  }

  // Another window of the same browser changed the language.
  window.addEventListener('storage', (event) => {
    if (event.key === 'visita.language' && event.newValue && event.newValue in languages) {
      use(/** @type {import('../texts/index.js').Language} */ (event.newValue));
    }
  });
  return app;
}

/**
 * Which page an address asks for, in any case, with or without the final slash.
 * @param {Platform} platform @param {{ pathname: string, hash: string }} location
 */
function route(platform, { pathname, hash }) {
  const name = pathname.toLowerCase().replace(/^\/+|\/+$/g, '');
  const room = /^#room=([0-9a-f]{16})$/.exec(hash)?.[1] ?? null;
  const page = platform.kind === 'tauri' || (name !== 'familiar' && name !== 'paciente') ? 'home' : name;
  return { page, room };
}
