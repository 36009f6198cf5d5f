// What a browser may refuse: each time the page says so in a plain sentence, and what can work does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineRunning, noAxeViolations, open } from './browser.mjs';
import { STRICT_CSP, serve } from './serve.mjs';
import { start } from './walks.mjs';

const env = start();

/** Opens the page with something taken away before any script runs. */
async function openWithout(script, url = env.site.url) {
  const { page } = await open(env.browser, 'about:blank');
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.addInitScript(script);
  await page.goto(url);
  return { page, faults };
}

const readable = async (page) => {
  const text = await page.locator('body').innerText();
  for (const part of [/apiVersion: apps\/v1/, /API server/]) assert.match(text, part);
};

test('storage refused: everything works, nothing is kept', async () => {
  const { page, faults } = await openWithout(() => {
    for (const name of ['sessionStorage', 'localStorage']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('refused', 'SecurityError');
        },
      });
    }
  });
  await engineRunning(page);
  await page.keyboard.press('ArrowRight');
  await page.locator('.explain .title').waitFor();
  const editor = page.locator('#manifest-text');
  await editor.evaluate((area) => {
    area.value = area.value.replace('replicas: 3', 'replicas: 2');
    area.dispatchEvent(new InputEvent('input', { bubbles: true }));
  });
  await page.getByRole('button', { name: 'Theme' }).click();
  await page.getByRole('button', { name: 'Dark' }).click();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('WebAssembly refused by a policy: the scene stays readable, a sentence says why', async (context) => {
  const strict = await serve({ csp: STRICT_CSP.replace(" 'wasm-unsafe-eval'", '') });
  const { page } = await open(env.browser, strict.url);
  context.after(() => strict.close());
  const notice = page.getByRole('alert').filter({ hasText: 'could not start' });
  await notice.waitFor();
  await readable(page);
  await noAxeViolations(page, 'wasm refused');
  await page.context().close();
});

test('a browser without WebAssembly: the same', async () => {
  const { page } = await openWithout(() => {
    delete window.WebAssembly;
  });
  await page.getByRole('alert').filter({ hasText: 'could not start' }).waitFor();
  await readable(page);
  await page.context().close();
});

for (const part of ['_bg-', 'podscope-web-']) {
  test(`the connection is lost before ${part} has come: the page says that, not that the browser is old`, async () => {
    const { page } = await open(env.browser, 'about:blank');
    await page.route((url) => url.pathname.includes(part) && url.pathname.includes('podscope-web'), (route) => route.abort());
    await page.goto(env.site.url);
    const notice = page.getByRole('alert').filter({ hasText: part === '_bg-' ? 'could not be fetched' : 'could not' });
    await notice.first().waitFor();
    await readable(page);
    await page.context().close();
  });
}

test('scripts that never come: after a while a sentence says so', async () => {
  const { page } = await open(env.browser, 'about:blank');
  await page.route(/boot-/, (route) => route.abort());
  await page.goto(env.site.url);
  const notice = page.getByRole('status').filter({ hasText: 'has not started yet' });
  assert.equal(await notice.isVisible(), false);
  await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()));
  await notice.waitFor();
  await page.context().close();
});
