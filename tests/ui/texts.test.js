// Both languages say the same things, with the same arguments, and the page asks for nothing else.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { FluentBundle, FluentResource } from '../../ui/vendor/fluent/index.js';

const ui = new URL('../../ui/', import.meta.url);
const files = { 'es-MX': 'texts/es-MX.ftl', en: 'texts/en.ftl' };

/** @param {string} path */
const read = (path) => readFileSync(new URL(path, ui), 'utf8');

/** Ids with the set of their arguments. @param {string} ftl @returns {Map<string, string>} */
function messages(ftl) {
  const found = new Map();
  let id = '';
  for (const line of ftl.split('\n')) {
    const start = /^([a-z][a-z0-9-]*) =/.exec(line);
    if (start) id = start[1];
    if (!start && !/^[\s}]/.test(line)) continue;
    const args = found.get(id) ?? new Set();
    for (const [, name] of line.matchAll(/\$([a-z]+)/g)) args.add(name);
    if (id) found.set(id, args);
  }
  return new Map([...found].map(([key, args]) => [key, [...args].sort().join(' ')]));
}

test('Spanish and English have the same texts with the same arguments', () => {
  assert.deepEqual([...messages(read(files['es-MX']))].sort(), [...messages(read(files.en))].sort());
});

test('every text can be formatted, in each plural form', () => {
  for (const [locale, path] of Object.entries(files)) {
    const bundle = new FluentBundle(locale, { useIsolating: false });
    assert.deepEqual(bundle.addResource(new FluentResource(read(path))), []);
    for (const [id, args] of messages(read(path))) {
      for (const count of [0, 1, 2, 12]) {
        const message = bundle.getMessage(id);
        assert.ok(message?.value, `${locale}: ${id}`);
        const values = Object.fromEntries(args.split(' ').filter(Boolean).map((name) => [name, ['count', 'minutes'].includes(name) ? count : 'X']));
        /** @type {Error[]} */
        const errors = [];
        const text = bundle.formatPattern(message.value, values, errors);
        assert.deepEqual(errors, [], `${locale}: ${id}`);
        assert.doesNotMatch(text, /[!¡{}]/, `${locale}: ${id}: no exclamation mark, no hole`);
      }
    }
  }
});

test('the page asks only for texts that exist, and every text is asked for', () => {
  const known = messages(read(files.en));
  const source = ['views', 'texts'].flatMap((folder) => readdirSync(new URL(folder, ui))
    .filter((name) => name.endsWith('.js')).map((name) => read(`${folder}/${name}`))).join('\n');
  const literals = new Set([...source.matchAll(/'([a-z][a-z0-9-]+)'/g)].map((match) => match[1]));
  const patterns = [...source.matchAll(/`([a-z][a-z-]*-)\$\{[^`]*\}([a-z-]*)`/g)]
    .map(([, head, tail]) => new RegExp(`^${head}.+${tail}$`));
  const unused = [...known.keys()].filter((id) => !literals.has(id) && !patterns.some((pattern) => pattern.test(id)));
  assert.deepEqual(unused, []);
  // Where a text's id stands in the source as one.
  const asked = [...source.matchAll(/(?:\bt: |\bt\(|'aria-label': |placeholder: |title: |verb: |\bhint: |\btext: )'([a-z][a-z0-9-]+)'/g)].map((match) => match[1]);
  assert.deepEqual(asked.filter((id) => !known.has(id)), []);
});
