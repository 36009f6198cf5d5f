// Ten things that people come for, done by somebody who hears the page and never sees it: this driver
// knows roles, names and spoken text only; no place, no colour, no style sheet's class.

import assert from 'node:assert/strict';
import { engineWhole } from './browser.mjs';
import { walks } from './walks.mjs';

const { walk } = walks(undefined, 180_000);

/** What a text-only driver can do. `within` narrows by a region's name. */
const driver = (page) => {
  const place = (within) => (within ? page.getByRole('region', { name: within }).or(page.getByRole('dialog', { name: within })).first() : page);
  const find = (role, name, within) => place(within).getByRole(role, { name, exact: typeof name === 'string' }).first();
  return {
    page,
    press: (role, name, within) => find(role, name, within).click(),
    enter: async (name, text) => {
      await find('textbox', name).or(find('combobox', name)).first().fill(text);
      await page.keyboard.press('Enter');
    },
    rewrite: async (name, change) => {
      const box = find('textbox', name);
      await box.fill(change(await box.inputValue()));
    },
    choose: (name, label) => find('combobox', name).selectOption({ label }),
    key: (key) => page.keyboard.press(key),
    /** The page as it is read out. */
    hear: (within) => (within ? place(within) : page.locator('body')).ariaSnapshot(),
    /** Waits until it is read out. */
    until: async (what, within) => {
      let heard = '';
      for (let i = 0; i < 100; i += 1) {
        heard = await (within ? place(within) : page.locator('body')).ariaSnapshot();
        if (what.test(heard)) return heard;
        await page.waitForTimeout(100);
      }
      throw new assert.AssertionError({ message: `never heard ${what} in:\n${heard.slice(0, 6000)}` });
    },
  };
};

const task = (name, path, steps) => walk(name, path, (page) => steps(driver(page)));

task('1. play the birth of a Pod, pause, and hear what happens and why', '', async (person) => {
  await person.press('button', 'Play the birth of a Pod');
  await person.until(/What happens/, 'Explain');
  await person.press('button', 'Pause');
  const heard = await person.hear('Explain');
  for (const part of [/heading "What happens"/, /heading "Why it matters"/, /heading "Caused by"/]) assert.match(heard, part);
});

task('2. step forward, step back, and be at the same moment', '', async (person) => {
  for (let i = 0; i < 3; i += 1) await person.press('button', 'One step forward');
  const moment = await person.hear('Explain');
  await person.press('button', 'One step forward');
  assert.notEqual(await person.hear('Explain'), moment);
  await person.press('button', 'One step back');
  assert.equal(await person.hear('Explain'), moment);
});

task('3. ask for five replicas and count the Pods that run', '', async (person) => {
  await person.rewrite(/YAML/, (text) => text.replace('replicas: 3', 'replicas: 5'));
  await person.press('button', 'Apply');
  await person.press('button', 'To the end of what is known');
  await person.press('button', 'As text');
  const heard = await person.until(/5 of 5 ready/, 'Stage');
  assert.equal(heard.match(/row "nginx-\S+ 1\/1 Running/g)?.length, 5);
});

task('4. learn why a Pod is Pending, in the words of the scheduler', '?preset=pending', async (person) => {
  await person.press('button', 'Play');
  await person.press('button', 'Pause');
  await person.press('button', 'To the end of what is known');
  await person.press('button', 'As text');
  const heard = await person.until(/0\/3 nodes are available/, 'Stage');
  assert.match(heard, /Pending/);
});

task('5. mend a typing mistake with the offered fix, and apply', '', async (person) => {
  await person.rewrite(/YAML/, (text) => text.replace('replicas: 3', 'replicsa: 3'));
  const heard = await person.until(/unknown field "?spec\.replicsa/, 'Manifest');
  assert.match(heard, /line 8/);
  await person.press('button', /replicas/, 'Manifest');
  await person.until(/replicas: 3/, 'Manifest');
  await person.press('button', 'Apply');
  await person.until(/kubectl apply/, 'Explain');
});

task('6. pull the plug of a machine, wait for what follows, and heal it', '', async (person) => {
  await person.key('End');
  await person.press('button', 'Break something');
  await person.press('button', /^A machine loses its power/);
  await person.choose('Node', 'node-2');
  await person.press('button', 'Break it');
  await person.press('button', 'As text');
  for (let i = 0; i < 60 && !/row "node-2 NotReady/.test(await person.hear('Stage')); i += 1) await person.key('d');
  await person.until(/row "node-2 NotReady/, 'Stage');
  await person.press('button', /^Heal/);
  await person.key('End');
  await person.until(/row "node-2 Ready/, 'Stage');
});

task('7. ask kubectl for the Pods, and for something that does not exist', '', async (person) => {
  await person.key('End');
  await person.press('tab', 'kubectl');
  await person.enter('kubectl command', 'get pods');
  await person.until(/Running/, 'Inspect');
  await person.enter('kubectl command', 'get nonsense');
  await person.until(/doesn't have a resource type .?"nonsense/, 'Inspect');
});

task('8. read a Pod as it is stored', '', async (person) => {
  await person.key('End');
  await person.press('tab', 'Objects');
  await person.press('button', /^nginx-\w+-\w+$/, 'Inspect');
  const heard = await person.until(/nodeName: node-\d/, 'Inspect');
  assert.match(heard, /kind: Pod/);
});

task('9. look up a word', '', async (person) => {
  await person.key('g');
  await person.page.getByRole('dialog').waitFor();
  await person.page.getByRole('dialog').getByRole('searchbox').or(person.page.getByRole('dialog').getByRole('textbox')).first().fill('quorum');
  await person.until(/majority|more than half/i);
});

task('10. send somebody this very moment', '', async (person) => {
  await person.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  for (let i = 0; i < 5; i += 1) await person.press('button', 'One step forward');
  const moment = await person.hear('Explain');
  await person.press('button', 'Share');
  await person.press('button', /^Copy (a )?link/i);
  await person.until(/copied/i);
  const link = await person.page.evaluate(() => navigator.clipboard.readText());
  const other = await person.page.context().newPage();
  await other.goto(link);
  await engineWhole(other);
  assert.equal(await driver(other).hear('Explain'), moment);
});
