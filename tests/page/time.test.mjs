// Time: jumps, breakpoints, futures, two futures side by side, dense lanes, at three widths.

import assert from 'node:assert/strict';
import { noAxeViolations } from './browser.mjs';
import { press, walks } from './walks.mjs';

const { walk } = walks();

const clock = async (page) => (await page.locator('.clock').innerText()).split('\n')[0];
const step = async (page) => Number((await page.locator('.clock small').innerText()).match(/step (\d+)/)?.[1] ?? 0);
const goto = (page) => page.getByRole('button', { name: 'Go to', exact: true });
const status = (page) => page.getByRole('status').first().innerText();

/** Sets a breakpoint by its words. */
const stopWhen = async (page, words, value = '') => {
  if ((await goto(page).getAttribute('aria-expanded')) !== 'true') await goto(page).click();
  await page.getByRole('combobox', { name: 'What to stop at' }).selectOption({ label: words });
  if (value !== '') await page.locator('.newbreak input').fill(value);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
};

/** Goes to an event by the scrubber. */
const scrub = (page, event) =>
  page.locator('input.range').evaluate((input, value) => {
    input.value = String(value);
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }, event);

/** Two futures from the end of the birth: five replicas, and node-2 without power. */
const fork = async (page) => {
  await press(page, 'End');
  const parting = await step(page);
  await page.getByRole('tab', { name: 'kubectl' }).click();
  const prompt = page.getByRole('combobox', { name: 'kubectl command' });
  await prompt.fill('scale deployment nginx --replicas=5');
  await prompt.press('Enter');
  await page.getByRole('tab', { name: 'kubectl' }).click();
  await scrub(page, parting);
  await page.getByRole('button', { name: /^Break something/ }).click();
  await page.locator('.palette .what', { hasText: 'A machine loses its power' }).click();
  await page.locator('.faultform select').first().selectOption('node-2');
  await page.locator('.faultform button[type=submit]').click();
  return parting;
};

walk('run to the next stop: a Pod becomes Ready, and the picture agrees', '', async (page) => {
  await stopWhen(page, 'a Pod becomes Ready');
  await noAxeViolations(page, 'the menu of time');
  await page.getByRole('button', { name: 'Run to the next stop' }).click();
  assert.match(await status(page), /Stopped: a Pod becomes Ready\. It is nginx-/);
  const ready = page.locator('.stage .pod[aria-label*="Running"]');
  assert.equal(await ready.count(), 1, 'one Pod is Ready, not three');
  const first = await step(page);
  await goto(page).click();
  await page.getByRole('button', { name: 'Run to the next stop' }).click();
  assert.ok((await step(page)) > first);
  assert.equal(await ready.count(), 2);
});

walk('play stops at a breakpoint, and goes on without it', '', async (page) => {
  await stopWhen(page, 'a Pod gets a node');
  await press(page, 'Escape');
  await page.getByRole('combobox', { name: 'Speed' }).selectOption({ label: 'fast steps' });
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'Stopped: a Pod gets a node' }).waitFor();
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  const at = await step(page);
  await page.waitForTimeout(900);
  assert.equal(await step(page), at, 'it stands');
  await goto(page).click();
  await page.getByRole('button', { name: /^Do not stop any more/ }).click();
  assert.equal(await page.locator('.breaks .x').count(), 0);
  assert.ok(await page.getByRole('button', { name: 'Run to the next stop' }).isDisabled());
});

walk('a stop at clock speed is not overrun', '', async (page) => {
  await stopWhen(page, 'an object of a kind changes', 'ReplicaSet');
  await press(page, 'Escape');
  await page.getByRole('combobox', { name: 'Speed' }).selectOption({ label: '1000 × real time' });
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'Stopped: an object of a kind changes (ReplicaSet)' }).waitFor();
  assert.ok(Number.parseFloat(await clock(page)) < 100, await clock(page));
});

walk('what never happens is said, and nothing moves', '', async (page) => {
  await press(page, 'ArrowRight', 3);
  const at = await clock(page);
  await stopWhen(page, 'a node is no longer Ready');
  await page.getByRole('button', { name: 'Run to the next stop' }).click();
  assert.match(await status(page), /does not happen/);
  assert.equal(await clock(page), at);
});

walk('the events of an object are visited one by one, both ways', '', async (page) => {
  await press(page, 'Shift+ArrowRight', 4);
  await goto(page).click();
  const row = page.locator('.pair', { hasText: 'ReplicaSet' }).or(page.locator('.pair', { hasText: 'Deployment' })).first();
  const name = await row.locator('span').first().innerText();
  const before = await step(page);
  await row.getByRole('button', { name: 'Next' }).click();
  const after = await step(page);
  assert.ok(after > before, `${name}: ${before} → ${after}`);
  await page.locator('.pair', { hasText: name }).getByRole('button', { name: 'Before' }).click();
  assert.ok((await step(page)) < after);
  await page.locator('.pair', { hasText: 'Phase' }).getByRole('button', { name: 'Next' }).click();
  assert.ok((await step(page)) > before);
});

walk('a command in the past makes a future; both are named, kept and compared', '', async (page) => {
  const parting = await fork(page);
  await goto(page).click();
  const futures = page.locator('.forks li');
  assert.equal(await futures.count(), 2);
  const words = await page.locator('.forks').innerText();
  assert.match(words, /kubectl scale deployment nginx --replicas=5/);
  assert.match(words, /loses its power: node-2\s+shown now/);
  await noAxeViolations(page, 'the menu of futures');
  await page.getByRole('button', { name: /^Compare with: kubectl scale/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Two futures, side by side' });
  assert.match(await dialog.innerText(), new RegExp(`share everything up to event ${parting}`));
  // What the engine's two ends really have.
  const row = (name) => dialog.locator('.ends tr', { hasText: name }).innerText();
  assert.match(await row('nginx, Pods ready'), /3\/3\s+5\/5\s+≠/);
  assert.match(await row('node-2, Pods'), /NotReady.*\sReady/s);
  assert.equal(await dialog.locator('.firstrow').count(), 1);
  const first = await dialog.locator('.firstdiff p').first().innerText();
  assert.match(first, /This happens with/);
  await noAxeViolations(page, 'two futures side by side');
  // Going to the first difference switches to the future that has it.
  await dialog.locator('.firstdiff').getByRole('button', { name: /^Go there/ }).first().click();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.ok((await step(page)) > parting);
});

walk('switching between futures shows the other end', '', async (page) => {
  await fork(page);
  await goto(page).click();
  await page.locator('.forks').getByRole('button', { name: /^kubectl scale/ }).click();
  await press(page, 'Escape');
  await press(page, 'End');
  assert.equal(await page.locator('.stage .pod[aria-label*="Running"]').count(), 5);
});

walk('a dialogue keeps the keys to itself and gives the focus back', '', async (page) => {
  await fork(page);
  const at = await clock(page);
  await goto(page).click();
  await page.getByRole('button', { name: /^Compare with/ }).click();
  await page.getByRole('dialog').waitFor();
  await press(page, 'ArrowRight', 3);
  await press(page, 'Escape');
  await page.waitForFunction(() => document.querySelector('dialog') === null);
  assert.equal(await clock(page), at, 'arrows did not step behind it');
});

walk('every lane is in sight, and dense marks have counts', '?preset=node-burns-down', async (page) => {
  await press(page, 'End');
  const lanes = await page.locator('.lanes .lt').count();
  assert.ok(lanes >= 9, `${lanes} lanes`);
  const box = await page.locator('.lanes').evaluate((lanes) => {
    const last = [...lanes.querySelectorAll('.lt')].at(-1).getBoundingClientRect();
    const own = lanes.getBoundingClientRect();
    return { below: last.bottom - own.bottom, size: Number.parseFloat(getComputedStyle(lanes.querySelector('.lt')).fontSize) };
  });
  assert.ok(box.below <= 0, `the last lane is ${box.below} pixels below`);
  assert.ok(box.size >= 11);
  const counts = await page.locator('.lanes .ct').allTextContents();
  assert.ok(counts.length > 0 && counts.every((count) => Number(count) >= 2), counts.join(' '));
  const high = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
  assert.ok(high <= 0, `the body scrolls by ${high} pixels`);
  // Counts of one lane do not lie over each other.
  const over = await page.locator('.lanes svg g > g').evaluateAll((groups) => groups.flatMap((group) => {
    const boxes = [...group.querySelectorAll('.ct')].map((text) => text.getBoundingClientRect()).sort((a, b) => a.left - b.left);
    return boxes.slice(1).filter((box, i) => box.left < boxes[i].right);
  }).length);
  assert.equal(over, 0);
});

for (const viewport of [{ width: 360, height: 740 }, { width: 820, height: 1180 }]) {
  walk(`stops and futures work at ${viewport.width} pixels`, '', async (page) => {
    await stopWhen(page, 'a Pod becomes Ready');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} pixels too wide`);
    const menu = await page.locator('.jumps').boundingBox();
    assert.ok(menu.x >= 0 && menu.y >= 0 && menu.x + menu.width <= viewport.width && menu.y + menu.height <= viewport.height, JSON.stringify(menu));
    await noAxeViolations(page, `the menu of time at ${viewport.width}`);
    await page.getByRole('button', { name: 'Run to the next stop' }).click();
    assert.match(await status(page), /Stopped/);
    const small = await page.locator('.jump button:visible').evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect()).filter((box) => box.width < 32 || box.height < 32).length);
    assert.equal(small, 0);
    if (viewport.width < 600) {
      const range = page.locator('input.range');
      assert.ok(await range.isVisible(), 'one scrubber');
      const boxes = await page.locator('.jump .ib:visible').evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().height));
      assert.ok(boxes.every((height) => height >= 48), boxes.join(' '));
      // Speed and step size have no room in the bar; the menu has them.
      await goto(page).click();
      await page.getByRole('combobox', { name: 'Step size' }).selectOption({ label: 'Phase' });
      await page.getByRole('combobox', { name: 'Speed' }).selectOption({ label: '10 × real time' });
      await press(page, 'Escape');
      await press(page, 'Home');
      await page.getByRole('button', { name: 'One step forward' }).click();
      await page.getByRole('button', { name: 'One step forward' }).click();
      assert.ok((await step(page)) > 5, 'a whole phase');
    }
    const high = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
    assert.ok(high <= 0, `the body scrolls by ${high} pixels`);
  }, { viewport });
}
