// The page as a whole: which screen is shown, and how a call begins and ends.
import { invited } from '../call/door.js';
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
 *   invited(invitation: import('../call/door.js').Invitation): void,
 *   patient(): void,
 *   help(topic: import('./help-steps.js').Topic): void,
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
  /** A call is on the screen, and a link that is opened doesn't end it. */
  let inCall = false;

  /** @param {Screen} next */
  const show = (next) => {
    closeDialogs();
    screen?.destroy?.();
    screen = next;
    inCall = false;
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
    invited({ room, kind }) {
      if (kind === 'bed') return app.family(room);
      app.home();
      return app.enterAsStaff({ by: 'id', id: room });
    },
    patient: () => show(pacienteScreen(app)),
    async help(topic) {
      const { helpScreen } = await import('./help.js');
      show(helpScreen(topic, { reach: platform.reach, home: app.home }));
    },
    settings: () => show(settingsScreen(app)),
    stop(problem) {
      app.stopped = true;
      show({ element: problemScreen({ code: problem === 'pin_mismatch' || problem === 'version' ? problem : 'unreachable', back: app.home }) });
    },
    enter(options, variant, back) {
      const again = () => app.enter(options, variant, back);
      const handle = platform.join(options);
      show({
        ...callScreen({ handle, devices: platform.devices, reach: () => reach(app), variant, inApp: platform.kind === 'tauri', back, again, show }),
        title: variant === 'family' ? 'family-title' : 'call-title',
      });
      inCall = true;
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
  if (wanted.invitation) app.invited(wanted.invitation);
  else if (wanted.page === 'familiar') app.family(wanted.room);
  else if (wanted.page === 'paciente') app.patient();
  else if (wanted.page === 'ayuda/certificado') void app.help('certificate');
  else if (wanted.page === 'ayuda/permisos') void app.help('permissions');
  else {
    app.home();
    if (wanted.room) app.enterAsStaff({ by: 'id', id: wanted.room });
  }

  // A link that is opened where the page stands already changes nothing but the fragment.
  window.addEventListener('hashchange', () => {
    const { invitation } = route(platform, window.location);
    if (invitation && !inCall) app.invited(invitation);
  });
  // Another window of the same browser changed the language.
  window.addEventListener('storage', (event) => {
    if (event.key === 'visita.language' && event.newValue && event.newValue in languages) {
      use(/** @type {import('../texts/index.js').Language} */ (event.newValue));
    }
  });
  return app;
}

/** The addresses of pages besides `/`. */
const PAGES = ['familiar', 'paciente', 'ayuda/certificado', 'ayuda/permisos'];

/**
 * Which page an address asks for, in any case, with or without the final slash.
 * @param {Platform} platform @param {{ pathname: string, hash: string }} location
 */
function route(platform, { pathname, hash }) {
  const name = pathname.toLowerCase().replace(/^\/+|\/+$/g, '');
  const room = /^#room=([0-9a-f]{16})$/.exec(hash)?.[1] ?? null;
  const page = platform.kind === 'tauri' || !PAGES.includes(name) ? 'home' : name;
  return { page, room, invitation: platform.kind === 'tauri' ? null : invited(hash) };
}

/** Where others reach the relay in use. @param {App} app @returns {Promise<import('../platform/types').Reach>} */
async function reach({ platform, inUse }) {
  if (platform.reach) return platform.reach();
  if (!inUse) throw new Error('no host is in use');
  return inUse;
}
