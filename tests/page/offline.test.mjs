// After one visit the page works without a connection; in a site of one piece (a quick build) it need not.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { engineRunning, open } from './browser.mjs';
import { DIST } from './serve.mjs';
import { start } from './walks.mjs';

const env = start();

test('after one visit the page runs without a connection', async (context) => {
  const boot = await readFile(join(DIST, 'index.html'), 'utf8').then((page) => page.match(/boot-\w+\.js/)[0]);
  if (!(await readFile(join(DIST, boot), 'utf8')).includes('serviceWorker')) {
    return context.skip('a quick build keeps nothing');
  }
  const { page } = await open(env.browser, env.site.url, { serviceWorkers: 'allow' });
  await engineRunning(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const before = env.site.requests.length;
  await page.context().setOffline(true);
  await page.reload();
  await engineRunning(page);
  await page.keyboard.press('ArrowRight');
  await page.locator('.explain .title').waitFor();
  assert.equal(env.site.requests.length, before, 'the host was not asked');
  await page.context().close();
});

test('the worker keeps each file once, and no file that a visit never needs', async () => {
  const worker = await readFile(join(DIST, 'sw.js'), 'utf8');
  const files = [...worker.match(/const FILES = \[(.*)\];/)[1].matchAll(/'([^']+)'/g)].map((found) => found[1]);
  assert.ok(files.includes('./') && files.some((file) => file.endsWith('.wasm')), files.join(' '));
  assert.deepEqual(files, [...new Set(files)]);
  assert.deepEqual(files.filter((file) => /words-|embed|example/.test(file)), []);
});
