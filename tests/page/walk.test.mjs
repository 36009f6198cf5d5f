// Walks through the page as a person would: plays, steps, goes back, breaks, edits, asks, shares.
// axe runs in every state; no console error, no foreign request, no policy violation may occur.

import assert from 'node:assert/strict';
import { engineWhole, noAxeViolations } from './browser.mjs';
import { press, walks } from './walks.mjs';

const { env, walk } = walks();

const clock = (page) => page.locator('.clock').innerText();
const title = (page) => page.locator('.explain h2.title').innerText();

/** Cuts the power of node-2; the faults' menu is open. */
const breakNode = async (page) => {
  await page.locator('.palette').getByRole('button', { name: /A machine loses its power/ }).click();
  await page.getByRole('combobox', { name: 'Node', exact: true }).selectOption('node-2');
  await page.getByRole('button', { name: 'Break it' }).click();
};

walk('step forward and back through the birth of a Pod', '', async (page) => {
  const high = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
  assert.ok(high <= 0, `the body scrolls by ${high} pixels`);
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

/** What the explain panel must show at the nine phases: data of that very step. */
const NINE = [
  ['Submit', /apply -f nginx\.yaml/],
  ['API server', /POST|deployments/],
  ['etcd', /\/registry\/deployments\/default\/nginx/],
  ['Deployment', /nginx-[0-9a-f]+/],
  ['ReplicaSet', /generateName: nginx-[0-9a-f]+-/],
  ['Scheduler', /nginx-[0-9a-f]+-[0-9a-z]{5}|node-\d/],
  ['Kubelet', /node-\d/],
  ['CRI, CNI, OCI', /sandbox|Sandbox|image|cgroup/i],
  ['Status', /status/],
];

walk('the nine phases show their data, forward and back', '', async (page) => {
  const panel = page.locator('.explain');
  const seen = [];
  for (const [name, data] of NINE) {
    await press(page, 'Shift+ArrowRight');
    assert.equal(await page.locator('.steps .cur .name').innerText(), name);
    const words = await panel.innerText();
    for (const part of [/What happens\n+./, /Why it matters\n+./, /Caused by\n+./]) assert.match(words, part, name);
    const tabs = await panel.locator('.seg [role=tab]').count();
    assert.ok(tabs > 0, `${name} has data`);
    let all = words;
    for (let i = 0; i < tabs; i += 1) {
      await panel.locator('.seg [role=tab]').nth(i).click();
      all += await panel.locator('#explain-data').innerText();
    }
    assert.match(all, data, name);
    await noAxeViolations(page, name);
    seen.push([name, await title(page), await clock(page)]);
  }
  for (const [name, words, now] of seen.reverse().slice(1)) {
    await press(page, 'Shift+ArrowLeft');
    assert.deepEqual([await page.locator('.steps .cur .name').innerText(), await title(page), await clock(page)], [name, words, now]);
  }
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
  await page.getByRole('tab', { name: 'Scheduler' }).click();
  assert.match(await page.locator('.ipanel').innerText(), /NodeResourcesFit/);
  await noAxeViolations(page, 'the scheduler in the inspector');
  await page.getByRole('tab', { name: 'Node', exact: true }).click();
  assert.match(await page.locator('.ipanel').innerText(), /node-1/);
  await noAxeViolations(page, 'the nodes in the inspector');
  await page.getByRole('tab', { name: 'kubectl' }).click();
  const prompt = page.getByRole('combobox', { name: 'kubectl command' });
  await prompt.fill('get pods');
  await prompt.press('Enter');
  await page.waitForFunction(() => /Running/.test(document.querySelector('.tty')?.textContent ?? ''));
  await prompt.fill('get nonsense');
  await prompt.press('Enter');
  await page.waitForFunction(() => /doesn't have a resource type "nonsense"/.test(document.querySelector('.tty')?.textContent ?? ''));
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

walk('an edited manifest is applied and its Pods follow', '', async (page) => {
  const editor = page.getByRole('textbox', { name: /YAML/ });
  await editor.fill((await editor.inputValue()).replace('replicas: 3', 'replicas: 2'));
  await editor.press('Control+Enter');
  assert.match(await title(page), /kubectl apply/);
  await editor.press('Escape');
  await page.locator('.stage').focus();
  await press(page, 'End');
  await page.locator('.stage .pod[aria-label*="Running"]').first().waitFor();
  assert.equal(await page.locator('.stage .pod[aria-label*="Running"]').count(), 2);
  // In the past the same command makes another future.
  await page.getByRole('button', { name: 'To the start' }).click();
  await editor.fill((await editor.inputValue()).replace('replicas: 2', 'replicas: 4'));
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await page.getByRole('button', { name: 'To the end of what is known' }).click();
  assert.equal(await page.locator('.stage .pod[aria-label*="Running"]').count(), 4);
});

walk('two megabytes in the editor are refused, not swallowed', '', async (page) => {
  const fill = (text) =>
    page.locator('#manifest-text').evaluate((area, value) => {
      area.value = value;
      area.dispatchEvent(new InputEvent('input', { bubbles: true }));
    }, text);
  const text = await page.locator('#manifest-text').inputValue();
  await fill(`${text}${'# two megabytes of words\n'.repeat(84_000)}`);
  await page.locator('.diag').first().waitFor();
  assert.match(await page.locator('.diag').first().innerText(), /too large|Too large/);
  await fill(text);
  assert.equal(await page.locator('.diag').count(), 0);
  await page.getByRole('button', { name: 'One step forward' }).click();
  assert.match(await clock(page), /step \d+ of/);
});

walk('a theme is chosen, kept over a reload, and readable', '', async (page) => {
  for (const [name, value] of [['Dark', 'dark'], ['High contrast', 'contrast'], ['Light', 'light']]) {
    await page.getByRole('button', { name: 'Theme' }).click();
    await page.locator('.pop').getByRole('button', { name }).click();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), value);
    await noAxeViolations(page, `theme ${name}`);
  }
  await page.reload();
  await engineWhole(page);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
});

walk('everything is reached by keyboard', '', async (page) => {
  await press(page, 'Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.className), 'skip');
  await press(page, 'Enter');
  await press(page, '4');
  await press(page, 'ArrowRight');
  assert.match(await clock(page), /step 1 of/);
  await press(page, '1');
  await press(page, 'ArrowRight', 2);
  await press(page, 'End');
  assert.equal(await page.locator('.steps .cur .name').innerText(), 'Status');
  // The stage's shapes are buttons: each opens by Enter, Escape comes back.
  await page.locator('.stage [role=button]').first().focus();
  await press(page, 'Enter');
  await page.getByRole('button', { name: 'Cluster', exact: true }).first().waitFor();
  await press(page, 'Escape');
  // Tab lists move by arrows.
  await page.getByRole('tab', { name: 'Objects' }).focus();
  await press(page, 'ArrowRight');
  assert.equal(await page.getByRole('tab', { name: 'Events' }).getAttribute('aria-selected'), 'true');
  // Tab indents in the editor, until Escape lets it go.
  const editor = page.getByRole('textbox', { name: /YAML/ });
  await editor.focus();
  await press(page, 'Tab');
  assert.ok(await editor.evaluate((area) => document.activeElement === area));
  await press(page, 'Escape');
  await press(page, 'Tab');
  assert.ok(await editor.evaluate((area) => document.activeElement !== area));
});

walk('a short link opens at its step', '#1p.birth.400', async (page) => {
  assert.match(await clock(page), /step 400 of/);
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
  await engineWhole(page);
  assert.equal(await clock(page), now);
});

walk('a node loses power, its timers run, its Pod is replaced', '', async (page) => {
  await press(page, 'End');
  await page.getByRole('button', { name: 'Break something' }).click();
  await breakNode(page);
  assert.match(await page.locator('.timers').innerText(), /Lease of node-2/);
  const seconds = async () => {
    const now = (await clock(page)).split('\n')[0];
    return Number.parseFloat(now) / (now.includes('ms') ? 1000 : 1);
  };
  const start = await seconds();
  const node = page.locator('.stage [role=button][aria-label^="node-2"]');
  await press(page, 'Shift+ArrowRight');
  assert.equal(await page.locator('.steps .cur .name').innerText(), 'Lease goes stale');
  for (let i = 0; i < 20 && !(await node.getAttribute('aria-label')).includes('NotReady'); i += 1) await press(page, 'ArrowRight');
  assert.match(await node.getAttribute('aria-label'), /NotReady/);
  const unknown = (await seconds()) - start;
  assert.ok(unknown >= 40 && unknown <= 56, `NotReady after ${unknown} s`);
  await noAxeViolations(page, 'a silent node');
  await press(page, 'End');
  const after = (await seconds()) - start;
  assert.ok(after >= 340 && after <= 400, `all is replaced after ${after} s`);
  assert.equal(await page.locator('.stage .pod[aria-label*="Running"]').count(), 3);
  // Two stories: the one that is over is one step of the strip.
  assert.match(await page.locator('.steps .far').first().innerText(), /1–9/);
  const cut = await page.locator('.steps .name').evaluateAll((names) => names.filter((name) => name.scrollWidth > name.clientWidth).map((name) => name.textContent));
  assert.deepEqual(cut, [], 'no phase is cut off');
});

walk('a node can be broken and healed', '', async (page) => {
  await press(page, 'End');
  await page.getByRole('button', { name: 'Break something' }).click();
  await noAxeViolations(page, 'the fault palette');
  await breakNode(page);
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
    const high = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
    assert.ok(high <= 0, `the body scrolls by ${high} pixels`);
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
  const modules = env.site.requests.filter((path) => path.endsWith('.wasm'));
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
