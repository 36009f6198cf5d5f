// The stage: semantic zoom down to one call, every inside with its data, many nodes, text equal to the
// picture, messages that differ without colour, travel before change.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noAxeViolations } from './browser.mjs';
import { crowd, openScenario } from './crowd.mjs';
import { press, walks } from './walks.mjs';

const { env, walk } = walks();

const button = (page, name) => page.locator('.stage').getByRole('button', { name }).first();
const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent);
const stage = (page) => page.locator('.stage').innerText();

walk('Enter goes in, Escape goes out, and the focus comes back', '', async (page) => {
  await press(page, 'Shift+ArrowRight', 3);
  await button(page, /^API server/).focus();
  const from = await focused(page);
  await press(page, 'Enter');
  await page.locator('.crumbs').waitFor();
  assert.match(await focused(page), /API server/, 'the title has the focus');
  await noAxeViolations(page, 'inside the API server');
  const request = page.locator('.diff button.opens', { hasText: 'POST deployments' });
  await request.focus();
  await press(page, 'Enter');
  await page.locator('.callin').waitFor();
  const levels = await page.locator('.crumbs li').allInnerTexts();
  assert.deepEqual(levels.map((level) => level.trim()), ['Cluster', 'API server', 'POST deployments nginx']);
  const words = await stage(page);
  for (const part of [/POST \/apis\/apps\/v1\/namespaces\/default\/deployments/, /It knows who is asking: kubernetes-admin/]) assert.match(words, part);
  await noAxeViolations(page, 'a call');
  await press(page, 'Escape');
  await page.locator('.pipe').waitFor();
  assert.equal(await focused(page), 'POST deployments nginx');
  await press(page, 'Escape');
  await page.locator('.crumbs').waitFor({ state: 'detached' });
  assert.equal(await focused(page), from);
  // The trail leads over any number of levels.
  await press(page, 'Enter');
  await page.locator('.diff button.opens').first().click();
  await page.locator('.crumbs').getByRole('button', { name: 'Cluster' }).click();
  await page.locator('svg.pic .pod, svg.pic .node').first().waitFor();
  assert.equal(await page.locator('.crumbs').count(), 0);
});

walk('the request moves through its stages, each with what it changed', '', async (page) => {
  await press(page, 'Shift+ArrowRight', 4);
  await button(page, /^API server/).click();
  await page.locator('.diff').waitFor();
  const pick = async (name) => {
    await page.locator('.pipe').getByRole('button', { name }).focus();
    await press(page, 'Enter');
    return page.locator('.diff').innerText();
  };
  await page.locator('.diff button.opens', { hasText: 'POST deployments' }).waitFor();
  const shown = await page.locator('.diff').innerText();
  assert.match(shown, /\d+ lines? as before/);
  assert.match(await pick(/^Decode and default/), /progressDeadlineSeconds: 600/);
  assert.match(await pick(/^Validation/), /uid: /);
  assert.match(await pick(/^etcd/), /resourceVersion: /);
  assert.match(await pick(/^Authentication/), /leaves the object as it is/);
  assert.match(await page.locator('.pipe').innerText(), /kubernetes-admin/);
});

const INSIDES = [
  [/^kubectl/, 9, [/\$ kubectl apply -f nginx\.yaml/, /POST deployments nginx/, /404 Not Found/, /201 Created/]],
  [/^etcd/, 9, [/Raft term 2/, /etcd-1 leads/, /committed up to revision \d+/, /PUT \/registry\/pods\/default\/nginx-/, /Created at/]],
  [/^ReplicaSet/, 5, [/default\/nginx-[0-9a-f]+/, /3 Pods/, /0 Pods/, /≠/, /POST pods/, /20 requests a second, 30 at once/]],
  [/^Deployment/, 9, [/3 replicas/, /3 in its ReplicaSets/, /✓/, /PUT deployments\/status nginx/]],
  [/^scheduler/, 7, [/NodeResourcesFit/, /Filter/, /Total/, /chosen/]],
  [/^node-1/, 0, [/What the kubelet is doing/, /watches 1 running container/, /nginx/, /Routes/]],
];

for (const [name, phase, parts] of INSIDES) {
  walk(`inside ${name}: its own data, as a picture and as text`, '', async (page) => {
    if (phase === 0) await press(page, 'End');
    await press(page, 'Shift+ArrowRight', phase);
    if (phase > 0) await press(page, 'ArrowRight', 2);
    await button(page, name).focus();
    await press(page, 'Enter');
    await page.locator('.crumbs').waitFor();
    const words = await stage(page);
    for (const part of parts) assert.match(words, part);
    await noAxeViolations(page, `inside ${name}`);
    await press(page, 't');
    await page.locator('.astext-button[aria-pressed=true]').waitFor();
    const text = await stage(page);
    for (const part of parts) assert.match(text, part, `as text: ${part}`);
    assert.equal(await page.locator('.stage svg.pic').count(), 0, 'no picture is left');
    await noAxeViolations(page, `inside ${name} as text`);
  });
}

walk('a CRI call and a plugin open as well', '', async (page) => {
  await press(page, 'End');
  await button(page, /^node-1/).click();
  await button(page, /^RunPodSandbox/).focus();
  await press(page, 'Enter');
  await page.locator('.callin').waitFor();
  const words = await stage(page);
  for (const part of [/kubelet node-1/, /containerd node-1/, /RunPodSandbox/, /Its steps/, /The Pod gets an address/]) assert.match(words, part);
  await noAxeViolations(page, 'a CRI call');
  await press(page, 'Escape', 2);
  await button(page, /^scheduler/).click();
  await page.locator('.mx button.opens', { hasText: 'NodeResourcesFit' }).click();
  await page.locator('.crumbs h1', { hasText: 'NodeResourcesFit' }).waitFor();
  assert.match(await stage(page), /Refuses nodes without enough unrequested CPU/);
  await noAxeViolations(page, 'a plugin');
});

walk('a write travels through the members of etcd', '', async (page) => {
  await press(page, '4');
  await press(page, 'Shift+ArrowRight', 3);
  await button(page, /^etcd/).click();
  const states = [];
  for (let i = 0; i < 40 && !/is committed as revision/.test(states.at(-1) ?? ''); i += 1) {
    const writing = page.locator('.writing');
    if ((await writing.count()) > 0) states.push(await writing.innerText());
    await press(page, 'ArrowRight');
    await page.waitForTimeout(30);
  }
  const seen = states.join('\n');
  for (const part of [/is on its way from the leader/, /1 member has it/, /is committed as revision/]) assert.match(seen, part);
});

walk('message kinds differ without colour; the legend names them', '', async (page) => {
  await press(page, '?');
  await page.locator('.shapes').waitFor();
  const lines = await page.locator('.shapes path[marker-end]').evaluateAll((paths) =>
    paths.map((path) => [getComputedStyle(path).strokeDasharray, path.getAttribute('marker-end')].join(' ')));
  assert.equal(new Set(lines).size, 4, `four kinds: ${lines.join('; ')}`);
  assert.equal(await page.locator('.shapes .pod').count(), 9);
  await noAxeViolations(page, 'the legend');
});

walk('a Pod that is being made shows its status and fills from the left', '', async (page) => {
  await press(page, 'Shift+ArrowRight', 8);
  await press(page, 'ArrowRight', 4);
  await page.locator('.stage .made').first().waitFor();
  const pod = page.locator('.stage g:has(> .pod)', { hasText: 'ContainerCreating' }).first();
  const width = async (part) => Number(await pod.locator(part).first().getAttribute('width'));
  const [whole, made] = [await width('rect.pod-wait'), await width('.made')];
  assert.ok(made > 4 && made < whole, `${made} of ${whole}`);
  // Nothing waits for long: no meters during the birth.
  assert.equal(await page.locator('.timers').count(), 0);
});

/** Boxes of nodes do not overlap, lie in the picture, and no text is smaller than 11 pixels. */
const sound = async (page, what) => {
  const problems = await page.evaluate(() => {
    const found = [];
    const svg = document.querySelector('.stage svg.pic').getBoundingClientRect();
    const rects = [...document.querySelectorAll('.stage rect.node, .stage .pod > rect:first-child')];
    const nodes = rects.filter((rect) => rect.classList.contains('node')).map((rect) => rect.getBoundingClientRect());
    for (const [i, a] of nodes.entries()) {
      if (a.left < svg.left - 1 || a.right > svg.right + 1 || a.bottom > svg.bottom + 1) found.push(`node ${i} leaves the picture`);
      for (const b of nodes.slice(i + 1)) {
        if (a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5) found.push(`nodes overlap at ${a.left},${a.top}`);
      }
    }
    const scale = svg.width / document.querySelector('.stage svg.pic').viewBox.baseVal.width;
    for (const text of document.querySelectorAll('.stage svg.pic text')) {
      const size = Number.parseFloat(getComputedStyle(text).fontSize) * scale;
      if (size < 10.99) found.push(`"${text.textContent}" is ${size} px`);
    }
    return found.slice(0, 5);
  });
  assert.deepEqual(problems, [], what);
};

for (const [nodes, pods, viewport] of [
  [50, 100, { width: 1440, height: 900 }],
  [120, 60, { width: 1440, height: 900 }],
  [50, 60, { width: 360, height: 740 }],
  [30, 60, { width: 820, height: 1180 }],
]) {
  test(`${nodes} nodes and ${pods} Pods at ${viewport.width} pixels`, { timeout: 240_000 }, async () => {
    const { page, faults } = await openScenario(env.browser, env.site, crowd(nodes, pods), { viewport, reducedMotion: 'reduce' });
    await press(page, 'End');
    await page.waitForFunction(() => /of \d+ ready/.test(document.querySelector('.stage svg.pic')?.getAttribute('aria-label') ?? ''));
    const drawn = await page.locator('.stage').getByRole('button', { name: /^node-\d+, / }).count();
    assert.equal(drawn, nodes, 'every node is there');
    await sound(page, `${nodes} nodes`);
    await noAxeViolations(page, `${nodes} nodes`);
    // The text has all of them too.
    await press(page, 't');
    const rows = await page.locator('.astext tbody').first().locator('tr').count();
    assert.equal(rows, nodes);
    await press(page, 't');
    // The matrix groups what is equal, and sorts.
    if (nodes === 50 && viewport.width > 1000) {
      await button(page, /^scheduler/).click();
      await page.locator('.wide-mx').waitFor();
      const grouped = await page.locator('.wide-mx tbody tr').count();
      assert.ok(grouped < nodes, `${grouped} rows`);
      await page.getByRole('button', { name: 'Show every node' }).last().click();
      await page.waitForFunction((n) => document.querySelectorAll('.wide-mx tbody tr').length === n, nodes);
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(sideways <= 0, 'it scrolls in its frame');
      await page.locator('.wide-mx').getByRole('button', { name: 'ImageLocality' }).click();
      await page.locator('.wide-mx th[aria-sort=descending]', { hasText: 'ImageLocality' }).waitFor();
      await noAxeViolations(page, 'the matrix of 50 nodes');
    }
    assert.deepEqual(faults, []);
    await page.context().close();
  });
}

walk('a message travels first, then the change is shown', '', async (page) => {
  await press(page, 'Shift+ArrowRight');
  await press(page, '3');
  const look = () => page.evaluate(() => ({
    now: [...document.querySelectorAll('.stage svg.pic .nowfill')].map((e) => e.closest('[class^=k-]')?.getAttribute('class')).join(),
    messages: document.querySelectorAll('.stage [class^=msg-]').length,
    mark: document.querySelector('.stage svg.pic > g[opacity]').getAttribute('opacity'),
  }));
  let waited = 0;
  for (let i = 0; i < 12; i += 1) {
    await press(page, 'ArrowRight');
    let first = await look();
    for (let t = 0; t < 12 && first.mark !== '1'; t += 1) {
      await page.waitForTimeout(20);
      first = await look();
    }
    await page.waitForTimeout(800);
    const then = await look();
    assert.equal(then.mark, '0', 'nothing moves any more');
    if (first.mark === '1' && first.messages > 0 && first.now !== then.now) waited += 1;
  }
  assert.ok(waited > 0, 'the change waits for the message');
}, { reducedMotion: 'no-preference' });

walk('at 360 pixels a notice leaves the scrubber alone', '', async (page) => {
  await press(page, 'End');
  await press(page, 'ArrowRight', 3);
  const notice = page.locator('.status').filter({ visible: true }).first();
  if ((await notice.count()) === 0) return;
  const [status, range] = [await notice.boundingBox(), await page.locator('.range').boundingBox()];
  assert.ok(status.y + status.height <= range.y + 1, `${status.y + status.height} and ${range.y}`);
}, { viewport: { width: 360, height: 740 } });

for (const options of [{ forcedColors: 'active' }, { contrast: 'more' }, { colorScheme: 'dark' }]) {
  walk(`insides with ${JSON.stringify(options)}`, '', async (page) => {
    await press(page, 'Shift+ArrowRight', 6);
    for (const name of [/^etcd/, /^ReplicaSet/, /^API server/]) {
      await button(page, name).click();
      await page.locator('.crumbs').waitFor();
      await noAxeViolations(page, `inside ${name} with ${JSON.stringify(options)}`);
      await press(page, 'Escape');
      await page.locator('.crumbs').waitFor({ state: 'detached' });
    }
  }, options);
}
