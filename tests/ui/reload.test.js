// scripts/dev: an open page loads again when its sources change; the tests' own server does no such thing.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { serveUi } from '../browser/static.js';

test('a page that follows its sources is told to load again', async (t) => {
  const server = await serveUi({ reload: true });
  t.after(server.close);
  const page = await (await fetch(`${server.origin}/gallery.html`)).text();
  assert.match(page, /<script src="\/reload\.js"><\/script><\/head>/);
  const script = await (await fetch(`${server.origin}/reload.js`)).text();
  assert.match(script, /EventSource\('\/reload'\)[^]*location\.reload\(\)/);

  const told = (await fetch(`${server.origin}/reload`)).body.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await told.read()).value, /^retry:/);
  server.reload();
  assert.equal((await told.read()).value, 'event: reload\ndata:\n\n');
});

test('otherwise a page is served as it lies there', async (t) => {
  const server = await serveUi();
  t.after(server.close);
  assert.doesNotMatch(await (await fetch(`${server.origin}/gallery.html`)).text(), /reload/);
  assert.equal((await fetch(`${server.origin}/reload.js`)).status, 404);
});
