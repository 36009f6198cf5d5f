// What holds for the built site whatever the page shows: it starts under a strict policy from a
// sub-path, asks no other host for anything, and is readable before its engine runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineRunning, noAxeViolations, open } from './browser.mjs';
import { firstScene, template, withoutMeasures } from './prerender.mjs';
import { start } from './walks.mjs';

const env = start();

test('the page starts from a sub-path under a strict policy without a fault', async () => {
  const { page, faults } = await open(env.browser, env.site.url);
  await engineRunning(page);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('every request stays below the path that the site is served from', () => {
  const outside = env.site.requests.filter((path) => !path.startsWith('/a/sub/path/'));
  assert.deepEqual(outside, []);
});

test('each file of the first load is asked for once', () => {
  const counts = new Map();
  for (const path of env.site.requests) counts.set(path, (counts.get(path) ?? 0) + 1);
  assert.deepEqual([...counts].filter(([, count]) => count > 1), []);
});

test('the page is readable without the engine', async () => {
  const { page } = await open(env.browser, env.site.url, { javaScriptEnabled: false });
  const text = await page.locator('body').innerText();
  assert.match(text, /Podscope/);
  assert.match(text, /Kubernetes/);
  for (const part of [/apiVersion: apps\/v1/, /Play the birth of a Pod/, /API server/, /node-1/, /Scheduler/]) assert.match(text, part);
  assert.ok(await page.locator('.stage svg.pic').first().isVisible(), 'the picture is there');
  await page.context().close();
});

test('the prerendered scene is the one that the page draws', async () => {
  const { scene } = await template();
  const drawn = await firstScene(env.browser, env.site.url);
  assert.equal(withoutMeasures(scene), withoutMeasures(drawn), 'run `cargo xtask build` and `cargo xtask prerender`');
});

test('nothing jumps when the engine takes over', async () => {
  const places = ['.bar', '.manifest', '.code .l:nth-of-type(5)', '.intro h1', '.intro .btn', '.fig', '.explain', '.cast li:last-child', '.transport', '.steps', '.lanes', '.tabbar'];
  const boxes = async (page) => {
    const found = [];
    for (const place of places) {
      const box = await page.locator(place).first().boundingBox();
      found.push(`${place} ${box ? [box.x, box.y, box.width, box.height].map(Math.round).join(' ') : 'hidden'}`);
    }
    return found;
  };
  for (const viewport of [{ width: 1440, height: 900 }, { width: 820, height: 1180 }, { width: 360, height: 740 }]) {
    const before = await open(env.browser, env.site.url, { viewport, javaScriptEnabled: false });
    const after = await open(env.browser, env.site.url, { viewport });
    await engineRunning(after.page);
    assert.deepEqual(await boxes(before.page), await boxes(after.page), `at ${viewport.width}`);
    await before.page.context().close();
    await after.page.context().close();
  }
});

test('nothing is kept: no cookies', async () => {
  const { page } = await open(env.browser, env.site.url);
  await engineRunning(page);
  assert.deepEqual(await page.context().cookies(), []);
  await page.context().close();
});

for (const colorScheme of ['light', 'dark']) {
  for (const [name, viewport] of [
    ['desktop', { width: 1440, height: 900 }],
    ['phone', { width: 360, height: 740 }],
  ]) {
    test(`axe finds nothing: ${name}, ${colorScheme}`, async () => {
      const { page, faults } = await open(env.browser, env.site.url, { colorScheme, viewport });
      await engineRunning(page);
      await noAxeViolations(page, `start, ${name}, ${colorScheme}`);
      assert.deepEqual(faults, []);
      await page.context().close();
    });
  }
}

test('what is done before the second part is there is done when it is', async () => {
  const { page } = await open(env.browser, env.site.url);
  let go;
  const held = new Promise((resolve) => (go = resolve));
  await page.context().route(/_later/, (route) => held.then(() => route.continue()));
  await page.reload();
  await engineRunning(page);
  const play = page.getByRole('button', { name: 'Step forward' });
  await play.click({ noWaitAfter: true });
  assert.equal(await page.locator('html').getAttribute('data-later'), 'coming');
  assert.equal(await page.locator('.explain .title').count(), 0, 'nothing has happened yet');
  go();
  await page.locator('.explain .title').waitFor();
  assert.equal(await page.locator('html').getAttribute('data-later'), 'here');
  assert.match(await page.locator('.clock').innerText(), /1 of/i, 'one click is one step');
  await page.context().close();
});

test('a second part that cannot be fetched is said, nothing typed is lost, and the next act mends it', async () => {
  const { page } = await open(env.browser, env.site.url);
  let broken = true;
  await page.context().route(/_later/, (route) => (broken ? route.abort() : route.continue()));
  await page.reload(); // What was fetched before the break does not count.
  await engineRunning(page);
  const notice = page.locator('p.nolater');
  assert.equal(await notice.isVisible(), false);
  await page.keyboard.press('ArrowRight');
  await notice.waitFor({ state: 'visible' });
  const editor = page.locator('#manifest-text');
  const refused = page.waitForEvent('requestfailed'); // What is done before that is forgotten with it.
  await editor.evaluate((area) => {
    area.value = area.value.replace('cpu: 200m', 'cpu: 50m');
    area.dispatchEvent(new InputEvent('input', { bubbles: true }));
  });
  await refused;
  broken = false;
  await page.keyboard.press('Shift+ArrowRight');
  await page.locator('.explain .title').waitFor();
  assert.equal(await notice.isVisible(), false);
  assert.match(await editor.inputValue(), /cpu: 50m/);
  assert.ok((await page.locator('.diag').count()) > 0, 'what was typed meanwhile is known');
  await page.context().close();
});
