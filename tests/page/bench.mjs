// The page's budgets, measured in Chromium on the built site. `cargo xtask bench` runs it.
//
// Each measurement gets a fresh page and returns samples in milliseconds; the median is held against
// the budget. The page does the work; here is only the clock.

import { engineRunning, launch, open } from './browser.mjs';
import { serve } from './serve.mjs';

/**
 * @typedef {object} Measurement
 * @property {string} name
 * @property {number} target in milliseconds
 * @property {number} hard in milliseconds; above it the benchmark fails
 * @property {(page: import('playwright-core').Page) => Promise<number[]>} measure
 */

/** @type {Measurement[]} */
const MEASUREMENTS = [
  {
    name: 'wasm start to first live scene',
    target: 20,
    hard: 60,
    // From the moment the module is there to the engine's mark on the root element.
    measure: (page) =>
      page.evaluate(() => {
        const [start] = performance.getEntriesByName('podscope-start');
        const [live] = performance.getEntriesByName('podscope-live');
        return start && live ? [live.startTime - start.startTime] : [];
      }),
  },
];

/** How often a measurement is repeated, each time on a fresh page. */
const ROUNDS = 5;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const site = await serve();
const browser = await launch();
let over = 0;
console.log('measurement                               median ms    target      hard');
for (const { name, target, hard, measure } of MEASUREMENTS) {
  const samples = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { page } = await open(browser, site.url);
    await engineRunning(page);
    samples.push(...(await measure(page)));
    await page.context().close();
  }
  const value = median(samples);
  const verdict =
    value === undefined ? 'NOT MEASURED' : value > hard ? 'TOO SLOW' : value > target ? 'above target' : 'ok';
  if (value === undefined || value > hard) over += 1;
  const number = value === undefined ? '-' : value.toFixed(1);
  console.log(`${name.padEnd(40)} ${number.padStart(10)} ${String(target).padStart(9)} ${String(hard).padStart(9)}  ${verdict}`);
}
await browser.close();
await site.close();
process.exit(over > 0 ? 1 : 0);
