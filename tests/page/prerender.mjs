// Writes the first scene into index.html, as the running page draws it, so that it can be read before
// the engine has loaded and nothing jumps when it has. `cargo xtask prerender` runs it on the built
// site; site.test.mjs fails when index.html shows another scene than the page.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { engineRunning, launch, open } from './browser.mjs';
import { serve } from './serve.mjs';

const FILE = fileURLToPath(new URL('../../index.html', import.meta.url));
const BEGIN = '<div id="podscope-page">';
const END = '</div><!-- podscope-page -->';

// A picture is laid out for its pixels; the style sheet shows the one for the window's width.
const WIDTHS = [
  ['for-wide', { width: 1440, height: 900 }],
  ['for-middle', { width: 820, height: 1180 }],
  ['for-small', { width: 360, height: 740 }],
];

/** The page's markup and its two pictures. */
const parts = (page, name) =>
  page.evaluate((name) => {
    const root = document.getElementById('podscope-page').cloneNode(true);
    // Over its own coloured copy: without the engine it could not be used.
    root.querySelector('textarea')?.remove();
    // The textarea scrolled it.
    root.querySelector('.code')?.setAttribute('tabindex', '0');
    root.querySelectorAll('button').forEach((button) => button.removeAttribute('type'));
    // Requests to come are the engine's to know.
    root.querySelectorAll('.lanes .mk').forEach((mark) => mark.remove());
    root.querySelector('.range').setAttribute('value', '0');
    root.querySelectorAll('[style]').forEach((element) => element.removeAttribute('style'));
    const take = (selector) => {
      const svg = root.querySelector(selector);
      svg.classList.add(name);
      // A window of another size: not stretched.
      if (selector.startsWith('.lanes')) svg.setAttribute('preserveAspectRatio', 'xMinYMin meet');
      const markup = svg.outerHTML;
      svg.replaceWith(root.ownerDocument.createComment(selector));
      return markup;
    };
    const pictures = [take('.fig svg.pic'), take('.lanes svg')];
    return { html: root.innerHTML, pictures };
  }, name);

/** The first scene, as it stands in index.html. */
export async function firstScene(browser, url) {
  let html = '';
  const pictures = ['', ''];
  for (const [name, viewport] of WIDTHS) {
    const { page } = await open(browser, url, { reducedMotion: 'reduce', viewport });
    await engineRunning(page);
    await page.waitForSelector('.stage svg.pic', { state: 'attached' });
    await page.waitForTimeout(500);
    const found = await parts(page, name);
    html ||= found.html;
    pictures[0] += found.pictures[0];
    // The lanes keep their place; only the widest are worth their bytes.
    if (name === 'for-wide') pictures[1] += found.pictures[1];
    await page.context().close();
  }
  return html
    .replace('<!--.fig svg.pic-->', pictures[0])
    .replace('<!--.lanes svg-->', pictures[1])
    .replaceAll('\u200b', '')
    .trim();
}

/** What two scenes have in common when only measures differ: fonts are not the same everywhere. */
export const withoutMeasures = (scene) =>
  scene
    .replace(/(<div[^>]*class="lanes"[^>]*>).*?<\/div>/gs, '$1</div>')
    .replace(/ d="[^"]*"/g, '')
    .replace(/-?\d+(\.\d+)?/g, '0');

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
  const scene = await firstScene(browser, site.url);
  const { text, begin, end } = await template();
  await writeFile(FILE, `${text.slice(0, begin)}\n${scene}\n${text.slice(end)}`);
  console.log(`index.html: first scene of ${scene.length} characters`);
  await browser.close();
  await site.close();
}
