// Behind nginx: TLS ends there, the relay is told by headers who asks, and believes only the proxy
// that it was told of.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, PATIENCE, until } from './browsers.js';
import { participant, relay } from './harness.js';
import { freePort, NAME, nginx } from './nginx.js';
import { joinFrom, rowOf } from './page.js';
import { open } from './screens.js';
import { writeY4m } from './y4m.js';

let files;
let camera;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-proxy-'));
  camera = writeY4m(join(files, 'camera.y4m'));
});

after(() => rmSync(files, { recursive: true, force: true }));

test('behind nginx the pages, the lobby and a call work, if the relay was told of it', { timeout: 4 * PATIENCE }, async (t) => {
  const [port, blindPort] = [await freePort(), await freePort()];
  const host = await relay(t, {
    config: `public_url = "https://${NAME}:${port}"\ntrusted_proxies = ["127.0.0.1/32"]`,
  });
  const blind = await relay(t);
  const proxy = await nginx(t, [[port, host.port], [blindPort, blind.port]]);
  const chrome = await chromium({ camera, args: [`--host-resolver-rules=MAP ${NAME} 127.0.0.1`] });
  t.after(chrome.close);
  const page = await until('nginx', async () => {
    const tried = await chrome.browser.newPage();
    try {
      const response = await tried.goto(`https://${NAME}:${port}/Familiar/`);
      return response?.status() === 200 && tried;
    } catch (error) {
      await tried.close();
      throw new Error(proxy.log(), { cause: error });
    }
  });
  await page.close();

  const ana = participant(t, host, 'Rosa', 'Rosa', { role: 'family' });
  const patient = await open(chrome.browser, `https://${NAME}:${port}/Paciente/`);
  await patient.reads('waiting-row', 'Rosa');
  const luis = await joinFrom(chrome.browser, `https://${NAME}:${port}/api/v1/health`, { room: 'Rosa', name: 'Luis' });
  await luis.sees('Rosa', 10);
  rowOf(await ana.report(), 'Luis', 'h264');
  luis.clean();
  patient.clean();

  // The same headers, from a proxy that the relay wasn't told of: it knows no such page.
  const stranger = await joinFrom(chrome.browser, `https://${NAME}:${blindPort}/api/v1/health`, { room: 'Rosa', name: 'Luis', camera: false });
  const ended = await stranger.event('the refusal', ({ type, state }) => type === 'connection' && state === 'ended');
  // A WebSocket that is refused says nothing; the plain requests that are tried then say why.
  assert.equal(ended.code, 'origin');
});
