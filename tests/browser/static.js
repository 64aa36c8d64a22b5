// The page's files from a server of another origin than the relay's.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { extname, normalize } from 'node:path';

const UI = fileURLToPath(new URL('../../ui/', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ftl': 'text/plain; charset=utf-8',
};

/**
 * Serves `ui/` on 127.0.0.1; `/`, `/Familiar/` and `/Paciente/` are the page, `/blank` is nothing.
 * @param {{ caching?: string }} options  what `Cache-Control` says
 */
export async function serveUi({ caching = 'no-cache' } = {}) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname);
    if (path === '/blank') {
      response.writeHead(200, { 'content-type': TYPES['.html'] }).end('<!doctype html><title>blank</title>');
      return;
    }
    const file = /^\/(familiar|paciente)?\/?$/i.test(path) ? '/index.html' : path;
    try {
      const bytes = await readFile(UI + file);
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'cache-control': caching }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
