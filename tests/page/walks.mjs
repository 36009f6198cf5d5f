// What every walk through the page begins and ends with: a site, a browser, a fresh page, and nothing
// that went wrong on the way.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { engineWhole, launch, open } from './browser.mjs';
import { serve } from './serve.mjs';

/**
 * Starts site and browser for a file of tests, and stops them behind it.
 * @param {Parameters<typeof serve>[0]} [options] of the site
 * @returns {{ browser: import('playwright-core').Browser, site: Awaited<ReturnType<typeof serve>> }}
 *   filled before the first test
 */
export function start(options) {
  const env = {};
  before(async () => {
    [env.browser, env.site] = await Promise.all([launch(), serve(options)]);
  });
  after(async () => {
    await env.browser?.close();
    await env.site?.close();
  });
  return env;
}

/**
 * The same for a file of walks.
 * @param {(page: import('playwright-core').Page) => Promise<void>} [prepare] brings each fresh page
 *   to where the walks of this file begin
 * @param {number} [timeout] of a walk, in milliseconds
 * @returns {{ env: ReturnType<typeof start>, walk: Function }}
 *   `walk(name, path, steps, options)`: a test that does `steps(page)` on a fresh page at `path`;
 *   `options` as for a browser context
 */
export function walks(prepare = async () => {}, timeout = 240_000) {
  const env = start();
  const walk = (name, path, steps, options = {}) =>
    test(name, { timeout }, async () => {
      const url = new URL(path, env.site.url).href;
      const { page, faults } = await open(env.browser, url, { reducedMotion: 'reduce', ...options });
      // Pages that only hold figures have no engine of their own.
      if (!/\.html/.test(path)) await engineWhole(page);
      await prepare(page);
      await steps(page);
      assert.deepEqual(faults, []);
      await page.context().close();
    });
  return { env, walk };
}

/** Presses a key, as often as asked for. */
export const press = async (page, key, times = 1) => {
  for (let i = 0; i < times; i += 1) await page.keyboard.press(key);
};
