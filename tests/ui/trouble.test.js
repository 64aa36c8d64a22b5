// What of an error reaches a log.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { troubleOf } from '../../ui/trouble.js';

const BASE = 'https://192.0.2.7:3000/';
/** An error with a stack as a browser writes it. */
const failed = (kind, message, lines) => Object.assign(kind(message), { stack: lines.join('\n') });

test('kind and place are told, in each browser’s way of writing them', () => {
  const chromium = failed(TypeError, 'x is null', ['TypeError: x is null', `    at draw (${BASE}views/call.js:120:15)`, `    at ${BASE}main.js:3:1`]);
  assert.deepEqual(troubleOf(chromium, 'caught', BASE), { kind: 'type_error', seen: 'caught', file: 'views/call.js', line: 120, column: 15 });
  const firefox = failed(RangeError, 'x', [`draw@${BASE}platform/browser/call.js:7:9`, `@${BASE}main.js:3:1`]);
  assert.deepEqual(troubleOf(firefox, 'rejected', BASE), { kind: 'range_error', seen: 'rejected', file: 'platform/browser/call.js', line: 7, column: 9 });
  const app = failed(Error, 'x', ['global code@tauri://localhost/views/self.js:1:2']);
  assert.deepEqual(troubleOf(app, 'thrown', 'tauri://localhost/'), { kind: 'error', seen: 'thrown', file: 'views/self.js', line: 1, column: 2 });
});

test('an error without a stack is where the browser says', () => {
  const place = { file: `${BASE}views/tiles.js`, line: 5, column: 6 };
  assert.deepEqual(troubleOf('Ana Ortega', 'thrown', BASE, place), { kind: 'other', seen: 'thrown', file: 'views/tiles.js', line: 5, column: 6 });
});

test('no word that anybody wrote is told, wherever it stands', () => {
  const name = 'Ana Ortega';
  const own = Object.assign(failed(Error, name, [`Error: ${name}`, `    at ${name} (${BASE}views/chat.js:1:1)`]), { name });
  const told = [
    troubleOf(own, 'caught', BASE),
    troubleOf(failed(Error, name, [`Error: ${BASE}${name}.js:1:1`, `    at (${BASE}views/chat.js:1:1)`]), 'caught', BASE),
    troubleOf(failed(Error, name, [`at ${BASE}Familiar/?name=${name}:1:1`]), 'caught', BASE),
    troubleOf({ name, message: name, stack: name }, 'rejected', BASE),
    troubleOf(name, 'rejected', BASE),
    troubleOf(null, 'rejected', BASE),
  ];
  assert.ok(!/ana|ortega/i.test(JSON.stringify(told)), JSON.stringify(told));
  assert.deepEqual(told.map((one) => one?.file ?? null), ['views/chat.js', 'views/chat.js', null, null, null, null]);
  assert.equal(told[0]?.kind, 'other');
});

test('what is not ours is not told', () => {
  const extension = failed(Error, 'x', ['    at chrome-extension://abc/content.js:1:1']);
  assert.equal(troubleOf(extension, 'thrown', BASE), null);
  const huge = troubleOf(failed(Error, 'x', [`    at ${BASE}main.js:99999:99999`]), 'thrown', BASE);
  assert.deepEqual([huge?.line, huge?.column], [65_535, 65_535]);
});
