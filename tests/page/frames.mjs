// How long a frame takes while the page plays with many Pods: node frames.mjs [nodes] [Pods] [speed's index]
//
// Chromium's own counters give the processor time of the page's main thread; divided by the frames drawn.

import { launch } from './browser.mjs';
import { crowd, openScenario } from './crowd.mjs';
import { serve } from './serve.mjs';

const [nodes = 10, pods = 100, speed = 4] = process.argv.slice(2).map(Number);
const site = await serve();
const browser = await launch();
const { page } = await openScenario(browser, site, crowd(nodes, pods), { viewport: { width: 1440, height: 900 } });
const client = await page.context().newCDPSession(page);
await client.send('Performance.enable');
const counters = async () => {
  const { metrics } = await client.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
};
await page.locator('.speed').selectOption({ index: speed });
await page.evaluate(() => {
  globalThis.drawn = 0;
  globalThis.long = [];
  new PerformanceObserver((list) => globalThis.long.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'longtask' });
  let last = '';
  const tick = () => {
    const now = document.querySelector('.clock')?.textContent;
    if (now !== last) globalThis.drawn += 1;
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
});
await page.keyboard.press('End');
await page.keyboard.press('Home');
await page.locator('.stage').focus();
const before = await counters();
const [drawnBefore] = await page.evaluate(() => [globalThis.drawn]);
await page.keyboard.press(' ');
await page.waitForTimeout(3000);
await page.keyboard.press(' ');
const after = await counters();
const [drawn, long] = await page.evaluate(() => [globalThis.drawn, globalThis.long]);
const frames = Math.max(1, drawn - drawnBefore);
const each = (name) => (((after[name] - before[name]) * 1000) / frames).toFixed(1);
console.log(`${nodes} nodes, ${pods} Pods: ${frames} frames; task ${each('TaskDuration')} ms, script ${each('ScriptDuration')} ms, style ${each('RecalcStyleDuration')} ms, layout ${each('LayoutDuration')} ms a frame`);
console.log(`long tasks: ${long.length}, longest ${Math.max(0, ...long).toFixed(0)} ms`);
await browser.close();
await site.close();
