// /Familiar/: the relative says a name and goes into the room.
import { deviceCheck } from './devices.js';
import { h, icon } from './dom.js';
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
        check.element,
        h('h1', { class: 'title', t: 'family-title', attributes: { tabindex: '-1' } }),
        h('p', { class: 'lead', t: 'family-text' }),
        form)),
    destroy() {
      check.destroy();
      line?.destroy();
    },
  };
}
