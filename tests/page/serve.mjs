// Serves the built site for tests: from a sub-path, as strict as the strictest host.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { extname, join, normalize, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the built site. */
export const DIST = resolve(
  process.env.PODSCOPE_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url)),
);

/** A host page's policy under which page and embed must work. */
export const STRICT_CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
  "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'";

const KINDS = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/**
 * Starts a server on a free port of localhost.
 * @param {{ base?: string, pages?: Record<string, string>, csp?: string }} options
 *   `base`: the sub-path of the site; `pages`: further pages by path below it (host pages of embeds).
 * @returns {Promise<{ url: string, requests: string[], close: () => Promise<void> }>}
 *   `url` ends with a slash; `requests` lists the paths asked for.
 */
export async function serve({ base = '/a/sub/path/', pages = {}, csp = STRICT_CSP } = {}) {
  if (!existsSync(join(DIST, 'index.html'))) {
    throw new Error(`${DIST} holds no site: run \`cargo xtask build\` first`);
  }
  const requests = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    requests.push(path);
    response.setHeader('Content-Security-Policy', csp);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const within = path.startsWith(base) ? path.slice(base.length) || 'index.html' : null;
    const file = within === null ? null : normalize(join(DIST, within));
    try {
      if (within !== null && Object.hasOwn(pages, within)) {
        response.setHeader('Content-Type', KINDS[extname(within)] ?? KINDS['.html']);
        response.end(pages[within]);
      } else if (file !== null && file.startsWith(DIST)) {
        const body = await readFile(file);
        response.setHeader('Content-Type', KINDS[extname(file)] ?? 'application/octet-stream');
        response.end(body);
      } else {
        throw new Error('outside the site');
      }
    } catch {
      response.statusCode = 404;
      response.end('not found');
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${server.address().port}${base}`;
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(() => done()));
  };
  return { url, requests, close };
}
