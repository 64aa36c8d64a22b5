// index.html names every module that the page imports, so that none waits for another.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { preloads } from './modules.js';

test('index.html preloads the modules that main.js imports (else run scripts/preloads)', () => {
  const html = readFileSync(new URL('../../ui/index.html', import.meta.url), 'utf8');
  assert.deepEqual([...html.matchAll(/rel="modulepreload" href="([^"]+)"/g)].map((match) => match[1]), preloads());
});
