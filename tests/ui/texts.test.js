// Both languages say the same things, with the same arguments; the page asks for nothing else, and
// says nothing without asking.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { FluentBundle, FluentResource } from '../../ui/vendor/fluent/index.js';
import { nearest } from '../../ui/texts/index.js';
import { readMarkup, readRust, readSource } from './texts-source.js';

const top = new URL('../../', import.meta.url);
const files = { 'es-MX': 'ui/texts/es-MX.ftl', en: 'ui/texts/en.ftl' };
/** Numbers, by whose value a text changes. */
const NUMBERS = ['count', 'minutes', 'number', 'seconds', 'hours', 'days', 'percent'];

/** @param {string} path */
const read = (path) => readFileSync(new URL(path, top), 'utf8');

/** @param {string} folder @param {RegExp} wanted @returns {string[]} */
const within = (folder, wanted) => readdirSync(new URL(folder, top), { withFileTypes: true }).flatMap((entry) => {
  const path = `${folder}${entry.name}`;
  if (entry.isDirectory()) return within(`${path}/`, wanted);
  return wanted.test(path) ? [path] : [];
});

/** What people see: all of the page but its libraries, and the gallery, which is for developers. */
const sources = within('ui/', /\.js$/).filter((path) => !/^ui\/(vendor|generated|icons|gallery[^/]*$)/.test(path)).map((path) => ({ path, ...readSource(read(path)) }));

/** Ids with the set of their arguments. @param {string} ftl @returns {Map<string, string>} */
function messages(ftl) {
  const found = new Map();
  let id = '';
  for (const line of ftl.split('\n')) {
    const start = /^([a-z][a-z0-9-]*) =/.exec(line);
    if (start) id = start[1];
    if (!start && !/^[\s}]/.test(line)) continue;
    if (start) assert.ok(!found.has(id), `${id} stands twice`);
    const args = found.get(id) ?? new Set();
    for (const [, name] of line.matchAll(/\$([a-z]+)/g)) args.add(name);
    if (id) found.set(id, args);
  }
  return new Map([...found].map(([key, args]) => [key, [...args].sort().join(' ')]));
}

const known = messages(read(files.en));

/**
 * Ids that are put together, and all that they come to, so that a text that none of them is and one
 * that is missing are both found. With nothing listed it looks like a text's id and isn't one.
 * @type {Record<string, string[]>}
 */
const made = JSON.parse(read('tests/ui/texts-made.json'));

test('Spanish and English have the same texts with the same arguments', () => {
  assert.deepEqual([...messages(read(files['es-MX']))].sort(), [...known].sort());
});

test('every text can be formatted, in each plural form', () => {
  for (const [locale, path] of Object.entries(files)) {
    const bundle = new FluentBundle(locale, { useIsolating: false });
    assert.deepEqual(bundle.addResource(new FluentResource(read(path))), []);
    for (const [id, args] of messages(read(path))) {
      for (const count of [0, 1, 2, 12]) {
        const message = bundle.getMessage(id);
        assert.ok(message?.value, `${locale}: ${id}`);
        const values = Object.fromEntries(args.split(' ').filter(Boolean).map((name) => [name, NUMBERS.includes(name) ? count : 'X']));
        /** @type {Error[]} */
        const errors = [];
        const text = bundle.formatPattern(message.value, values, errors);
        assert.deepEqual(errors, [], `${locale}: ${id}`);
        assert.doesNotMatch(text, /[!¡{}]/, `${locale}: ${id}: no exclamation mark, no hole`);
        assert.ok(text.trim(), `${locale}: ${id}: says something`);
      }
    }
  }
});

test('the language is the first of the wanted ones that there is', () => {
  for (const [wanted, is] of /** @type {[string[], string][]} */ ([
    [['es-MX', 'en'], 'es'], [['es-419'], 'es'], [['en-GB', 'es'], 'en'], [['fr-CA', 'es', 'en'], 'es'], [['EN-us'], 'en'], [['de'], 'en'], [[], 'en'],
  ])) assert.equal(nearest(wanted), is, wanted.join());
});

test('what the page asks for exists', () => {
  const missing = sources.flatMap(({ path, ids }) => [...ids].filter((id) => !id.includes('${}') && !known.has(id)).map((id) => `${path}: ${id}`));
  assert.deepEqual(missing, []);
});

test('ids that are put together are listed with all that they come to', () => {
  const templates = new Set(sources.flatMap((source) => [...source.templates].filter((template) => source.ids.has(template)
    || (/^[a-z][a-z0-9]*-/.test(template) && [...known.keys()].some((id) => pattern(template).test(id))))));
  assert.deepEqual([...templates].filter((template) => !made[template]), [], 'list it in tests/ui/texts-made.json');
  assert.deepEqual(Object.keys(made).filter((template) => !templates.has(template)), [], 'listed, but not in the source');
  const gaps = Object.entries(made).flatMap(([template, values]) => values.map((value) => template.replace('${}', value))).filter((id) => !known.has(id));
  assert.deepEqual(gaps, []);
});

test('every text is asked for', () => {
  const asked = new Set(sources.flatMap(({ literals }) => [...literals]));
  for (const [template, values] of Object.entries(made)) for (const value of values) asked.add(template.replace('${}', value));
  assert.deepEqual([...known.keys()].filter((id) => !asked.has(id)), []);
});

test('nothing is said without a text', () => {
  // A language is named in itself, and a key as it is printed on it.
  const names = new Set(['Español', 'English', 'Esc']);
  assert.deepEqual(sources.flatMap(({ path, spoken }) => spoken.filter((text) => !names.has(text)).map((text) => `${path}: ${text}`)), []);
});

test('a page’s markup says things in both languages or not at all', () => {
  for (const path of within('ui/', /\.html$/)) {
    const { title, said, attributes } = readMarkup(read(path));
    assert.equal(title, 'Visita', path);
    assert.deepEqual(attributes, [], path);
    assert.deepEqual(said.filter(({ lang }) => lang !== 'es' && lang !== 'en'), [], path);
    assert.equal(said.filter(({ lang }) => lang === 'es').length, said.filter(({ lang }) => lang === 'en').length, path);
  }
});

test('the app says nothing of its own but its name', () => {
  const said = within('src-tauri/src/', /\.rs$/).filter((path) => !/tests?\.rs$|\/tests\//.test(path)).flatMap((path) => readRust(read(path)).map((text) => `${path}: ${text}`));
  assert.deepEqual(said.filter((line) => !line.endsWith(': Visita')), []);
  const { productName, app } = JSON.parse(read('tauri.conf.json'));
  assert.deepEqual([productName, ...app.windows.map((/** @type {{ title: string }} */ window) => window.title)], app.windows.map(() => 'Visita').concat('Visita'));
});

test('the checks find what they are there for', () => {
  /** @param {string} source */
  const spoken = (source) => readSource(source).spoken;
  for (const source of [
    'h("p", {}, "enter")', 'h("p", { text: "enter" })', 'h("p", { text: on ? "enter" : name })', 'h("p", {}, on && `enter ${name}`)',
    'h("button", { attributes: { "aria-label": "close" } })', 'h("img", { attributes: { alt: "you" } })',
    'h("input", { attributes: { title: "name" } })', 'h("input", { attributes: { placeholder: `name` } })',
    'e.textContent = "enter"', 'e.title = x ?? "enter"', 'document.title = "enter"', 'e.placeholder = "name"', 'e.ariaLabel = "close"',
    'e.setAttribute("aria-label", "close")', 'e.append("enter")', 'e.replaceChildren(icon("x"), "enter")', 'document.createTextNode("enter")',
    'alert("enter")', 'new Notification("enter")', 'context.fillText("enter", 0, 0)', 'const word = "Conexión"', 'const word = `Se perdió ${x}`',
    'const word = "The host is gone"', 'const word = "wait for the host to come back."',
  ]) assert.notDeepEqual(spoken(source), [], source);
  for (const source of [
    'h("p", { class: "button plain", t: "enter" }, icon("x"))', 'h("p", { text: person.name })', 'new Error("no such host here")',
    'console.warn("texts", "Nothing was found here.")', 'if (event.key === "Escape") close()', 'h("a", { attributes: { href: "/Familiar/" } })', 'e.append(`${count}`)',
  ]) assert.deepEqual(spoken(source), [], source);
  /** @param {string} source */
  const ids = (source) => [...readSource(source).ids];
  for (const source of [
    'h("p", { t: "zzz" })', 'h("p", { t: ["zzz", {}] })', 'h("p", { said: { "aria-label": "zzz" } })', 'sayText(e, on ? "zzz" : x)', 'setChip(e, "good", "zzz")',
    'sayAttribute(e, "title", "zzz")', 't("zzz")', 'nothing({ title: "zzz" })', 'nothing({ text: "zzz" })', 'openDialog({ verb: "zzz" })', 'name.say("zzz")', 'button({ label: ["zzz", {}] })', 'sayTitle("zzz")',
  ]) assert.deepEqual(ids(source), ['zzz'], source);
  assert.deepEqual(ids('sayText(e, `zzz-${x}-text`)'), ['zzz-${}-text']);
  assert.deepEqual(readRust('menu.text(OPEN, "Open"); tray.tooltip("Visita").title(&words.open)'), ['Open', 'Visita']);
  assert.deepEqual(readMarkup('<title>x</title><body><p>hola</p><p lang="en">hi</p><img alt="you"></body>'), {
    title: 'x', said: [{ lang: '', text: 'hola' }, { lang: 'en', text: 'hi' }], attributes: ['you'],
  });
});

/** @param {string} template */
function pattern(template) {
  return new RegExp(`^${template.split('${}').map((part) => part.replace(/[^a-z0-9-]/g, '\\$&')).join('[a-z0-9-]+')}$`);
}
