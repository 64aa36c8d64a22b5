// nginx in front of relays, and ports for it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { command, folder } from './harness.js';

/** What the proxy's certificate is for. */
export const NAME = 'visitas.test';

/** A port that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * nginx with a certificate of its own, in front of relays: `[port here, the relay's port]`. `more`: lines
 * of its location.
 */
export async function nginx(t, servers, { ssl = 'ssl', more = 'proxy_buffering off;' } = {}) {
  const at = folder(t);
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(at, name));
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`,
    '-keyout', join(at, 'key.pem'), '-out', join(at, 'cert.pem'),
  ], { stdio: 'ignore' });
  const blocks = servers.map(([port, to]) => `
    server {
      listen 127.0.0.1:${port} ${ssl};
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
        ${more}
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
