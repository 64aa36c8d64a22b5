// One file has the values: colours and sizes of text stand in `css/tokens.css` and nowhere else.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const ui = new URL('../../ui/', import.meta.url);
const sheets = readdirSync(new URL('css/', ui)).map((name) => ({ name, css: readFileSync(new URL(`css/${name}`, ui), 'utf8').replace(/\/\*[^]*?\*\//g, '') }));
const others = sheets.filter(({ name }) => name !== 'tokens.css');
/** @param {RegExp} pattern @returns {string[]} */
const found = (pattern) => others.flatMap(({ name, css }) => [...css.matchAll(pattern)].map(([text]) => `${name}: ${text.trim()}`));

test('colours stand among the tokens', () => {
  assert.deepEqual(found(/[^;{}]*(?:#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|oklch|lab|color-mix)\()[^;{}]*/gi), []);
});

test('sizes of text stand among the tokens', () => {
  // In px it is a letter drawn into a circle of px, which doesn't grow with the text.
  assert.deepEqual(found(/font-size: *[0-9.]+r?em[^;}]*/g), []);
});

test('every token that is asked for is there, and every one that is there is asked for', () => {
  const there = new Set(sheets.flatMap(({ css }) => [...css.matchAll(/(--[a-z0-9-]+):/g)].map(([, name]) => name)));
  const scripts = readdirSync(new URL('views/', ui)).map((name) => readFileSync(new URL(`views/${name}`, ui), 'utf8')).join('\n');
  const set = new Set([...scripts.matchAll(/'(--[a-z0-9-]+)'/g)].map(([, name]) => name));
  const asked = new Set(sheets.flatMap(({ css }) => [...css.matchAll(/var\((--[a-z0-9-]+)/g)].map(([, name]) => name)));
  assert.deepEqual([...asked].filter((name) => !there.has(name) && !set.has(name)), []);
  assert.deepEqual([...there].filter((name) => !asked.has(name)), []);
});
