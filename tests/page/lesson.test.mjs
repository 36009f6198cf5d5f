// Takes the first lesson as a learner would: by keyboard alone, at three widths, with predictions,
// leaving and resuming. axe runs in every kind of step.

import assert from 'node:assert/strict';
import { engineWhole, noAxeViolations } from './browser.mjs';
import { press, walks } from './walks.mjs';

const { env, walk } = walks();

const title = (page) => page.locator('.lesson h2.title').innerText();
const number = async (page) => Number((await page.locator('.lesson .phase').innerText()).match(/\d+/)[0]);
const met = (page) => page.locator('.lesson .lprog .cur.done').waitFor({ state: 'attached' });
/** Presses Tab until the focused element matches. */
const tabTo = async (page, selector) => {
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
  }
  assert.fail(`Tab never reaches ${selector}`);
};

walk('the birth of a Pod, by keyboard, to free play', '', async (page) => {
  // The start is a button of the first scene.
  await page.getByRole('button', { name: 'Take it as a lesson' }).focus();
  await press(page, 'Enter');
  await page.locator('.lesson').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'lesson-title');
  await noAxeViolations(page, 'a lesson begins');
  const count = Number((await page.locator('.lesson .phase').innerText()).match(/of (\d+)/)[1]);
  assert.ok(count >= 13, `${count} steps`);

  // Next waits for the engine.
  await press(page, 'j');
  assert.equal(await number(page), 1, 'not before the manifest is applied');
  await page.getByText('First do what the step asks').waitFor();
  await press(page, 'Control+Enter');
  await met(page);
  assert.match(await page.locator('.task').innerText(), /You ran kubectl apply -f nginx\.yaml/);

  // Stepping by hand is recognised.
  await press(page, 'j');
  assert.equal(await number(page), 2);
  for (let i = 0; i < 40 && (await page.locator('.lesson .lprog .cur.done').count()) === 0; i += 1) {
    await press(page, 'ArrowRight');
  }
  await met(page);
  const titles = [await title(page)];
  let asked = 0;
  for (let step = 3; step <= count; step += 1) {
    await press(page, 'j');
    await page.waitForFunction((n) => document.querySelector('.lesson .phase').textContent.includes(`Step ${n} `), step);
    titles.push(await title(page));
    const words = await page.locator('.lesson').innerText();
    assert.doesNotMatch(words, /\{[a-z]+[|}]/, 'every fact is filled in');
    if ((await page.locator('.lesson .ask .opt').count()) > 0) {
      await tabTo(page, '.lesson .ask .opt');
      await press(page, 'Enter');
      await page.locator('.verdict').waitFor();
      assert.match(await page.locator('.verdict').innerText(), /(Right\.|Not quite\.)\s+\S.*\d/s);
      asked += 1;
      await noAxeViolations(page, `predicted in step ${step}`);
    }
    if ((await page.getByRole('button', { name: 'Show me' }).count()) > 0) {
      await press(page, 'm');
      await met(page);
      const told = await page.locator('.lesson').innerText();
      for (const part of [/What happens\n+\S/, /Why it matters\n+\S/, /Technical detail/]) assert.match(told, part);
      assert.doesNotMatch(told, /\{[a-z]+[|}]/, 'every fact is filled in');
      await page.locator('#lt1').click();
      assert.match(await page.locator('#lesson-data').innerText(), /\S{3}/);
    }
    if (step % 4 === 0) await noAxeViolations(page, `step ${step}`);
  }
  assert.equal(new Set(titles).size, titles.length, 'one idea per step');
  assert.ok(asked >= 4, `${asked} predictions`);
  assert.match(await page.locator('.lesson').innerText(), /\d of \d right/);
  await noAxeViolations(page, 'the last step');

  // It ends in free play on the cluster as it is.
  await page.getByRole('button', { name: 'Ask for five replicas' }).click();
  await page.getByRole('button', { name: 'On to free play' }).click();
  await page.locator('.explain:not(.lesson)').waitFor();
  await press(page, 'End');
  await press(page, 't');
  assert.match(await page.locator('.astext').innerText(), /5 of 5 ready/);
});

walk('back, leave, resume, and after a reload', '?lesson=birth', async (page) => {
  await page.locator('.lesson').waitFor();
  for (let i = 0; i < 4; i += 1) {
    await press(page, 'm');
    await met(page);
    await press(page, 'j');
  }
  assert.equal(await number(page), 5);
  const name = await title(page);
  await press(page, 'k');
  assert.equal(await number(page), 4);
  await met(page);
  await press(page, 'j');
  assert.equal(await title(page), name);

  await page.getByRole('button', { name: 'Leave' }).click();
  await page.locator('.lesson').waitFor({ state: 'detached' });
  await page.locator('.crumb button').first().click();
  await noAxeViolations(page, 'the menu of lessons');
  await page.getByRole('button', { name: 'Go on with step 5' }).click();
  assert.equal(await title(page), name);

  await page.goto(env.site.url);
  await engineWhole(page);
  await page.locator('.crumb button').first().click();
  await page.getByRole('button', { name: 'Go on with step 5' }).click();
  await page.locator('.lesson').waitFor();
  assert.equal(await title(page), name);
  await press(page, 'k');
  assert.equal(await number(page), 4);
});

walk('a node is picked on the stage; the question can be skipped', '', async (page) => {
  const ask = page.locator('.ask');
  for (let i = 0; i < 400 && !/which node/.test((await ask.count()) > 0 ? await ask.innerText() : ''); i += 1) {
    await press(page, 'ArrowRight');
  }
  assert.match(await ask.innerText(), /which node will get/);
  await noAxeViolations(page, 'a prediction');
  await page.getByRole('button', { name: 'Pick on the stage' }).click();
  await page.locator('.stage').getByRole('button', { name: /^node-2/ }).first().click();
  await page.locator('.verdict').waitFor();
  assert.match(await ask.locator('.opt.yes, .opt.no').allInnerTexts().then((t) => t.join()), /node-2/);
  assert.equal(await page.locator('svg.pic').count() > 0, true, 'the node was not opened');
  await noAxeViolations(page, 'a prediction answered');

  await press(page, 'Home');
  await press(page, 'Shift+ArrowRight', 2);
  await page.getByRole('button', { name: 'Skip' }).click();
  assert.equal(await ask.count(), 0);
});

for (const [name, viewport] of [
  ['tablet', { width: 820, height: 1180 }],
  ['phone', { width: 360, height: 740 }],
]) {
  walk(`nothing of a lesson is cut off on a ${name}`, '?lesson=birth', async (page) => {
    await page.locator('.lesson').waitFor();
    for (let i = 0; i < 4; i += 1) {
      await press(page, 'm');
      await met(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `the page is ${wide} pixels too wide`);
      const next = await page.getByRole('button', { name: 'Next' }).boundingBox();
      assert.ok(next.y + next.height <= viewport.height, 'Next is in view');
      await press(page, 'j');
    }
    await noAxeViolations(page, `a lesson on a ${name}`);
  }, { viewport });
}
