// The manifest editor as a person uses it: keyboard, completion, fixes, files, undo, finding, comparing, a phone.

import assert from 'node:assert/strict';
import { noAxeViolations } from './browser.mjs';
import { caretAt, openEditor, retype } from './states.mjs';
import { walks } from './walks.mjs';

const { walk } = walks(openEditor);

/** Runs steps on a fresh page with its editor open. */
const edit = (name, steps, options = {}) => walk(name, '', (page) => steps(page, page.locator('#manifest-text')), options);

const keys = async (page, ...names) => {
  for (const name of names) await page.keyboard.press(name);
};
const value = (page) => page.locator('#manifest-text').inputValue();
const caret = (page) => page.locator('#manifest-text').evaluate((area) => area.selectionStart);
const live = (page) => page.locator('p.sr[aria-live]').innerText();
const tool = async (page, name) => {
  await page.getByRole('button', { name: 'More tools' }).click();
  await page.locator('.tools .pop').getByRole('button', { name, exact: false }).first().click();
};

edit('typing colours, indents and keeps the caret', async (page, area) => {
  await area.fill('');
  await page.keyboard.type('apiVersion: v1\nkind: ConfigMap\nmetadata:\nname: settings');
  assert.equal(await value(page), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings');
  assert.equal(await page.locator('.ed .l').count(), 4);
  assert.equal(await page.locator('.ed .l .key').nth(3).innerText(), 'name');
  assert.equal(await page.locator('.diag').count(), 0);
  await keys(page, 'Shift+Tab');
  assert.match(await value(page), /\nname: settings$/);
  await keys(page, 'Tab');
  assert.match(await value(page), /settings {2}$/);
  await noAxeViolations(page, 'the editor in use');
});

edit('completion by keyboard', async (page, area) => {
  await caretAt(page, 'spec:', 5);
  await page.keyboard.type('\nstrat');
  const options = page.getByRole('listbox', { name: 'Suggestions' });
  await options.waitFor();
  assert.equal(await area.getAttribute('aria-controls'), 'editor-options');
  const active = await area.getAttribute('aria-activedescendant');
  assert.match(await page.locator(`#${active}`).innerText(), /strategy/);
  await noAxeViolations(page, 'suggestions');
  await keys(page, 'Enter');
  assert.match(await value(page), /spec:\n {2}strategy:\n {4}/);
  assert.equal(await options.count(), 0);
  await page.keyboard.type('ty');
  await options.waitFor();
  await keys(page, 'Tab');
  await options.getByRole('option', { name: /Recreate/ }).waitFor();
  await keys(page, 'ArrowDown', 'ArrowUp', 'Escape');
  assert.equal(await options.count(), 0);
  assert.ok(await area.evaluate((element) => document.activeElement === element), 'Escape only closed the list');
  await keys(page, 'Control+Space', 'ArrowDown', 'Enter');
  assert.match(await value(page), /type: (Recreate|RollingUpdate)\n/);
});

edit('names of objects come from the cluster; a pointer can take them', async (page) => {
  await caretAt(page, '    spec:\n', 9);
  await page.keyboard.type('\nnodeName: no');
  const option = page.getByRole('option', { name: /node-2/ });
  await option.click();
  assert.match(await value(page), /nodeName: node-2\n/);
});

edit('an input method is left alone', async (page, area) => {
  const before = await value(page);
  await caretAt(page, 'spec:', 5);
  await area.evaluate((element) => {
    const key = { key: 'Enter', isComposing: true, bubbles: true, cancelable: true };
    element.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }));
    window.prevented = !element.dispatchEvent(new KeyboardEvent('keydown', key));
    element.setRangeText('re', element.selectionStart, element.selectionStart, 'end');
    const input = { inputType: 'insertCompositionText', data: 're', isComposing: true, bubbles: true };
    element.dispatchEvent(new InputEvent('input', input));
  });
  assert.equal(await page.evaluate(() => window.prevented), false);
  assert.equal((await value(page)).length, before.length + 2);
  assert.equal(await page.locator('.options').count(), 0);
});

edit('a mistake is marked at its token and mended with one key', async (page) => {
  await retype(page, (text) => text.replace('replicas: 3', 'replicsa: 3').replace('containers:', 'hostname: x\n      containers:'));
  assert.equal(await page.locator('.squig').first().innerText(), 'replicsa');
  const problem = page.locator('.diag').first();
  assert.match(await problem.innerText(), /unknown field "spec\.replicsa"/);
  assert.match(await problem.locator('.why').innerText(), /strict/);
  const idle = page.locator('.diag', { hasText: 'Accepted, has no effect here' });
  assert.match(await idle.innerText(), /spec\.template\.spec\.hostname/);
  assert.equal(await page.locator('.code .l .noop').first().innerText(), 'hostname');
  await noAxeViolations(page, 'problems');
  await page.waitForFunction(() => /1 problem/.test(document.querySelector('p.sr[aria-live]').textContent));
  await caretAt(page, 'apiVersion');
  await keys(page, 'F8');
  assert.equal((await value(page)).slice(await caret(page)).startsWith('replicsa'), true);
  assert.match(await live(page), /unknown field/);
  await keys(page, 'Alt+Enter');
  assert.match(await value(page), /replicas: 3/);
  assert.equal(await page.locator('.squig').count(), 0);
  await keys(page, 'Control+z');
  assert.match(await value(page), /replicsa: 3/);
});

edit('undo and redo outlive fixes and files', async (page) => {
  const first = await value(page);
  await caretAt(page, 'replicas: 3', 'replicas: 3'.length);
  await keys(page, 'Backspace');
  await page.keyboard.type('5');
  await page.getByRole('button', { name: 'New file' }).click();
  await page.getByRole('textbox', { name: 'Name of the file' }).fill('settings.yaml');
  await keys(page, 'Enter');
  const tabs = page.getByRole('tablist', { name: 'Files' }).getByRole('tab');
  assert.equal(await tabs.nth(1).getAttribute('aria-selected'), 'true');
  assert.match(await tabs.nth(1).innerText(), /settings\.yaml/);
  await tool(page, 'ConfigMap');
  assert.match(await value(page), /kind: ConfigMap/);
  await noAxeViolations(page, 'two files');
  await tabs.nth(1).focus();
  await keys(page, 'ArrowLeft');
  assert.match(await value(page), /replicas: 5/);
  await page.locator('#manifest-text').focus();
  await keys(page, 'Control+z', 'Control+z');
  assert.equal(await value(page), first);
  await keys(page, 'Control+y', 'Control+Shift+z');
  assert.match(await value(page), /replicas: 5/);
  await tabs.nth(1).click();
  await page.locator('#manifest-text').focus();
  await keys(page, 'Control+z');
  assert.equal(await value(page), '');
});

edit('a file is removed and put back; all files are applied', async (page) => {
  await page.getByRole('button', { name: 'New file' }).click();
  await keys(page, 'Enter');
  await tool(page, 'Service');
  const tabs = page.getByRole('tablist', { name: 'Files' }).getByRole('tab');
  await tool(page, 'Remove');
  assert.equal(await tabs.count(), 0);
  assert.match(await live(page), /removed/);
  await page.locator('.removed').getByRole('button', { name: 'Undo' }).click();
  assert.equal(await tabs.count(), 2);
  assert.match(await value(page), /kind: Service/);
  await tool(page, 'Rename');
  await page.getByRole('textbox', { name: 'Name of the file' }).fill('nginx.yaml');
  await keys(page, 'Enter');
  await page.locator('.status', { hasText: 'already a file called nginx.yaml' }).waitFor();
  await tool(page, 'Apply all files');
  assert.match(await page.locator('.explain h2.title').innerText(), /apply -f nginx\.yaml -f manifest\.yaml/);
});

edit('find and replace', async (page, area) => {
  await caretAt(page, 'apiVersion');
  await keys(page, 'Control+h');
  await page.keyboard.type('nginx');
  const count = page.locator('.find .count');
  assert.match(await count.innerText(), /1\/6/);
  assert.equal(await page.locator('.found').count(), 6);
  await keys(page, 'Enter');
  assert.match(await count.innerText(), /2\/6/);
  await keys(page, 'Shift+Enter', 'Shift+Enter');
  assert.match(await count.innerText(), /6\/6/);
  await noAxeViolations(page, 'finding');
  await page.getByRole('textbox', { name: 'Replace with' }).fill('web');
  await page.getByRole('button', { name: 'All', exact: true }).click();
  assert.doesNotMatch(await value(page), /nginx/);
  await page.getByRole('textbox', { name: 'Find', exact: true }).press('Escape');
  assert.ok(await area.evaluate((element) => document.activeElement === element));
  await keys(page, 'Control+z');
  assert.match(await value(page), /nginx/);
});

edit('what a field does, and what an apply would change', async (page, area) => {
  await caretAt(page, 'replicas', 2);
  const info = page.locator('.fieldinfo');
  await info.getByText('How many Pods are wanted').waitFor();
  assert.match(await info.innerText(), /integer · read by a controller/);
  await keys(page, 'Control+i');
  assert.match(await live(page), /spec\.replicas\. integer/);
  await keys(page, 'Control+Enter');
  await area.evaluate((element) => element.blur());
  await keys(page, 'End');
  await page.getByRole('tab', { name: 'kubectl' }).click();
  await page.locator('.prompt input').fill('scale deployment/nginx --replicas=4');
  await keys(page, 'Enter');
  await page.getByRole('tab', { name: 'kubectl' }).click();
  await keys(page, 'End');
  await openEditor(page);
  await retype(page, (text) => text.replace('cpu: 100m', 'cpu: 150m'));
  await page.getByRole('button', { name: 'What an apply would change' }).click();
  const changes = page.getByRole('region', { name: 'What an apply would change' });
  const words = await changes.innerText();
  assert.match(words, /Deployment nginx\s+2 fields would change/);
  assert.match(words, /spec\.template\.spec\.containers\[nginx\]\.resources\.requests\.cpu/);
  assert.match(words, /150m/);
  await noAxeViolations(page, 'the comparison');
});

edit(
  'on a phone the editor is a pane of its own, with keys to touch',
  async (page) => {
    await caretAt(page, 'spec:', 5);
    const keysBar = page.getByRole('toolbar', { name: 'Keys of the editor' });
    for (const button of await keysBar.getByRole('button').all()) {
      const box = await button.boundingBox();
      assert.ok(box.width >= 44 && box.height >= 44, `${await button.getAttribute('aria-label')} is too small`);
    }
    await page.keyboard.type('\nmin');
    const option = page.getByRole('option', { name: /minReadySeconds/ });
    await option.waitFor();
    const box = await option.boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 360, 'suggestions stay on the screen');
    await noAxeViolations(page, 'suggestions on a phone');
    await option.click();
    await page.keyboard.type('5');
    assert.match(await value(page), /minReadySeconds: 5/);
    await keysBar.getByRole('button', { name: 'Undo' }).click();
    await keysBar.getByRole('button', { name: 'Less indent' }).click();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `the page is ${wide} pixels too wide`);
    await noAxeViolations(page, 'the editor on a phone');
  },
  { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
);

edit('a long text stays quick', async (page, area) => {
  const block = (i) => `---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c${i}\ndata:\n  a: b\n`;
  await area.fill(Array.from({ length: 400 }, (_, i) => block(i)).join(''));
  await area.evaluate((element) => element.setSelectionRange(element.value.length, element.value.length));
  const spent = await area.evaluate((element) => {
    const start = performance.now();
    for (let i = 0; i < 10; i += 1) {
      element.setRangeText('x', element.value.length, element.value.length, 'end');
      element.dispatchEvent(new InputEvent('input', { inputType: 'insertText', data: 'x', bubbles: true }));
    }
    return performance.now() - start;
  });
  assert.ok(spent < 2_000, `ten letters took ${Math.round(spent)} ms`);
  assert.match(await value(page), /bx*\nx{10}$/);
});
