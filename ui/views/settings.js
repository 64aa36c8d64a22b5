// What this device keeps: who uses it, in which language, with which camera and microphone, and when it
// makes soft sounds.
import { language, languages, onLanguage } from '../texts/index.js';
import { checkDevices } from './devices.js';
import { h, icon } from './dom.js';
import { brand, button, choice, chooseLanguage, field, languageButton, nameProblem } from './parts.js';
import { signalChoice } from './signals.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('../texts/index.js').Language} Language */

/**
 * @param {App} app
 * @returns {import('./app.js').Screen}
 */
export function settingsScreen(app) {
  const tongues = languageChoice();
  const sound = app.platform.devices.listen !== undefined;
  return {
    title: 'settings-title',
    element: h('div', { class: 'page settings' },
      h('header', { class: 'top' }, brand(),
        h('div', { class: 'top-end' }, languageButton(), button({ t: 'rooms-title', icon: 'arrow-left', testid: 'back', on: app.home }))),
      h('main', { class: 'settings-main' },
        h('h1', { class: 'title', t: 'settings-title', attributes: { tabindex: '-1' } }),
        h('section', { class: 'card pad' }, nameForm(app)),
        h('section', { class: 'card pad' }, tongues.element),
        app.platform.devices.signal && h('section', { class: 'card pad' }, signalChoice()),
        h('section', { class: 'card pad settings-camera', attributes: { 'aria-labelledby': 'settings-camera' } },
          h('div', { class: 'settings-words' },
            h('h2', { class: 'field-label', t: sound ? 'settings-devices' : 'control-camera', attributes: { id: 'settings-camera' } }),
            h('p', { class: 'card-text', t: sound ? 'settings-devices-text' : 'settings-camera-text' })),
          button({ t: 'settings-camera-see', icon: 'video', testid: 'settings-camera', on: () => checkDevices(app.platform) })))),
    destroy: tongues.destroy,
  };
}

/** @param {App} app */
function nameForm(app) {
  const name = field({
    t: 'name-label', hint: 'name-hint', testid: 'settings-name', value: app.name, attributes: { autocomplete: 'name', enterkeyhint: 'done' },
  });
  const done = h('p', { class: 'done', testid: 'settings-saved', attributes: { role: 'status' } });
  name.input.addEventListener('input', () => done.replaceChildren());
  return h('form', {
    class: 'settings-name',
    attributes: { novalidate: true },
    on: {
      submit: (event) => {
        event.preventDefault();
        const problem = nameProblem(name.input.value);
        name.say(problem);
        done.replaceChildren();
        if (problem) return;
        app.setName(name.input.value.trim());
        done.append(icon('circle-check'), h('span', { t: 'saved' }));
      },
    },
  }, name.element, h('div', { class: 'settings-save' }, button({ kind: 'primary', t: 'save', testid: 'settings-save', submit: true }), done));
}

/** Both languages, each in itself. */
function languageChoice() {
  const made = choice({
    t: 'language-label',
    name: 'language',
    options: /** @type {Language[]} */ (Object.keys(languages)).map((key) => ({
      value: key, icon: 'languages', text: languages[key].name, lang: languages[key].locale, checked: key === language(), testid: `language-${key}`,
    })),
    chosen: (value) => chooseLanguage(/** @type {Language} */ (value)),
  });
  // The button above changes it, too.
  const stop = onLanguage(() => made.choose(language()));
  return { element: made.element, destroy: stop };
}
