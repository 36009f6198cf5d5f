// A made-up language with longer words and other letters, built from the English words, shows what a
// translation would break: words in the code, boxes of one language's size, letters that are cut.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineWhole, noAxeViolations, open } from './browser.mjs';
import { press, walks } from './walks.mjs';

const { env, walk } = walks();

/** Texts that are cut off without a sign, and controls that stand outside the window. */
const clipped = (page) =>
  page.evaluate(() => {
    const found = [];
    const name = (element) => `${element.tagName.toLowerCase()}.${[...element.classList].join('.')}: ${element.textContent.trim().slice(0, 60)}`;
    for (const element of document.querySelectorAll('#podscope-page *')) {
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      if (style.visibility === 'hidden' || box.width <= 1 || box.height <= 1 || !element.checkVisibility()) continue;
      const texts = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
      const cut = ['hidden', 'clip'].includes(style.overflowX) && style.textOverflow !== 'ellipsis';
      if (texts && cut && element.scrollWidth > element.clientWidth + 1) found.push(`cut: ${name(element)}`);
      const isControl = element.matches('.bar button, .transport button, .foot button, .tabbar button, .stagehead button');
      if (isControl && (box.left < -1 || box.right > innerWidth + 1)) found.push(`outside: ${name(element)}`);
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
    return found;
  });

/** Words of the page (not of the machine) that are still English. */
const english = (page) =>
  page.evaluate(() => {
    const found = [];
    const places = '.bar button, .head h2, .foot button, .tab, .prose h3, .prose p, .tabbar button, .intro h1, .intro p, .help h2, .help dt, .help dd, .pop button, .pop h2, [aria-label]';
    for (const element of document.querySelectorAll(`#podscope-page :is(${places})`)) {
      if (!element.checkVisibility() || element.closest('svg, .mono, code, pre')) continue;
      const text = element.getAttribute('aria-label') ?? element.textContent;
      // Names of things, and requests, are the same in any language.
      if (/\b(GET|POST|PUT|PATCH|DELETE|WATCH) \//.test(text)) continue;
      if (/[a-z]{3}/i.test(text) && !/[λáéíóúñçöüý]/.test(text) && !/^(Podscope|YAML|kubectl|etcd|node-\d|[\w.-]+\.ya?ml)/.test(text.trim())) found.push(text.trim().slice(0, 80));
    }
    return found;
  });

for (const viewport of [
  { width: 1440, height: 900 },
  { width: 820, height: 1180 },
  { width: 360, height: 740 },
]) {
  walk(`another language at ${viewport.width}: no English left, nothing cut, axe finds nothing`, '?lang=qps', async (page) => {
    assert.equal(await page.locator('html').getAttribute('lang'), 'qps');
    const look = async (state) => {
      assert.deepEqual(await clipped(page), [], state);
      assert.deepEqual(await english(page), [], state);
    };
    await look('start');
    for (let step = 0; step < 4; step += 1) {
      await press(page, 'Shift+ArrowRight');
      await press(page, 'ArrowRight');
      await look(`step ${step}`);
    }
    await press(page, 'End');
    await look('end');
    // No list of languages has this one.
    await page.evaluate(() => (document.documentElement.lang = 'en'));
    await noAxeViolations(page, `qps at ${viewport.width}`);
  }, { viewport });
}

walk('a language without words is English', '?lang=zz', async (page) => {
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  assert.match(await page.locator('.intro h1').innerText(), /one step at a time/);
});

test('words that cannot be fetched leave the page English', async () => {
  const { page } = await open(env.browser, 'about:blank');
  await page.route(/words-qps/, (route) => route.abort());
  await page.goto(`${env.site.url}?lang=qps`);
  await engineWhole(page);
  assert.match(await page.locator('.intro h1').innerText(), /one step at a time/);
  await page.context().close();
});
