// Behind nginx: TLS ends there, the relay is told by headers who asks, and believes only the proxy
// that it was told of.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium, PATIENCE, until } from './browsers.js';
import { command, folder, participant, relay } from './harness.js';
import { joinFrom, rowOf } from './page.js';
import { open } from './screens.js';
import { writeY4m } from './y4m.js';

const NAME = 'visitas.test';

let files;
let camera;

before(() => {
  files = mkdtempSync(join(tmpdir(), 'visita-proxy-'));
  camera = writeY4m(join(files, 'camera.y4m'));
});

after(() => rmSync(files, { recursive: true, force: true }));

/** A port that nobody listens on. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** nginx with a certificate of its own, in front of relays: `[port here, the relay's port]`. */
async function nginx(t, servers) {
  const at = folder(t);
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(at, name));
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`,
    '-keyout', join(at, 'key.pem'), '-out', join(at, 'cert.pem'),
  ], { stdio: 'ignore' });
  const blocks = servers.map(([port, to]) => `
    server {
      listen 127.0.0.1:${port} ssl;
      server_name ${NAME};
      ssl_certificate ${at}/cert.pem;
      ssl_certificate_key ${at}/key.pem;
      location / {
        proxy_pass https://127.0.0.1:${to};
        proxy_ssl_verify off;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_buffering off;
        proxy_read_timeout 1h;
      }
    }`);
  const conf = join(at, 'nginx.conf');
  writeFileSync(conf, `
    daemon off;
    master_process off;
    pid ${at}/pid;
    error_log stderr warn;
    events { worker_connections 256; }
    http {
      access_log off;
      client_body_temp_path ${at}/body; proxy_temp_path ${at}/proxy; fastcgi_temp_path ${at}/fastcgi;
      uwsgi_temp_path ${at}/uwsgi; scgi_temp_path ${at}/scgi;
      map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
      ${blocks.join('')}
    }`);
  return command(t, process.env.VISITA_NGINX ?? '/usr/sbin/nginx', ['-p', at, '-c', conf, '-e', 'stderr']);
}

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
  assert.equal(ended.code, 'unreachable');
});
