// The scheduler's inside: receipts at 3 and at 300 nodes, why and what-if, preemption, the difference between
// two attempts, the smallest change put into a manifest. Everything by roles and names.

import assert from 'node:assert/strict';
import { noAxeViolations } from './browser.mjs';
import { crowd, misfit, reopen } from './crowd.mjs';
import { openEditor, presetAt, retype, whatIf, whyPending } from './states.mjs';
import { press, walks } from './walks.mjs';

const { env, walk } = walks();

const stage = (page) => page.locator('.stage').innerText();
const inside = async (page) => {
  await page.locator('.stage').getByRole('button', { name: /^scheduler/i }).first().dispatchEvent('click');
  await page.locator('.sched .points').waitFor();
};
const at = async (page, preset, cursor) => reopen(page, env.site, presetAt(preset, cursor));

walk('a Pod that fits nowhere: from the cluster to the numbers that decided', '', async (page) => {
  await at(page, 'waiting', '6s');
  const why = page.getByRole('button', { name: 'Why? late fits on no node' });
  await why.focus();
  await press(page, 'Enter');
  await page.locator('.sched .points').waitFor();
  const text = await stage(page);
  assert.match(text, /0\/6 nodes are available/);
  assert.match(text, /Insufficient cpu cpu: 1500m asked \+ 900m taken > 2; 400m too much/);
  assert.match(text, /dedicated=gpu:NoSchedule/);
  await noAxeViolations(page, 'a Pod that fits nowhere');
  // A part of the message shows the nodes that it counts.
  const part = page.locator('.verbatim').getByRole('button', { name: '3 Insufficient cpu' });
  await part.focus();
  await press(page, 'Enter');
  assert.equal(await page.locator('.fm tbody tr').count(), 3);
  assert.equal(await part.getAttribute('aria-pressed'), 'true');
  await press(page, 'Enter');
  assert.equal(await page.locator('.fm tbody tr').count(), 6);
  // A node's row opens to what each plugin said.
  const row = page.locator('.fm').getByRole('button', { name: 'node-1' });
  await row.focus();
  await press(page, 'Enter');
  const receipt = await page.locator('.receipt').innerText();
  assert.match(receipt, /NodeUnschedulable\s+passed/);
  assert.match(receipt, /NodePorts\s+not asked/);
  assert.match(receipt, /PodTopologySpread/);
  await noAxeViolations(page, 'receipts of a node');
  // The line that decided is selected in the editor.
  await page.locator('.sched .because').getByRole('button').click();
  const picked = await page.locator('#manifest-text').evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
  assert.equal(picked.trim(), 'requests:');
  // The queue says what would wake it.
  assert.match(await page.locator('.waits').innerText(), /late[\s\S]*a Pod goes or asks for less; a node comes or has more/);
});

walk('two attempts of one Pod, and what is different', '', async (page) => {
  await at(page, 'waiting', '40s');
  await inside(page);
  const text = await stage(page);
  assert.match(text, /Tried again: a Pod on a node is gone\. NodeResourcesFit thinks that this may help/);
  assert.match(text, /node-2\s+passes now; NodeResourcesFit said: Insufficient cpu/);
  assert.match(text, /cpu: 2 free instead of 1100m \(\+900m\)/);
  await noAxeViolations(page, 'two attempts');
  await page.getByRole('button', { name: 'Show that attempt' }).click();
  await page.locator('.verbatim').waitFor();
  assert.match(await stage(page), /attempt 1, at 5004 ms/);
  await page.getByLabel('Attempt').selectOption({ label: 'the one nearest to this step' });
  await page.locator('.changed').waitFor();
  assert.match(await stage(page), /attempt 2/);
});

walk('what would make it fit: verified answers, one carried out in a fork', '', async (page) => {
  await at(page, 'waiting', '6s');
  await whyPending(page);
  await whatIf(page);
  const answers = await page.locator('.answers > li').count();
  assert.ok(answers >= 3, `${answers} answers`);
  const text = await page.locator('.helps').innerText();
  for (const part of [/Uncordon spare-1/, /instead of 1500m/, /kubectl uncordon spare-1/, /bound to spare-1/]) assert.match(text, part);
  await noAxeViolations(page, 'what would make it fit');
  await page.locator('.answers > li', { hasText: 'Uncordon spare-1' }).getByRole('button', { name: /^Try it in a fork/ }).click();
  await page.locator('.helps').waitFor({ state: 'detached' });
  await press(page, 'End');
  await page.waitForFunction(() => document.querySelector('.stage').innerText.includes('spare-1 is chosen'));
  // The future before is still there.
  await page.locator('.goto').click();
  assert.equal(await page.locator('.forks li').count(), 2);
});

walk('scores: raw, brought to 0 to 100, weighted, with the arithmetic', '', async (page) => {
  await press(page, 'Shift+ArrowRight', 7);
  await press(page, 'ArrowRight', 2);
  await inside(page);
  await page.locator('.few').getByRole('button', { name: 'node-2' }).click();
  const text = await page.locator('.sums').innerText();
  assert.match(text, /cpu: \(4 − 100m\) × 100 ÷ 4 = 97/);
  assert.match(text, /\(97 \+ 98\) ÷ 2 = 97/);
  assert.match(text, /PodTopologySpread[\s\S]*7 → 100\s+× 2\s+200/);
  assert.match(text, /Total\s+671/);
  await noAxeViolations(page, 'scores');
  await page.getByLabel('Node', { exact: true }).selectOption('node-1');
  await page.getByRole('button', { name: 'Find out' }).click();
  await page.locator('.helps').waitFor();
  await noAxeViolations(page, 'what would move it');
});

walk('preemption: candidates, victims, what decided', '', async (page) => {
  await at(page, 'preemption', '20.01s');
  await whyPending(page);
  const text = await stage(page);
  for (const part of [/2 nodes would have room if less important Pods went/, /node-2 is made free/, /What decided:/, /batch-2 priority 0/]) assert.match(text, part);
  await noAxeViolations(page, 'preemption');
});

walk('300 nodes: equal verdicts are one row; search; the DOM stays small', '', async (page) => {
  await reopen(page, env.site, misfit(300));
  await press(page, 'End');
  await whyPending(page);
  assert.match(await stage(page), /0\/300 nodes are available/);
  const rows = page.locator('.fm tbody tr');
  assert.equal(await rows.count(), 3);
  const size = await page.locator('.sched *').count();
  assert.ok(size < 1200, `${size} elements`);
  await noAxeViolations(page, '300 nodes');
  await page.getByRole('button', { name: 'Show every node' }).first().click();
  assert.equal(await rows.count(), 150);
  await page.getByRole('button', { name: 'Show more' }).click();
  assert.equal(await rows.count(), 300);
  await page.getByRole('searchbox', { name: 'Find a node, plugin or reason' }).fill('node-17');
  await page.waitForFunction(() => document.querySelectorAll('.fm tbody tr').length === 11);
  await page.getByRole('searchbox').fill('tainttol');
  await page.waitForFunction(() => document.querySelectorAll('.fm tbody tr').length === 75);
  // Every receipt is there although the trace holds a summary only.
  await page.locator('.fm tbody').getByRole('button').first().click();
  assert.match(await page.locator('.receipt').innerText(), /dedicated=gpu:NoSchedule/);
});

walk('300 nodes scored: groups, sums of any of them, only a part looked at', '', async (page) => {
  await reopen(page, env.site, crowd(300, 20));
  await press(page, 'End');
  await inside(page);
  const text = await stage(page);
  assert.match(text, /\d+ of 300 nodes were looked at: \d+ that pass are enough/);
  assert.match(text, /No dice are thrown/);
  await page.locator('.wide-mx tbody').getByRole('button').nth(1).click();
  await page.locator('.members button').nth(5).click();
  assert.match(await page.locator('.sums').innerText(), /cpu: \(4 − \d+m\) × 100 ÷ 4 = \d+/);
  await noAxeViolations(page, '300 nodes scored');
});

walk('the smallest change goes into the manifest as one edit', '', async (page) => {
  await openEditor(page);
  await retype(page, (text) => text.replace('cpu: 100m', 'cpu: "6"').replace('cpu: 200m', 'cpu: "6"'));
  await page.locator('.eff').waitFor();
  assert.match(await page.locator('.eff').innerText(), /Insufficient cpu/);
  await page.getByRole('button', { name: 'What would make it fit?' }).click();
  await page.locator('.efffix').waitFor();
  await noAxeViolations(page, 'the smallest change');
  const put = page.getByRole('button', { name: /^Put it into the manifest/ }).first();
  await put.click();
  const area = page.locator('#manifest-text');
  await page.waitForFunction(() => !/cpu: "6"\n\s+memory: 128Mi/.test(document.querySelector('#manifest-text').value));
  await page.locator('.eff').waitFor({ state: 'detached' });
  await area.focus();
  await page.keyboard.press('Control+z');
  assert.match(await area.inputValue(), /cpu: "6"\n\s+memory: 128Mi/);
});

walk(
  'on a phone: the same without a picture that is too wide',
  '',
  async (page) => {
    await at(page, 'waiting', '6s');
    await page.locator('.tabbar').getByRole('button', { name: 'Cluster' }).click();
    await whyPending(page);
    assert.match(await page.locator('.fm').innerText(), /NodeResourcesFit Insufficient cpu/);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, 'nothing sticks out');
    await noAxeViolations(page, 'a phone');
  },
  { viewport: { width: 360, height: 740 } },
);
