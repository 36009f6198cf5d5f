// The figure in other people's pages: lazy, one module for all, unharmed by the host's styles, under
// a strict policy.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noAxeViolations, open } from './browser.mjs';
import { start } from './walks.mjs';

// A host that does what badly mannered pages do: everything is huge, hidden or rotated.
const HOSTILE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
<link rel="stylesheet" href="./hostile.css">
<script type="module" src="./pod-scope.js"></script></head>
<body><main><h1>Host page</h1><div id="app">mine</div><p class="spacer">far above</p>
<pod-scope preset="birth" step="etcd" readonly><p>fallback one</p></pod-scope>
<pod-scope preset="birth"><p>fallback two</p></pod-scope></main></body></html>`;

const HOSTILE_CSS = `.spacer { height: 4000px } pod-scope { display: block; min-height: 300px }
button, svg, p, div, td { font-size: 90px !important; color: red !important; transform: rotate(3deg) }`;

const env = start({ pages: { 'hostile.html': HOSTILE, 'hostile.css': HOSTILE_CSS } });

/** Scrolls every figure into view and waits until it runs. */
async function allReady(page) {
  for (const figure of await page.locator('pod-scope').all()) {
    await figure.scrollIntoViewIfNeeded();
    await page.waitForFunction(
      (element) => element.shadowRoot?.querySelector('svg, [role="alert"]') !== null,
      await figure.elementHandle(),
      { timeout: 60_000 },
    );
    assert.equal(await figure.locator('[role="alert"].embed-failed').count(), 0, 'no failure screen');
  }
}

test('before a figure nears the view only its loader is fetched', async () => {
  const from = env.site.requests.length;
  const { page, faults } = await open(env.browser, `${env.site.url}hostile.html`);
  await page.waitForFunction(() => customElements.get('pod-scope') !== undefined);
  await page.waitForTimeout(300);
  const fetched = env.site.requests.slice(from).map((path) => path.replace('/a/sub/path/', ''));
  assert.deepEqual(fetched.filter((name) => !/^\/?(hostile|favicon)/.test(name)), ['pod-scope.js']);
  assert.deepEqual(faults.filter((fault) => !/favicon|404/.test(fault)), []);
  await page.context().close();
});

test('two figures on a hostile page run from one module and leave the page alone', async () => {
  const from = env.site.requests.length;
  const { page, faults } = await open(env.browser, `${env.site.url}hostile.html`);
  await allReady(page);
  const wasm = env.site.requests.slice(from).filter((path) => path.endsWith('.wasm'));
  // The engine may come in two parts, the second when it is needed.
  assert.deepEqual(wasm, [...new Set(wasm)], 'nothing is fetched twice');
  assert.equal(wasm.filter((path) => path.includes('_bg')).length, 1, 'one module');
  assert.equal(await page.locator('#app').innerText(), 'mine');
  const size = await page.evaluate(() => {
    const button = document.querySelector('pod-scope')?.shadowRoot?.querySelector('button');
    return button ? getComputedStyle(button).fontSize : 'no button';
  });
  assert.notEqual(size, '90px', "the host's styles stop at the figure");
  assert.deepEqual(faults.filter((fault) => !/favicon|404/.test(fault)), []);
  await page.context().close();
});

test('the example page and the iframe page run without a fault and without axe violations', async () => {
  for (const name of ['example.html', 'embed.html?preset=birth']) {
    const { page, faults } = await open(env.browser, `${env.site.url}${name}`);
    await allReady(page);
    await noAxeViolations(page, name);
    assert.deepEqual(faults.filter((fault) => !/favicon|404/.test(fault)), [], name);
    await page.context().close();
  }
});
