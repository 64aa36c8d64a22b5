// /Familiar/: the relative says a name and goes into the room.
import { guess } from '../call/agent.js';
import { appLinkTo } from '../call/door.js';
import { deviceCheck } from './devices.js';
import { h, icon, shown } from './dom.js';
import { insideNotice } from './in-app.js';
import { lineTest } from './line-test.js';
import { brand, button, field, languageButton, nameProblem } from './parts.js';
import { holdsToTalk } from './talk.js';

/** @typedef {import('./app.js').App} App */

/**
 * @param {App} app
 * @param {string | null} room the room that a link leads to; without one a room of the visitor's own name
 * @param {string} [given] the name that was given before; kept while the page stands, not longer: phones are lent
 * @returns {import('./app.js').Screen}
 */
export function familiarScreen(app, room, given = '') {
  const name = field({
    t: 'family-name-label', testid: 'familiar-name', value: given, attributes: { autocomplete: 'name', enterkeyhint: 'go' },
  });
  const enter = button({ kind: 'primary', t: 'family-enter', testid: 'familiar-enter', submit: true, class: 'wide tall' });
  const check = deviceCheck(app.platform);
  const line = app.platform.testLine ? lineTest(app.platform.testLine, { figures: false }) : null;
  if (line) check.element.append(line.element);

  const form = h('form', {
    class: 'family-form',
    attributes: { novalidate: true },
    on: {
      submit: (event) => {
        event.preventDefault();
        const problem = nameProblem(name.input.value);
        name.say(problem);
        if (problem) return;
        const person = name.input.value.trim();
        const [camera, microphone] = [check.camera(), check.microphone() && !holdsToTalk()];
        // The call opens them itself.
        check.destroy();
        line?.destroy();
        app.enter(
          {
            room: room ? { by: 'id', id: room } : { by: 'name', name: person, create: 'bed' },
            name: person, role: 'family', camera, microphone,
          },
          'family',
          () => app.family(room, person),
        );
      },
    },
  }, name.element, enter, h('p', { class: 'family-promise' }, icon('lock'), h('span', { t: 'family-promise' })));

  return {
    title: 'family-title',
    element: h('div', { class: 'page family' },
      h('header', { class: 'top' }, brand(), languageButton()),
      h('main', { class: 'family-main' },
        app.platform.kind === 'browser' && insideNotice(),
        check.element,
        h('h1', { class: 'title', t: 'family-title', attributes: { tabindex: '-1' } }),
        h('p', { class: 'lead', t: 'family-text' }),
        form,
        room && app.platform.reach && openInApp(app.platform.reach, room))),
    destroy() {
      check.destroy();
      line?.destroy();
    },
  };
}

/**
 * For who has the app. There is none for an iPhone, and Safari would only complain.
 * @param {() => Promise<import('../platform/types').Reach>} reach @param {string} room
 */
function openInApp(reach, room) {
  const link = h('a', { class: 'button quiet wide', testid: 'open-in-app' }, icon('smartphone'), h('span', { class: 'button-words', t: 'open-in-app' }));
  shown(link, false);
  if (guess({ agent: navigator.userAgent, touches: navigator.maxTouchPoints }).system === 'ios') return null;
  reach().then(({ url, fingerprint }) => {
    link.setAttribute('href', appLinkTo(url, fingerprint, { room, kind: 'bed' }));
    shown(link, true);
  }, () => {});
  return link;
}
