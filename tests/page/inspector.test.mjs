// The inspector as a person uses it: every tab, the terminal, and its size. axe runs in each state.

import assert from 'node:assert/strict';
import { engineWhole, noAxeViolations } from './browser.mjs';
import { press, walks } from './walks.mjs';

const { walk } = walks();

const clock = (page) => page.locator('.clock').innerText();
const tab = async (page, name) => {
  await page.getByRole('tab', { name, exact: true }).click();
  await page.getByRole('tabpanel', { name, exact: true }).waitFor();
};
const panel = (page) => page.locator('.ipanel');

walk('objects: tables, search, tree by owner', '', async (page) => {
  await press(page, 'End');
  await tab(page, 'Objects');
  assert.match(await panel(page).innerText(), /deployments 1/i);
  await page.getByRole('searchbox', { name: 'search objects' }).fill('ENDPOINTSLICE');
  assert.doesNotMatch(await panel(page).innerText(), /replicasets/);
  assert.match(await panel(page).innerText(), /endpointslices/);
  await page.getByRole('searchbox', { name: 'search objects' }).fill('no such thing');
  assert.match(await panel(page).innerText(), /Nothing matches/);
  await page.getByRole('searchbox', { name: 'search objects' }).fill('');
  await page.getByRole('radio', { name: 'By owner' }).click();
  const rows = await page.locator('.tree tbody tr').allInnerTexts();
  const start = rows.findIndex((row) => /Deployment/.test(row));
  assert.match(rows[start + 1], /ReplicaSet/);
  assert.match(rows[start + 2], /Pod.*status Running/s);
  assert.match(rows[start + 3], /container.*state running/s);
  await noAxeViolations(page, 'the tree');
});

walk('an object: any two revisions, folding, the step that wrote it', '', async (page) => {
  await press(page, 'End');
  await tab(page, 'Objects');
  await panel(page).getByRole('button', { name: /^nginx-[0-9a-f]+-/ }).first().click();
  const code = page.locator('.side .code');
  const shown = page.locator('.picks select').first();
  const against = page.locator('.picks select').nth(1);
  const revisions = await shown.locator('option').evaluateAll((options) => options.map((option) => option.value));
  assert.ok(revisions.length >= 3, `${revisions.length} revisions`);
  await against.selectOption(revisions[0]);
  assert.ok((await code.locator('.l.add').count()) > 3);
  assert.match(await code.locator('.l.add').allInnerTexts().then((lines) => lines.join('\n')), /nodeName/);
  await against.selectOption('0');
  assert.equal(await code.locator('.l.add').count(), 0);
  await page.getByRole('button', { name: 'Older revision' }).click();
  assert.equal(await shown.inputValue(), revisions.at(-2));
  // Folding.
  const before = await code.locator('.l').count();
  const status = code.getByRole('button', { name: /^▾? ?status:/ });
  await status.click();
  assert.ok((await code.locator('.l').count()) < before);
  await noAxeViolations(page, 'an object compared');
  // The step that wrote it.
  const now = await clock(page);
  await page.getByRole('button', { name: 'go to this moment' }).click();
  assert.notEqual(await clock(page), now);
  // Back at the first revision nothing is lost: its owner opens.
  await panel(page).getByRole('button', { name: /^replicaset\/nginx/ }).click();
  assert.match(await page.locator('.side .inh').innerText(), /ReplicaSet/);
});

walk('events: filter, warnings, the step', '?preset=pending', async (page) => {
  await press(page, 'End');
  await tab(page, 'Events');
  const rows = panel(page).locator('tbody tr');
  const all = await rows.count();
  await page.getByRole('checkbox', { name: 'warnings only' }).check();
  const warnings = await rows.count();
  assert.ok(warnings > 0 && warnings < all, `${warnings} of ${all}`);
  assert.match(await rows.first().innerText(), /FailedScheduling/);
  await noAxeViolations(page, 'warnings');
  await page.getByRole('checkbox', { name: 'warnings only' }).uncheck();
  await page.getByRole('searchbox', { name: 'filter' }).fill('created');
  assert.ok((await rows.count()) < all);
  const now = await clock(page);
  await rows.first().locator('button').first().click();
  assert.notEqual(await clock(page), now);
});

walk('etcd: members, keys, the history of a key', '', async (page) => {
  await press(page, 'End');
  await tab(page, 'etcd');
  assert.match(await panel(page).innerText(), /etcd-1\s+leader/);
  await page.getByRole('searchbox', { name: 'search keys' }).fill('deployments');
  await panel(page).getByRole('button', { name: '/registry/deployments/default/nginx' }).click();
  const history = page.locator('.side tbody tr');
  assert.ok((await history.count()) >= 3);
  assert.match(await history.last().innerText(), /PUT\s+1/);
  await noAxeViolations(page, 'the history of a key');
});

walk('scheduler: queues, tries and the matrix', '?preset=pending', async (page) => {
  await press(page, 'End');
  await tab(page, 'Scheduler');
  assert.match(await panel(page).innerText(), /unschedulable/);
  assert.match(await panel(page).innerText(), /0\/\d+ nodes are available/);
  await noAxeViolations(page, 'queues');
});

walk('node: processes, namespaces, cgroups, interfaces, images, volumes', '', async (page) => {
  await press(page, 'End');
  await tab(page, 'Node');
  await page.locator('.ipanel select').first().selectOption('node-2');
  const text = await panel(page).innerText();
  for (const part of [/\/pause/, /nginx/, /cpu\.weight/, /veth/, /dev cni0/, /kube-api-access-/, /library\/nginx/]) assert.match(text, part);
  await noAxeViolations(page, 'a node');
});

walk('network: rules, endpoints, requests that arrive and requests that fail', '?preset=service', async (page) => {
  await press(page, 'End');
  await tab(page, 'Network');
  assert.match(await panel(page).innerText(), /KUBE-SVC-/);
  const to = page.getByRole('combobox', { name: 'to', exact: true });
  const names = await page.locator('#request-to option').evaluateAll((options) => options.map((option) => option.value));
  const name = names.find((value) => /^[a-z][a-z0-9-]*$/.test(value) && value !== 'kubernetes');
  assert.ok(name, `a Service by name in ${names}`);
  assert.match(await page.getByRole('combobox', { name: 'from', exact: true }).inputValue(), /^pod\//, 'a Pod is offered first');
  await to.fill(name);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const hops = page.locator('.hops li');
  assert.match(await hops.first().innerText(), /DNS answers/);
  assert.match(await page.getByRole('combobox', { name: 'from', exact: true }).inputValue(), /^pod\//, 'it started where the form says');
  assert.ok((await hops.count()) >= 5);
  assert.match(await page.locator('.end.good').innerText(), /answers on port|reaches/);
  await noAxeViolations(page, 'a request that arrives');
  await to.fill('nobody-there');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  assert.match(await page.locator('.end.bad').innerText(), /No Service in reach/);
  await page.getByRole('combobox', { name: 'from', exact: true }).selectOption('outside');
  await to.fill(names.find((value) => /^10\./.test(value)));
  await to.press('Enter');
  assert.match(await page.locator('.end.bad').innerText(), /only inside the cluster/);
  await noAxeViolations(page, 'a request that fails');
});

walk('log: filters, pages, jump', '', async (page) => {
  await press(page, 'End');
  await tab(page, 'Log');
  const rows = page.locator('.log tbody tr');
  assert.ok((await rows.count()) <= 150, 'a page, not all');
  assert.equal(await page.locator('.log tr.now').count(), 1, 'the present step is on the page');
  await page.getByRole('button', { name: 'First page' }).click();
  assert.match(await rows.first().innerText(), /^1\s/);
  await page.getByLabel('Component', { exact: true }).selectOption({ label: 'scheduler' });
  const who = await rows.locator('td:nth-child(3)').allInnerTexts();
  assert.ok(who.length > 0 && who.every((text) => text.trim() === 'scheduler'));
  await page.getByLabel('Kind of object').selectOption('Pod');
  await page.getByRole('searchbox', { name: 'search the log' }).fill('SCORE');
  assert.match(await rows.first().innerText(), /scheduler\.score/);
  await noAxeViolations(page, 'the log');
  const step = await rows.first().locator('button').first().innerText();
  await rows.first().locator('button').first().click();
  assert.match(await clock(page), new RegExp(`step ${step} of`));
});

walk('terminal: output and exit code, history, completion, help, paste, clear', '', async (page) => {
  await press(page, 'End');
  await tab(page, 'kubectl');
  const prompt = page.getByRole('combobox', { name: 'kubectl command' });
  const term = page.locator('.tty');
  const says = (words) => page.waitForFunction((source) => new RegExp(source, 's').test(document.querySelector('.tty').textContent), words.source);
  await prompt.fill('get pods');
  await prompt.press('Enter');
  await says(/Running/);
  assert.match(await term.innerText(), /exit 0/);
  await prompt.fill('kubectl get pod nobody');
  await prompt.press('Enter');
  await says(/Error from server \(NotFound\): pods "nobody" not found/);
  assert.match(await term.innerText(), /exit 1/);
  await prompt.press('ArrowUp');
  assert.equal(await prompt.inputValue(), 'kubectl get pod nobody');
  await prompt.press('ArrowUp');
  assert.equal(await prompt.inputValue(), 'get pods');
  await prompt.press('ArrowDown');
  await prompt.press('ArrowDown');
  assert.equal(await prompt.inputValue(), '');
  // Completion: what is common at once, then a list.
  await prompt.pressSequentially('cordon no');
  await prompt.press('Tab');
  assert.equal(await prompt.inputValue(), 'cordon node-');
  await prompt.press('Tab');
  assert.equal(await prompt.getAttribute('aria-expanded'), 'true');
  await noAxeViolations(page, 'words that fit');
  await prompt.press('ArrowDown');
  await prompt.press('Enter');
  assert.equal(await prompt.inputValue(), 'cordon node-2 ');
  await prompt.press('Enter');
  await says(/node\/node-2 cordoned/);
  assert.match(await page.locator('.stage [role=button][aria-label^="node-2"]').getAttribute('aria-label'), /SchedulingDisabled|cordoned/i);
  // Help.
  await prompt.fill('scale --help');
  await prompt.press('Enter');
  await says(/--replicas=NUMBER/);
  await prompt.fill('help');
  await prompt.press('Enter');
  await says(/Create and change/);
  // Control C gives up the line; several lines run one after the other.
  await prompt.fill('delete everything');
  await prompt.press('Control+c');
  assert.equal(await prompt.inputValue(), '');
  await prompt.evaluate((field) => {
    const data = new DataTransfer();
    data.setData('text/plain', 'kubectl create configmap one\n# a comment\nkubectl create configmap \\\n  two\n');
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await says(/configmap\/one created.*configmap\/two created/);
  await prompt.fill('get pods | grep x');
  await prompt.press('Enter');
  await says(/no pipes/);
  await prompt.fill('history');
  await prompt.press('Enter');
  await says(/1 {2}kubectl apply -f nginx.yaml\s+2 {2}get pods/);
  await noAxeViolations(page, 'the terminal');
  await prompt.fill('edit deployment nginx');
  await prompt.press('Enter');
  await says(/deployment-nginx\.yaml/);
  const edited = await page.locator('#manifest-text').inputValue();
  assert.match(edited, /kind: Deployment/);
  assert.doesNotMatch(edited, /managedFields|resourceVersion|^status/m);
  // Changed and applied, it does what kubectl edit does.
  await page.locator('#manifest-text').fill(edited.replace('replicas: 3', 'replicas: 2'));
  await page.locator('#manifest-text').press('Control+Enter');
  await says(/apply -f deployment-nginx\.yaml/);
  await page.locator('.stage').focus();
  await press(page, 'End');
  await prompt.fill('get deployment nginx');
  await prompt.press('Enter');
  await says(/2\/2/);
  await prompt.focus();
  await prompt.press('Control+l');
  assert.doesNotMatch(await term.innerText(), /Running/);
  // Tab leaves an empty line.
  await prompt.press('Tab');
  assert.ok(await prompt.evaluate((field) => document.activeElement !== field));
});

walk('the panel is made larger and smaller, and remembers', '', async (page) => {
  await press(page, 'End');
  await tab(page, 'Log');
  const grip = page.getByRole('separator', { name: 'Height of the panel' });
  const height = async () => (await panel(page).boundingBox()).height;
  const start = await height();
  await grip.focus();
  await grip.press('ArrowDown');
  await grip.press('ArrowDown');
  assert.ok((await height()) < start);
  await grip.press('Home');
  assert.ok((await height()) <= 0.451 * 900 && (await height()) > 0.4 * 900, `${await height()}`);
  const box = await grip.boundingBox();
  await page.mouse.move(box.x + 300, box.y + 4);
  await page.mouse.down();
  await page.mouse.move(box.x + 300, box.y + 154, { steps: 4 });
  await page.mouse.up();
  const dragged = await height();
  assert.ok(dragged < 0.35 * 900 && dragged > 120, `${dragged}`);
  await noAxeViolations(page, 'a dragged panel');
  await press(page, 'Escape');
  await page.reload();
  await engineWhole(page);
  await tab(page, 'Log');
  assert.ok(Math.abs((await height()) - dragged) < 3, 'kept over a reload');
});

for (const viewport of [{ width: 320, height: 640 }, { width: 360, height: 740 }, { width: 820, height: 1180 }]) {
  walk(`every tab fits ${viewport.width} pixels, and the last one is remembered`, '?preset=service', async (page) => {
    await press(page, 'End');
    await page.locator('.tabbar').getByRole('button', { name: 'Inspect' }).click();
    for (const name of ['Objects', 'Events', 'etcd', 'Scheduler', 'Node', 'Network', 'Log', 'kubectl']) {
      await page.getByRole('tab', { name, exact: true }).click();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`);
      await noAxeViolations(page, `${name} at ${viewport.width}`);
    }
    await page.locator('.tabbar').getByRole('button', { name: 'Explain' }).click();
    await page.locator('.tabbar').getByRole('button', { name: 'Inspect' }).click();
    assert.equal(await page.getByRole('tab', { name: 'kubectl' }).getAttribute('aria-selected'), 'true');
  }, { viewport });
}
