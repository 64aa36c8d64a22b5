// /Familiar/: the relative says a name and goes into the room.
import { cameraCard, inTrouble } from './camera.js';
import { h, icon } from './dom.js';
import { brand, button, field, languageButton, nameProblem } from './parts.js';

/** @typedef {import('./app.js').App} App */

/**
 * @param {App} app
 * @param {string | null} room the room that a link leads to; without one a room of the visitor's own name
 * @returns {import('./app.js').Screen}
 */
export function familiarScreen(app, room) {
  const name = field({
    t: 'family-name-label', testid: 'familiar-name', attributes: { autocomplete: 'name', enterkeyhint: 'go' },
  });
  const enter = button({ kind: 'primary', t: 'family-enter', testid: 'familiar-enter', submit: true, class: 'wide tall' });
  const camera = h('div', { class: 'family-camera' },
    h('p', { class: 'family-note' }, icon('video'), h('span', { t: 'family-camera' })));
  let withCamera = true;

  /** @param {import('../platform/types').CameraState} state */
  const drawCamera = (state) => {
    if (!inTrouble(state)) return;
    // Denied may be undone by asking again, which entering does; the others can't.
    withCamera = state === 'denied' || state === 'busy';
    camera.replaceChildren(cameraCard(state, state === 'missing' ? { again: look } : {}));
  };
  const look = () => void app.platform.capability().then(({ camera: state }) => drawCamera(state));
  look();

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
        app.enter(
          {
            room: room ? { by: 'id', id: room } : { by: 'name', name: person, create: 'bed' },
            name: person, role: 'family', camera: withCamera,
          },
          'family',
          () => location.reload(),
        );
      },
    },
  }, name.element, camera, enter, h('p', { class: 'family-promise' }, icon('lock'), h('span', { t: 'family-promise' })));

  return {
    element: h('div', { class: 'page family' },
      h('header', { class: 'top' }, brand(), languageButton()),
      h('main', { class: 'family-main' },
        h('span', { class: 'badge big accent' }, icon('hand-heart')),
        h('h1', { class: 'title', t: 'family-title', attributes: { tabindex: '-1' } }),
        h('p', { class: 'lead', t: 'family-text' }),
        form)),
  };
}
