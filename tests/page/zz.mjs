import { launch, open, engineRunning } from './browser.mjs';
import { serve } from './serve.mjs';
const site = await serve(); const b = await launch();
const dir = '/tmp/page/s/';
const press = async (p, k, n = 1) => { for (let i = 0; i < n; i++) await p.keyboard.press(k); };
const shot = async (name, path, viewport, act, extra = {}) => {
  const { page } = await open(b, new URL(path, site.url).href, { viewport, reducedMotion: 'reduce', ...extra });
  if (extra.javaScriptEnabled !== false && !path.includes('.html')) await engineRunning(page);
  if (act) await act(page);
  await page.screenshot({ path: `${dir}${name}.png` });
  await page.context().close();
};
const D = { width: 1440, height: 900 }, T = { width: 820, height: 1180 }, P = { width: 360, height: 740 }, S = { width: 320, height: 640 };
const jobs = {
  nojs: () => shot('nojs', '', D, null, { javaScriptEnabled: false }),
  nojsphone: () => shot('nojsphone', '', P, null, { javaScriptEnabled: false }),
  fire: () => shot('fire', '?preset=node-burns-down', D, (p) => press(p, 'End')),
  firemid: () => shot('firemid', '?preset=node-burns-down', D, async (p) => { await press(p, 'Shift+ArrowRight', 11); await press(p, 'ArrowRight', 4); }, { colorScheme: 'dark' }),
  firetab: () => shot('firetab', '?preset=node-burns-down', T, async (p) => { await press(p, 'Shift+ArrowRight', 11); await press(p, 'ArrowRight', 4); }),
  firephone: () => shot('firephone', '?preset=node-burns-down', P, async (p) => { await press(p, 'Shift+ArrowRight', 11); await press(p, 'ArrowRight', 4); }),
  objects: () => shot('objects', '', D, async (p) => { await press(p, 'End'); await p.getByRole('tab', { name: 'Objects' }).click(); await p.locator('.ipanel td button', { hasText: /^nginx/ }).first().click(); }),
  sched: () => shot('sched', '', D, async (p) => { await press(p, 'Shift+ArrowRight', 6); await press(p, 'ArrowRight', 6); await p.locator('.stage').getByRole('button', { name: /^scheduler/i }).first().dispatchEvent('click'); }),
  s320: () => shot('s320', '', S, (p) => press(p, 'ArrowRight', 8)),
  s320man: () => shot('s320man', '', S, (p) => p.locator('.tabbar').getByRole('button', { name: 'Manifest' }).click()),
  forced: () => shot('forced', '', D, (p) => press(p, 'ArrowRight', 8), { forcedColors: 'active' }),
  terminal: () => shot('terminal', '', D, async (p) => { await press(p, 'End'); await p.getByRole('tab', { name: 'kubectl' }).click(); const i = p.getByRole('combobox', { name: 'kubectl command' }); await i.fill('get pods -o wide'); await i.press('Enter'); await p.waitForTimeout(500); }, { colorScheme: 'dark' }),
  palette: () => shot('palette', '', D, async (p) => { await press(p, 'End'); await p.getByRole('button', { name: 'Break something' }).click(); }),
  example: () => shot('example', 'example.html', { width: 1100, height: 2000 }, async (p) => { await p.waitForTimeout(4000); }),
  cri: () => shot('cri', '', D, async (p) => { await press(p, 'Shift+ArrowRight', 8); await press(p, 'ArrowRight', 9); }),
  phases: () => shot('phase6', '', T, async (p) => { await press(p, 'Shift+ArrowRight', 6); await press(p, 'ArrowRight', 6); }, { colorScheme: 'dark' }),
};
for (const name of process.argv.slice(2).length ? process.argv.slice(2) : Object.keys(jobs)) { try { await jobs[name](); } catch (e) { console.log(name, e.message); } }
await b.close(); await site.close();
