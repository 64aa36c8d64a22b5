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

/** Runs in a page that follows its sources. */
const RELOAD = "addEventListener('load', () => new EventSource('/reload').addEventListener('reload', () => location.reload()));";

/**
 * Serves `ui/` on 127.0.0.1; `/`, `/Familiar/`, `/Paciente/` and those under `/ayuda/` are the page, `/blank` is nothing.
 * @param {{ caching?: string, port?: number, reload?: boolean }} options  what `Cache-Control` says;
 *   whether the pages load again when `reload()` is called
 */
export async function serveUi({ caching = 'no-cache', port: wanted = 0, reload = false } = {}) {
  /** Pages that wait to be told. @type {Set<import('node:http').ServerResponse>} */
  const pages = new Set();
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname);
    if (reload && path === '/reload') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).write('retry: 500\n\n');
      pages.add(response);
      response.once('close', () => pages.delete(response));
      return;
    }
    if (reload && path === '/reload.js') {
      response.writeHead(200, { 'content-type': TYPES['.js'], 'cache-control': 'no-store' }).end(RELOAD);
      return;
    }
    if (path === '/blank') {
      response.writeHead(200, { 'content-type': TYPES['.html'] }).end('<!doctype html><title>blank</title>');
      return;
    }
    const file = /^\/(familiar|paciente|ayuda\/(certificado|permisos))?\/?$/i.test(path) ? '/index.html' : path;
    try {
      const read = await readFile(UI + file);
      const bytes = reload && extname(file) === '.html'
        ? read.toString().replace('</head>', '<script src="/reload.js"></script></head>')
        : read;
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'cache-control': caching }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(wanted, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    origin: `http://127.0.0.1:${port}`,
    reload() {
      for (const page of pages) page.write('event: reload\ndata:\n\n');
    },
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
