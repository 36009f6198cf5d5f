// The glossary: terms in running text open by hover, click and keyboard; the dialogue finds and shows.

import assert from 'node:assert/strict';
import { noAxeViolations } from './browser.mjs';
import { press, walks } from './walks.mjs';

const { walk } = walks();

walk('a term opens by keyboard, by click and by hover, and closes', '', async (page) => {
  await press(page, 'Shift+ArrowRight', 4);
  const terms = page.locator('.explain .term');
  assert.ok((await terms.count()) >= 2, 'an explanation has terms');
  const names = await terms.allInnerTexts();
  assert.equal(new Set(names).size, names.length, 'each at its first occurrence');
  const pop = page.locator('.termpop');

  await terms.first().focus();
  assert.equal(await pop.count(), 0, 'focus alone opens nothing');
  await press(page, 'Enter');
  await pop.waitFor();
  assert.equal(await terms.first().getAttribute('aria-expanded'), 'true');
  await noAxeViolations(page, 'a term');
  const box = await pop.boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 1440 && box.y + box.height <= 900, 'inside the window');
  const clock = await page.locator('.clock').innerText();
  await press(page, 'Escape');
  await pop.waitFor({ state: 'detached' });
  assert.equal(await page.locator('.clock').innerText(), clock);
  assert.ok(await terms.first().evaluate((term) => document.activeElement === term), 'focus returns');

  await terms.nth(1).click();
  await pop.waitFor();
  await page.locator('.clock').click();
  await pop.waitFor({ state: 'detached' });

  await terms.nth(1).hover();
  await pop.waitFor();
  await pop.hover();
  await page.waitForTimeout(500);
  assert.equal(await pop.count(), 1, 'it stays while the pointer is on it');
  await page.mouse.move(500, 300);
  await pop.waitFor({ state: 'detached' });
});

walk('the glossary opens, finds, shows, and gives the keyboard back', '', async (page) => {
  const help = page.getByRole('button', { name: 'Keyboard shortcuts' });
  await help.focus();
  await press(page, 'Enter');
  await page.locator('.help').getByRole('button', { name: 'Glossary' }).click();
  const glossary = page.getByRole('dialog', { name: 'Glossary' });
  await glossary.waitFor();
  const items = glossary.locator('li');
  assert.ok((await items.count()) >= 80, `${await items.count()} terms`);
  await noAxeViolations(page, 'the glossary');
  await glossary.getByRole('searchbox').fill('kubelet');
  assert.match(await items.first().innerText(), /^kubelet/);
  assert.ok((await items.count()) < 40);
  await glossary.getByRole('searchbox').fill('no such thing');
  assert.match(await glossary.innerText(), /no such term/);
  await noAxeViolations(page, 'the glossary, nothing found');
  await press(page, 'Escape');
  await glossary.waitFor({ state: 'detached' });

  // From a term's popover, at that term; from there to the run.
  await press(page, 'Shift+ArrowRight', 4);
  await page.locator('.explain .term', { hasText: /ReplicaSet/ }).first().click();
  await page.getByRole('button', { name: 'In the glossary' }).click();
  await glossary.waitFor();
  assert.match(await glossary.locator('li.here').innerText(), /^ReplicaSet/);
  await glossary.getByRole('searchbox').fill('veth');
  await glossary.getByRole('button', { name: /^Show it in this run: veth/ }).click();
  await glossary.waitFor({ state: 'detached' });
  assert.match(await page.locator('.explain').innerText(), /veth/);

  await press(page, 'g');
  await glossary.waitFor();
  await glossary.getByRole('searchbox').fill('Raft');
  await glossary.getByRole('button', { name: /^Show it in this run: Raft/ }).click();
  assert.match(await page.locator('.explain .title').innerText(), /leader/i);
  await press(page, 'g');
  await glossary.getByRole('searchbox').fill('control plane');
  await glossary.getByRole('button', { name: /^Open it on the stage: control plane/ }).click();
  await page.locator('svg.pic').first().waitFor();
});

walk('on a phone', '', async (page) => {
  await press(page, 'Shift+ArrowRight', 4);
  await page.locator('.explain .term').first().click();
  const box = await page.locator('.termpop').boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 360, 'inside the window');
  await page.getByRole('button', { name: 'In the glossary' }).click();
  await page.getByRole('dialog', { name: 'Glossary' }).waitFor();
  await noAxeViolations(page, 'the glossary on a phone');
}, { viewport: { width: 360, height: 740 } });
