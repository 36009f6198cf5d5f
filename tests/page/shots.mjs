// Screenshots in three sizes, light and dark, into tests/page/shots/ (not in the repository).
//
//   cargo xtask shots [-- NAME…]       the built site's states named in states.mjs, or some of them
//   node shots.mjs --url URL           another site's start page
//   …  --size desktop|tablet|phone     --scheme light|dark   --full (the whole page, not the window)
//   …  --out FOLDER                    another folder
//   …  --docs                          the main states, into docs/screenshots/

import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { engineWhole, launch, open } from './browser.mjs';
import { reopen } from './crowd.mjs';
import { serve } from './serve.mjs';
import { STATES } from './states.mjs';

const SIZES = {
  desktop: { width: 1440, height: 900 },
  tablet: { width: 820, height: 1180 },
  phone: { width: 360, height: 740 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    size: { type: 'string', multiple: true, default: Object.keys(SIZES) },
    scheme: { type: 'string', multiple: true, default: ['light', 'dark'] },
    full: { type: 'boolean', default: false },
    out: { type: 'string' },
    docs: { type: 'boolean', default: false },
  },
});

const unknown = positionals.filter((name) => !Object.hasOwn(STATES, name));
if (unknown.length > 0) {
  console.error(`no state ${unknown.join(', ')}; there are: ${Object.keys(STATES).join(', ')}`);
  process.exit(2);
}
// What the documents show: each state in four pictures.
const MAIN = ['start', 'step', 'admission', 'scheduler', 'node', 'fire', 'reject', 'objects', 'compare', 'lesson-told', 'glossary', 'terminal'];
const PICTURES = ['desktop-light', 'desktop-dark', 'tablet-light', 'phone-light'];
const all = values.docs ? MAIN : Object.keys(STATES);
const states = positionals.length > 0 ? positionals : values.url ? ['start'] : all;

const place = values.docs ? '../../docs/screenshots/' : './shots/';
const folder = values.out ? `${resolve(values.out)}/` : fileURLToPath(new URL(place, import.meta.url));
await mkdir(folder, { recursive: true });
const site = values.url ? { url: values.url, close: async () => {} } : await serve();
const browser = await launch();
let failed = 0;

/** The same picture as WebP: a third of the bytes, for pictures that are kept. */
async function smaller(png) {
  const page = await browser.newPage();
  const url = await page.evaluate(async (png) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', 0.9);
  }, png.toString('base64'));
  await page.close();
  return Buffer.from(url.split(',')[1], 'base64');
}

for (const state of states) {
  for (const size of values.size) {
    for (const colorScheme of values.scheme) {
      const name = `${state}-${size}-${colorScheme}`;
      if (values.docs && !PICTURES.includes(`${size}-${colorScheme}`)) continue;
      const { path = '', act, scenario } = STATES[state];
      const { page, faults } = await open(browser, new URL(path, site.url).href, {
        viewport: SIZES[size],
        colorScheme,
        reducedMotion: 'reduce',
      });
      try {
        if (!values.url && !path.includes('.html')) await engineWhole(page);
        if (scenario) await reopen(page, site, scenario);
        await act?.(page);
        const picture = await page.screenshot({ fullPage: values.full });
        const [bytes, kind] = values.docs ? [await smaller(picture), 'webp'] : [picture, 'png'];
        await writeFile(`${folder}${name}.${kind}`, bytes);
        console.log(`${folder}${name}.${kind}`);
      } catch (error) {
        failed += 1;
        console.error(`${name}: ${error.message}`);
      }
      for (const fault of faults) console.error(`${name}: ${fault}`);
      await page.context().close();
    }
  }
}
await browser.close();
await site.close();
process.exit(failed > 0 ? 1 : 0);
