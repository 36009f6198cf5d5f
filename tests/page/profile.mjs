// Opens an instrumented site, does what a first visit does, and prints what of the engine ran.
//
//   node profile.mjs GLUE MARK      GLUE: name of the engine's JavaScript before hashing;
//                                   MARK: how the names of the marks begin

import { readdir } from 'node:fs/promises';
import { engineRunning, launch, open } from './browser.mjs';
import { DIST, serve } from './serve.mjs';

const [glue, mark] = process.argv.slice(2);
const stem = glue.replace(/\.js$/, '');
const file = (await readdir(DIST)).find((name) => name.startsWith(stem) && name.endsWith('.js'));

const site = await serve();
const browser = await launch();
const ran = new Set();
try {
  for (const viewport of [
    { width: 1440, height: 900 },
    { width: 360, height: 740 },
  ]) {
    const { page } = await open(browser, site.url, { viewport, reducedMotion: 'no-preference' });
    await engineRunning(page, 60_000);
    await page.waitForTimeout(500);
    const found = await page.evaluate(
      async ([script, prefix]) => {
        const { podscopeExports } = await import(script);
        return Object.entries(podscopeExports())
          .filter(([name, value]) => name.startsWith(prefix) && value.value === 1)
          .map(([name]) => name.slice(prefix.length));
      },
      [new URL(file, site.url).href, mark],
    );
    for (const name of found) ran.add(name);
    await page.context().close();
  }
} finally {
  await browser.close();
  await site.close();
}
console.log([...ran].sort().join('\n'));
