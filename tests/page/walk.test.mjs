// Walks through the page as a person would: plays, steps, goes back, breaks, edits, asks, shares.
// axe runs in every state; no console error, no foreign request, no policy violation may occur.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { engineRunning, launch, noAxeViolations, open } from './browser.mjs';
import { serve } from './serve.mjs';

let browser;
let site;

before(async () => {
  [browser, site] = await Promise.all([launch(), serve()]);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** Runs a walk on a fresh page and checks that nothing went wrong on the way. */
const walk = (name, path, steps, options = {}) =>
  test(name, async () => {
    const url = new URL(path, site.url).href;
    const { page, faults } = await open(browser, url, { reducedMotion: 'reduce', ...options });
    // Pages that only hold figures have no engine of their own.
    if (!/\.html/.test(path)) await engineRunning(page);
    await steps(page);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

const clock = (page) => page.locator('.clock').innerText();
const title = (page) => page.locator('.explain h2.title').innerText();
const press = async (page, key, times = 1) => {
  for (let i = 0; i < times; i += 1) await page.keyboard.press(key);
};

walk('step forward and back through the birth of a Pod', '', async (page) => {
  const start = await clock(page);
  const seen = [];
  for (let i = 0; i < 12; i += 1) {
    await press(page, 'ArrowRight');
    const now = await clock(page);
    assert.notEqual(now, seen.at(-1), 'every step moves the clock');
    seen.push(now);
    assert.notEqual((await title(page)).trim(), '', 'every step has a title');
  }
  assert.ok((await page.locator('.phase').innerText()).length > 0, 'the actor is named');
  await noAxeViolations(page, 'a step');
  for (const now of seen.reverse().slice(1)) {
    await press(page, 'ArrowLeft');
    assert.equal(await clock(page), now, 'stepping back shows the same moment');
  }
  await press(page, 'Home');
  assert.equal(await clock(page), start);
});

walk('every phase of the story can be reached', '', async (page) => {
  await press(page, 'End');
  await page.getByRole('button', { name: 'To the start' }).click();
  const phases = page.locator('.steps button');
  const count = await phases.count();
  assert.ok(count >= 9, `${count} phases`);
  for (let i = 0; i < count; i += 1) {
    await phases.nth(i).click();
    assert.equal(await phases.nth(i).getAttribute('aria-current'), 'step');
    // Words of ours, not a code.
    assert.doesNotMatch(await title(page), /^[a-z]+\.[a-z_.-]+$/);
  }
  await noAxeViolations(page, 'the last phase');
});

walk('three Pods run at the end, in the picture and in words', '', async (page) => {
  await press(page, 'End');
  const running = page.locator('.stage .pod[aria-label*="Running"]');
  assert.equal(await running.count(), 3);
  await press(page, 't');
  const table = page.locator('.astext');
  assert.match(await table.innerText(), /3 of 3 ready/);
  await noAxeViolations(page, 'the stage as text');
});

walk('playing moves time and can be paused', '', async (page) => {
  await page.getByRole('button', { name: 'Play the birth of a Pod' }).click();
  await page.waitForFunction(() => document.querySelector('.steps .cur') !== null);
  await press(page, ' ');
  const now = await clock(page);
  await page.waitForTimeout(1500);
  assert.equal(await clock(page), now, 'paused is paused');
});

walk('the insides of components open and close', '', async (page) => {
  await press(page, 'End');
  for (const name of [/^API server/, /^etcd/, /^scheduler/i, /^Deployment/, /^node-1/]) {
    await page.locator('.stage').getByRole('button', { name }).first().click();
    await page.getByRole('button', { name: 'Cluster', exact: true }).first().waitFor();
    await noAxeViolations(page, `inside ${name}`);
    await press(page, 'Escape');
    await page.locator('svg.pic').first().waitFor();
  }
});

walk('the inspector shows objects, diffs, events, etcd and a terminal', '', async (page) => {
  await press(page, 'End');
  await page.getByRole('tab', { name: 'Objects' }).click();
  await page.locator('.ipanel button', { hasText: /^nginx-/ }).first().click();
  assert.match(await page.locator('.side .code').innerText(), /kind: /);
  await noAxeViolations(page, 'an object');
  await page.getByRole('tab', { name: 'Events' }).click();
  assert.match(await page.locator('.ipanel').innerText(), /Scheduled/);
  await page.getByRole('tab', { name: 'etcd' }).click();
  assert.match(await page.locator('.ipanel').innerText(), /\/registry\/pods\/default\//);
  await noAxeViolations(page, 'etcd keys');
  await page.getByRole('tab', { name: 'kubectl' }).click();
  const prompt = page.getByRole('combobox', { name: 'kubectl command' });
  await prompt.fill('get pods');
  await prompt.press('Enter');
  await page.waitForFunction(() => /Running/.test(document.querySelector('.term')?.textContent ?? ''));
  await noAxeViolations(page, 'the terminal');
});

walk('a mistake is shown at its line and does not lose the text', '', async (page) => {
  const editor = page.getByRole('textbox', { name: /YAML/ });
  const text = await editor.inputValue();
  await editor.fill(text.replace('replicas: 3', 'replicsa: 3'));
  const problem = page.locator('.diag').first();
  await problem.waitFor();
  assert.match(await problem.innerText(), /replicsa/);
  assert.match(await problem.innerText(), /line 8/);
  await noAxeViolations(page, 'a diagnostic');
  await editor.fill(text);
  assert.equal(await page.locator('.diag').count(), 0);
});

walk('hostile text leaves the page alive', '', async (page) => {
  const editor = page.getByRole('textbox', { name: /YAML/ });
  page.setDefaultTimeout(60_000);
  const bomb = `a: &a [x,x]\n${[...'bcdefghij'].map((c, i) => `${c}: &${c} [*${'abcdefghi'[i]},*${'abcdefghi'[i]}]`).join('\n')}`;
  for (const text of ['{', '\t\t- :', bomb, '\u0000\u{1F600}: [', '- '.repeat(500), 'kind: Deployment\n'.repeat(300)]) {
    await editor.fill(text);
    await press(page, 'Control+Enter');
  }
  await editor.fill('kind: [');
  assert.ok((await page.locator('.diag').count()) > 0);
  assert.equal(await page.locator('#crash').count(), 0);
});

for (const hash of ['#%%%not-a-link', '#1.AAAAAAAAAAAAAAAAAAAAAAAA', `#${'x'.repeat(9000)}`]) {
  walk(`a broken link says so: ${hash.slice(0, 24)}`, hash, async (page) => {
    await page.getByRole('status').first().waitFor();
    assert.ok((await page.locator('.stage h1').count()) > 0, 'the first scene is there');
  });
}

walk('a shared link opens the very moment', '', async (page) => {
  await press(page, 'ArrowRight', 5);
  const now = await clock(page);
  await page.evaluate(() => {
    globalThis.copied = '';
    Object.defineProperty(navigator, 'clipboard', {
      value: { writeText: async (text) => void (globalThis.copied = text) },
    });
  });
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('button', { name: /Copy a link/ }).click();
  await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
  const link = await page.evaluate(() => globalThis.copied);
  assert.ok(link.length < 1500, `${link.length} characters`);
  await page.goto('about:blank');
  await page.goto(link);
  await engineRunning(page);
  assert.equal(await clock(page), now);
});

walk('a node can be broken and healed', '', async (page) => {
  await press(page, 'End');
  await page.getByRole('button', { name: 'Break something' }).click();
  await noAxeViolations(page, 'the fault palette');
  await page.locator('.pop').getByRole('button', { name: 'node-2' }).first().click();
  const heal = page.getByRole('button', { name: /^Heal/ }).first();
  await heal.waitFor();
  await page.getByRole('button', { name: /Next deadline/ }).click();
  await noAxeViolations(page, 'a broken node');
  await heal.click();
  await page.waitForFunction(() => !/^Heal/.test(document.querySelector('.stagehead .btn')?.textContent ?? ''));
});

walk('keyboard help opens, holds and closes', '', async (page) => {
  await press(page, '?');
  await page.getByRole('dialog').waitFor();
  await noAxeViolations(page, 'the shortcuts');
  await press(page, 'Escape');
  assert.equal(await page.getByRole('dialog').count(), 0);
});

for (const viewport of [{ width: 320, height: 640 }, { width: 360, height: 740 }, { width: 820, height: 1180 }]) {
  walk(`every pane is there at ${viewport.width} pixels, and nothing sticks out`, '', async (page) => {
    await press(page, 'ArrowRight', 8);
    for (const name of ['Explain', 'Manifest', 'Cluster', 'Inspect']) {
      await page.locator('.tabbar').getByRole('button', { name }).click();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`);
      await noAxeViolations(page, `${name} at ${viewport.width}`);
    }
  }, { viewport });
}

walk('two figures stand in another page under its strict policy', 'example.html', async (page) => {
  const figures = page.locator('pod-scope');
  assert.equal(await figures.count(), 2);
  await figures.first().locator('svg.pic').waitFor();
  await figures.last().scrollIntoViewIfNeeded();
  await figures.last().locator('svg.pic').waitFor();
  const modules = site.requests.filter((path) => path.endsWith('.wasm'));
  assert.ok(modules.length > 0);
  const before = await figures.first().locator('.etop').innerText();
  await figures.first().getByRole('button', { name: 'One step forward' }).click();
  assert.notEqual(await figures.first().locator('.etop').innerText(), before);
  assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0, 'nothing is stored');
  await noAxeViolations(page, 'a host page');
}, {});

walk('the iframe page takes its figure from the address', 'embed.html?preset=birth&step=scheduler&readonly', async (page) => {
  await page.locator('pod-scope').locator('svg.pic').waitFor();
  assert.match(await page.locator('pod-scope').locator('.ectl').innerText(), /Scheduler/);
});
