// Writes the first scene into index.html, as the running page draws it, so that it can be read before
// the engine has loaded. `node prerender.mjs` after a build; site.test.mjs checks that it is current.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { engineRunning, launch, open } from './browser.mjs';
import { serve } from './serve.mjs';

const FILE = fileURLToPath(new URL('../../index.html', import.meta.url));
const BEGIN = '<div id="podscope-page">';
const END = '</div><!-- podscope-page -->';

/** The first scene's markup: what differs between browsers or needs the engine is left out. */
export async function firstScene(page) {
  return page.evaluate(() => {
    const root = document.getElementById('podscope-page').cloneNode(true);
    // The engine fills these in; without it they are empty frames.
    root.querySelector('.lanes svg')?.replaceChildren();
    // Pictures for three widths cannot all be there: the stage waits for the engine, its words do not.
    for (const input of root.querySelectorAll('textarea, input, select, button')) {
      input.setAttribute('disabled', '');
    }
    root.querySelector('textarea')?.remove();
    root.querySelectorAll('[style]').forEach((element) => element.removeAttribute('style'));
    return root.innerHTML.replaceAll('\u200b', '').trim();
  });
}

export async function template() {
  const text = await readFile(FILE, 'utf8');
  const begin = text.indexOf(BEGIN) + BEGIN.length;
  const end = text.indexOf(END);
  if (begin < BEGIN.length || end < 0) throw new Error('index.html has no #podscope-page with its end mark');
  return { text, begin, end, scene: text.slice(begin, end).trim() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const site = await serve();
  const browser = await launch();
  const { page } = await open(browser, site.url, { reducedMotion: 'reduce' });
  await engineRunning(page);
  await page.waitForSelector('.stage svg.pic');
  await page.waitForTimeout(200);
  const scene = await firstScene(page);
  const { text, begin, end } = await template();
  await writeFile(FILE, `${text.slice(0, begin)}\n${scene}\n${text.slice(end)}`);
  console.log(`index.html: first scene of ${scene.length} characters`);
  await browser.close();
  await site.close();
}
