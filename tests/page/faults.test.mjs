// Faults as a person uses them: found, described, aimed, planned, refused with a sentence, listed, healed.

import assert from 'node:assert/strict';
import { noAxeViolations } from './browser.mjs';
import { walks } from './walks.mjs';

const { walk } = walks((page) => page.keyboard.press('End'));

const menu = (page) => page.getByRole('button', { name: /^Break/ }).first().click();
const kind = (page, name) => page.locator('.palette').getByRole('button', { name });
const events = async (page) => Number((await page.locator('.clock').innerText()).match(/of ([\d,]+)/)[1].replace(',', ''));

walk('every fault of the registry is there, with what it does and what follows', '', async (page) => {
  await menu(page);
  const kinds = page.locator('.palette .what');
  const count = await kinds.count();
  assert.ok(count >= 14, `${count} kinds`);
  for (let i = 0; i < count; i += 1) {
    const words = await kinds.nth(i).innerText();
    assert.doesNotMatch(words, /fault\./, 'words, not a code');
    await kinds.nth(i).click();
    const form = await page.locator('.faultform').innerText();
    assert.ok(form.length > 80, `${words}: what will happen`);
    assert.doesNotMatch(form, /fault\.[a-z]/, words);
    await noAxeViolations(page, words);
  }
});

walk('a node is broken with the keyboard alone, listed with its timers, and healed', '', async (page) => {
  const button = page.getByRole('button', { name: /^Break/ }).first();
  await button.focus();
  await page.keyboard.press('Enter');
  await kind(page, /A machine loses its power/).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('combobox', { name: 'Node', exact: true }).selectOption('node-2');
  await page.getByLabel(/Seconds to boot/).fill('5');
  await page.locator('.faultform').getByRole('button', { name: 'Break it' }).focus();
  await page.keyboard.press('Enter');
  assert.match(await page.locator('.timers').innerText(), /Lease of node-2/);
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'stage', 'the focus is not lost');
  await page.getByRole('button', { name: /Next deadline/ }).click();
  await menu(page);
  const active = page.locator('.inforce');
  assert.match(await active.innerText(), /node-2/);
  assert.match(await active.innerText(), /for \d+/);
  assert.match(await active.innerText(), /boot_s=5/);
  await noAxeViolations(page, 'a fault in force');
  await active.getByRole('button', { name: 'Heal' }).click();
  await menu(page);
  assert.match(await active.innerText(), /being mended/);
});

walk('impossible parameters are a sentence and change nothing', '', async (page) => {
  const before = await events(page);
  await menu(page);
  await kind(page, /A machine loses its power/).click();
  await page.getByLabel(/Seconds to boot/).fill('99999');
  await page.getByRole('button', { name: 'Break it' }).click();
  assert.match(await page.getByRole('alert').innerText(), /boot_s must be a whole number from 0 to 3600/);
  await noAxeViolations(page, 'a refused fault');
  await page.getByLabel(/Seconds to boot/).fill('20');
  await page.getByLabel('In how many seconds').fill('-3');
  await page.getByRole('button', { name: 'Break it' }).click();
  assert.match(await page.getByRole('alert').innerText(), /delay must be a whole number/);
  await kind(page, /Liveness fails/).click();
  await page.getByRole('button', { name: 'Break it' }).click();
  assert.match(await page.getByRole('alert').innerText(), /cannot be broken now: .* has no livenessProbe/);
  assert.equal(await events(page), before);
});

walk('a fault is planned and comes at its time', '', async (page) => {
  const now = await page.locator('.clock').innerText();
  await menu(page);
  await kind(page, /The scheduler is down/).click();
  await page.getByLabel('In how many seconds').fill('30');
  await page.getByRole('button', { name: 'Break it' }).click();
  assert.equal((await page.locator('.clock').innerText()).split('\n')[0], now.split('\n')[0], 'the moment stays');
  await menu(page);
  assert.match(await page.locator('.inforce').innerText(), /will break in 30 s/);
  await page.locator('.inforce').getByRole('button').click();
  await page.locator('.inforce', { hasText: /for 0/ }).waitFor();
});

walk('what is on the stage can be broken from there', '', async (page) => {
  await page.locator('.stage [role=button][aria-label^="node-3"]').click();
  await page.getByRole('button', { name: 'Break…' }).click();
  await kind(page, /A kubelet crashes/).click();
  assert.equal(await page.getByRole('combobox', { name: 'Node', exact: true }).inputValue(), 'node-3');
  assert.equal(await kind(page, /registry is down/).count(), 0, 'only what concerns a node');
  await noAxeViolations(page, 'break a node');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.locator('.stage .pod').first().click();
  await page.locator('.side').getByRole('button', { name: 'Break…' }).click();
  await kind(page, /A container crashes/).click();
  assert.match(await page.getByLabel('Pod, or label=value').inputValue(), /^nginx-/);
  await noAxeViolations(page, 'break a Pod');
  await page.locator('.faultform').getByRole('button', { name: 'Break it' }).click();
  await page.keyboard.press('End');
  await page.getByRole('tab', { name: 'Objects', exact: true }).click();
  await page.getByRole('tab', { name: 'kubectl', exact: true }).click();
  const prompt = page.getByRole('combobox', { name: 'kubectl command' });
  await prompt.fill('get pods');
  await prompt.press('Enter');
  await page.waitForFunction(() => /1 \(\d+s ago\)/.test(document.querySelector('.tty').textContent));
});

walk('the faults fit a phone', '', async (page) => {
  await page.locator('.tabbar').getByRole('button', { name: 'Cluster' }).click();
  await menu(page);
  await kind(page, /A container crashes/).click();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${wide} pixels too wide`);
  await noAxeViolations(page, 'faults at 360');
}, { viewport: { width: 360, height: 740 } });
