// The first screen: conversations; in the app also this device as host and the hosts around it.
import { codeCard } from './code.js';
import { askRoom } from './dialog.js';
import { h, icon } from './dom.js';
import { hostSide } from './hosts.js';
import { insideNotice } from './in-app.js';
import { lineTest } from './line-test.js';
import { brand, button, chip, languageButton, setChip } from './parts.js';
import { roomList } from './rooms.js';
import { listSignals } from './signals.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('../platform/types').LobbyState} LobbyState */

/**
 * @param {App} app
 * @returns {import('./app.js').Screen}
 */
export function homeScreen(app) {
  let gone = false;
  const status = chip('neutral', 'lobby-connecting', 'dot', 'lobby-state');
  const person = personButton(app);
  const create = button({
    kind: 'primary',
    t: 'room-new',
    icon: 'plus',
    testid: 'new-room',
    on: () => askRoom((name) => last?.rooms.some((room) => folded(room.name) === folded(name)) ?? false,
      (name, kind) => app.enterAsStaff({ by: 'name', name, create: kind })),
  });
  const rooms = roomList({ enter: (id) => app.enterAsStaff({ by: 'id', id }), inApp: app.platform.kind === 'tauri' });
  const line = app.platform.testLine ? lineTest(app.platform.testLine, { figures: true }) : null;
  const side = app.platform.hosts ? hostSide(app) : null;
  const { redeem } = app.platform;

  const element = h('div', { class: `page home${side ? ' app' : ''}` },
    h('header', { class: 'top' }, brand(), h('div', { class: 'top-end' }, status, languageButton(), person)),
    h('main', { class: `home-main${side ? ' beside' : ''}` },
      // Who scanned the host's code is more likely here for a visit than for the list.
      !side && insideNotice(),
      redeem && codeCard(redeem, (invitation) => !gone && app.invited(invitation)),
      !side && entrances(),
      h('section', { class: 'home-rooms', attributes: { 'aria-labelledby': 'rooms-title' } },
        h('div', { class: 'section-head' },
          h('h1', { class: 'title', t: 'rooms-title', attributes: { id: 'rooms-title', tabindex: '-1' } }), create),
        rooms.element,
        line?.element),
      side && h('div', { class: 'home-side' }, side.element)));

  /** @type {LobbyState | null} */
  let last = null;
  const signal = listSignals(app.platform.devices);
  // Which host is in use is known a moment after its lobby may speak.
  const redraw = () => {
    if (last) drawStatus(status, last, app.inUse?.ward ?? '');
  };
  app.changed.add(redraw);
  const stop = app.platform.lobby((lobby) => {
    last = lobby;
    const grave = lobby.problem === 'pin_mismatch' || lobby.problem === 'version';
    if (lobby.problem && grave && !app.stopped) {
      const { problem } = lobby;
      // Not before this screen stands: the first word may come while it is being made.
      queueMicrotask(() => {
        if (!gone) app.stop(problem);
      });
      return;
    }
    if (!grave) app.stopped = false;
    signal(lobby);
    rooms.draw(lobby);
    // Without a relay there is nowhere to make a room.
    create.disabled = lobby.state === 'none' || lobby.state === 'lost' || lobby.problem !== undefined;
    // Whoever waits comes first: then the row's button is the one that stands out.
    create.className = `button ${lobby.rooms.some((room) => room.waiting) ? 'plain' : 'primary'}`;
    redraw();
  });

  return {
    title: 'rooms-title',
    element,
    destroy() {
      gone = true;
      stop();
      app.changed.delete(redraw);
      rooms.destroy();
      line?.destroy();
      side?.destroy();
    },
  };
}

/** As the relay tells whether two names are one. @param {string} name */
function folded(name) {
  return name.trim().toLowerCase();
}

/** @param {HTMLElement} status @param {LobbyState} lobby @param {string} ward */
function drawStatus(status, lobby, ward) {
  switch (lobby.state) {
    case 'live': return setChip(status, 'good', ward ? ['lobby-live-ward', { ward }] : 'lobby-live');
    case 'none': return setChip(status, 'neutral', 'lobby-none');
    case 'lost': return setChip(status, 'warning', lobby.ended ? 'lobby-ended' : 'lobby-lost');
    default: return setChip(status, 'neutral', 'lobby-connecting');
  }
}

/** Who is using this device; a touch leads to what it keeps. @param {App} app */
function personButton(app) {
  return button({
    kind: 'quiet',
    t: app.name ? ['name-shown', { name: app.name }] : 'settings-title',
    icon: 'circle-user-round',
    testid: 'person',
    class: 'own-name person-name',
    label: app.name ? ['settings-of', { name: app.name }] : 'settings-title',
    on: app.settings,
  });
}

/** In a browser: the ways in that need no list. */
function entrances() {
  return h('nav', { class: 'entrances', said: { 'aria-label': 'entrances-title' } },
    h('div', { class: 'card rows' },
      entrance('/Familiar/', 'hand-heart', 'entrance-family', 'entrance-family-text'),
      entrance('/Paciente/', 'bed-double', 'entrance-patient', 'entrance-patient-text'),
      entrance('/ayuda/certificado', 'lock', 'entrance-certificate', 'entrance-certificate-text')));
}

/**
 * @param {string} href @param {import('./dom.js').IconName} name @param {string} title @param {string} text
 */
function entrance(href, name, title, text) {
  // The query goes along: it may name another relay.
  return h('a', { class: 'row row-link', attributes: { href: href + location.search } },
    h('span', { class: 'row-icon accent' }, icon(name)),
    h('span', { class: 'row-words' }, h('span', { class: 'row-title', t: title }), h('span', { class: 'row-text', t: text })),
    icon('chevron-right', 'row-end'));
}
