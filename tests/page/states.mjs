// The moments of the page that screenshots are taken of.

import { readFileSync } from 'node:fs';
import { crowd, misfit } from './crowd.mjs';

/**
 * @typedef {object} State
 * @property {string} [path] the page, relative to the site; may carry a query and a fragment
 * @property {string} [scenario] the text of a scenario file to open
 * @property {(page: import('playwright-core').Page) => Promise<void>} [act] brings the page there
 */

const press = async (page, key, times = 1) => {
  for (let i = 0; i < times; i += 1) await page.keyboard.press(key);
};

/** Opens the inside of a component at a phase of the story. */
const inside = (phase, name) => async (page) => {
  for (let i = 0; i < phase; i += 1) await press(page, 'Shift+ArrowRight');
  await press(page, 'ArrowRight', 2);
  const button = page.locator('.stage').getByRole('button', { name }).first();
  await button.dispatchEvent('click');
};

/** Opens the menu of time and sets a breakpoint. */
const addBreak = async (page, name) => {
  const menu = page.locator('.goto');
  if ((await menu.getAttribute('aria-expanded')) !== 'true') await menu.dispatchEvent('click');
  await page.getByRole('combobox', { name: 'What to stop at' }).selectOption({ label: name });
  await page.getByRole('button', { name: 'Add', exact: true }).dispatchEvent('click');
};

/** Two futures from one moment: 5 replicas, and a machine without power. The menu is open. */
const fork = async (page) => {
  await press(page, 'End');
  if (page.viewportSize().width <= 1180) await page.locator('.tabbar button', { hasText: 'Inspect' }).dispatchEvent('click');
  const kubectl = page.getByRole('tab', { name: 'kubectl' });
  await kubectl.dispatchEvent('click');
  const prompt = page.getByRole('combobox', { name: 'kubectl command' });
  await prompt.evaluate((input) => {
    input.value = 'scale deployment nginx --replicas=5';
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  });
  await kubectl.dispatchEvent('click');
  if (page.viewportSize().width <= 1180) await page.locator('.tabbar button', { hasText: 'Explain' }).dispatchEvent('click');
  await page.evaluate(() => document.activeElement?.blur());
  // Back before the command.
  await page.locator('input.range').evaluate((input) => {
    input.value = '1073';
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  });
  await page.locator('.stagehead .menu').dispatchEvent('click');
  await page.locator('.palette .what', { hasText: 'A machine loses its power' }).dispatchEvent('click');
  await page.locator('.faultform select').first().selectOption('node-2', { force: true });
  await page.locator('.faultform').evaluate((form) => form.requestSubmit());
  await page.locator('.goto').dispatchEvent('click');
};

const DUMP = readFileSync(new URL('../../crates/session/tests/dumps/shop.yaml', import.meta.url), 'utf8');

/** Opens a tab of the inspector at the end of the story. */
const inspect = (name) => async (page) => {
  await press(page, 'End');
  const pane = page.locator('.tabbar').getByRole('button', { name: 'Inspect' });
  if (await pane.isVisible()) await pane.click();
  await page.getByRole('tab', { name, exact: true }).dispatchEvent('click');
  if (name === 'kubectl') {
    const prompt = page.getByRole('combobox', { name: 'kubectl command' });
    for (const line of ['get pods -o wide', 'get pod nobody', 'scale deployment/nginx --replicas=4']) {
      await prompt.fill(line);
      await prompt.press('Enter');
    }
    await prompt.pressSequentially('rollout ');
    await prompt.press('Tab');
  }
};

/** Shows the first steps of a lesson, each by its "show me", and stops at the moment of the last. */
const lessonTo = async (page, steps) => {
  await page.locator('.lesson').waitFor();
  for (let i = 1; i <= steps; i += 1) {
    if (i > 1) await press(page, 'j');
    await press(page, 'm');
    await page.locator('.lesson .lprog .cur.done').waitFor({ state: 'attached' });
  }
};

/** Brings the editor up and the keyboard into it. */
export const openEditor = async (page) => {
  const tab = page.locator('.tabbar').getByRole('button', { name: 'Manifest' });
  if (await tab.isVisible()) await tab.click();
  await page.locator('#manifest-text').focus();
  await page.locator('.manifest.used').waitFor();
};

/** Puts the caret behind a piece of the text. */
export const caretAt = (page, piece, after = 0) =>
  page.locator('#manifest-text').evaluate(
    (area, [what, by]) => {
      const at = area.value.indexOf(what) + by;
      area.setSelectionRange(at, at);
      area.dispatchEvent(new Event('select', { bubbles: true }));
    },
    [piece, after],
  );

/** Types over the whole text. */
export const retype = async (page, change) => {
  const area = page.locator('#manifest-text');
  await area.fill(change(await area.inputValue()));
};

/** A preset's scenario, opened at a moment of simulated time. */
export const presetAt = (preset, cursor) =>
  `${readFileSync(new URL(`../../content/scenarios/${preset}.yaml`, import.meta.url), 'utf8')}\ncursor: ${cursor}\n`;

/** On a small screen, brings the cluster up. */
const showCluster = async (page) => {
  const cluster = page.locator('.tabbar').getByRole('button', { name: 'Cluster' });
  if (await cluster.isVisible()) await cluster.click();
};

/** Asks why the first Pod fits on no node. */
export const whyPending = async (page) => {
  await page.locator('.waiters .btn').first().dispatchEvent('click');
  await page.locator('.sched .points').waitFor();
};

/** Asks what would make the Pod fit. */
export const whatIf = async (page) => {
  await page.locator('.asks').getByRole('button', { name: 'Find out' }).dispatchEvent('click');
  await page.locator('.helps .answers').waitFor();
};

/** @type {Record<string, State>} */
export const STATES = {
  start: {},
  step: { act: (page) => press(page, 'ArrowRight', 4) },
  admission: { act: inside(2, /^API server/) },
  scheduler: { act: inside(7, /^scheduler/i) },
  node: { act: inside(8, /^node-1/) },
  end: { act: (page) => press(page, 'End') },
  objects: {
    act: async (page) => {
      await inspect('Objects')(page);
      await page.locator('.ipanel td button', { hasText: /^nginx/ }).first().dispatchEvent('click');
    },
  },
  reject: {
    act: async (page) => {
      const editor = page.locator('#manifest-text');
      await editor.evaluate((area) => {
        area.value = area.value.replace('cpu: 200m', 'cpu: 50m');
        area.dispatchEvent(new InputEvent('input', { bubbles: true }));
      });
      await page.locator('.diag').first().waitFor({ state: 'attached' });
    },
  },
  editor: {
    act: async (page) => {
      await openEditor(page);
      await caretAt(page, 'image');
      await page.keyboard.press('F1');
    },
  },
  'editor-complete': {
    act: async (page) => {
      await openEditor(page);
      await caretAt(page, 'spec:', 5);
      await page.keyboard.type('\nre');
    },
  },
  'editor-problems': {
    act: async (page) => {
      await openEditor(page);
      await retype(page, (text) => text.replace('replicas: 3', 'replicsa: 3').replace('containers:', 'hostname: x\n      containers:'));
    },
  },
  'editor-find': {
    act: async (page) => {
      await openEditor(page);
      await caretAt(page, 'image');
      await page.keyboard.press('Control+h');
      await page.keyboard.type('nginx');
    },
  },
  'editor-changes': {
    act: async (page) => {
      await openEditor(page);
      await page.keyboard.press('Control+Enter');
      await page.locator('#manifest-text').evaluate((area) => area.blur());
      await press(page, 'End');
      await openEditor(page);
      await retype(page, (text) => text.replace('replicas: 3', 'replicas: 5').replace('nginx:1.', 'nginx:2.'));
      await page.getByRole('button', { name: 'What an apply would change' }).click();
    },
  },
  'editor-menu': {
    act: async (page) => {
      await openEditor(page);
      await page.getByRole('button', { name: 'New file' }).click();
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'More tools' }).click();
    },
  },
  fire: {
    path: '?preset=node-burns-down',
    act: async (page) => {
      await press(page, 'End');
      await page.evaluate(() => 0);
    },
  },
  pseudo: { path: '?lang=qps', act: (page) => press(page, 'ArrowRight', 4) },
  'pseudo-start': { path: '?lang=qps' },
  goto: {
    act: async (page) => {
      await press(page, 'ArrowRight', 6);
      await addBreak(page, 'a Pod becomes Ready');
      await addBreak(page, 'an Event of type Warning');
    },
  },
  futures: { act: fork },
  compare: {
    act: async (page) => {
      await fork(page);
      await page.getByRole('button', { name: /^Compare with/ }).first().dispatchEvent('click');
      await page.locator('dialog').waitFor();
    },
  },
  'compare-steps': {
    act: async (page) => {
      await STATES.compare.act(page);
      await page.locator('.steps-beside').evaluate((table) => table.scrollIntoView());
    },
  },
  share: {
    act: async (page) => {
      await press(page, 'End');
      await page.getByRole('button', { name: page.viewportSize().width > 600 ? 'Share' : 'More', exact: true }).dispatchEvent('click');
    },
  },
  import: {
    act: async (page) => {
      await page.getByRole('button', { name: page.viewportSize().width > 600 ? 'Share' : 'More', exact: true }).dispatchEvent('click');
      await page.getByRole('button', { name: /cluster dump/ }).dispatchEvent('click');
      await page.locator('#import-text').fill(DUMP);
    },
  },
  ...Object.fromEntries(
    [
      ['events', 'Events'],
      ['etcd', 'etcd'],
      ['queues', 'Scheduler'],
      ['machine', 'Node'],
      ['network', 'Network', '?preset=service'],
      ['log', 'Log'],
      ['terminal', 'kubectl'],
    ].map(([state, name, path]) => [state, { path, act: inspect(name) }]),
  ),
  tree: {
    act: async (page) => {
      await inspect('Objects')(page);
      await page.getByRole('radio', { name: 'By owner' }).dispatchEvent('click');
    },
  },
  request: {
    path: '?preset=service',
    act: async (page) => {
      await inspect('Network')(page);
      const to = page.locator('.send input');
      const names = await page.locator('#request-to option').evaluateAll((options) => options.map((option) => option.value));
      await to.fill(names.find((value) => /^[a-z-]+$/.test(value) && value !== 'kubernetes'));
      await to.press('Enter');
    },
  },
  faults: {
    path: '?preset=node-burns-down',
    act: async (page) => {
      await press(page, 'Shift+ArrowRight', 10);
      const cluster = page.locator('.tabbar').getByRole('button', { name: 'Cluster' });
      if (await cluster.isVisible()) await cluster.click();
      await page.getByRole('button', { name: /^Break/ }).first().dispatchEvent('click');
      await page.locator('.palette .what', { hasText: 'A container crashes' }).dispatchEvent('click');
    },
  },
  lesson: { path: '?lesson=birth', act: (page) => page.locator('.lesson').waitFor() },
  'lesson-told': { path: '?lesson=birth', act: (page) => lessonTo(page, 5) },
  'lesson-predict': {
    path: '?lesson=birth',
    act: async (page) => {
      await lessonTo(page, 5);
      await press(page, 'j');
      await page.locator('.lesson .ask .opt').first().dispatchEvent('click');
    },
  },
  'lesson-node': { path: '?lesson=birth', act: (page) => lessonTo(page, 8) },
  'lesson-end': {
    path: '?lesson=birth',
    act: async (page) => {
      await lessonTo(page, 13);
      await press(page, 'j');
    },
  },
  glossary: {
    act: async (page) => {
      await press(page, 'g');
      await page.locator('dialog.glossary').waitFor();
    },
  },
  term: {
    act: async (page) => {
      await press(page, 'Shift+ArrowRight', 4);
      await page.locator('.explain .term').first().dispatchEvent('click');
      await page.locator('.termpop').waitFor({ state: 'attached' });
    },
  },
  explain: { act: (page) => press(page, 'Shift+ArrowRight', 2) },
  creating: {
    act: async (page) => {
      for (let i = 0; i < 8; i += 1) await press(page, 'Shift+ArrowRight');
      await press(page, 'ArrowRight', 6);
    },
  },
  'inside-etcd': { act: inside(3, /^etcd/) },
  controller: { act: inside(5, /^ReplicaSet/) },
  client: { act: inside(9, /^kubectl/) },
  call: {
    act: async (page) => {
      await inside(2, /^API server/)(page);
      await page.locator('.diff .opens').first().dispatchEvent('click');
    },
  },
  plugin: {
    act: async (page) => {
      await inside(7, /^scheduler/i)(page);
      await page.locator('.mx .opens', { hasText: 'NodeResourcesFit' }).dispatchEvent('click');
    },
  },
  legend: { act: (page) => press(page, '?') },
  silent: {
    path: '?preset=node-burns-down',
    act: async (page) => {
      for (let i = 0; i < 11; i += 1) await press(page, 'Shift+ArrowRight');
      await press(page, 'ArrowRight', 2);
    },
  },
  fifty: { scenario: crowd(50, 150), act: (page) => press(page, 'End') },
  many: { scenario: crowd(120, 80), act: (page) => press(page, 'End') },
  matrix: {
    scenario: crowd(50, 60),
    act: async (page) => {
      await press(page, 'End');
      await page.locator('.stage').getByRole('button', { name: /^scheduler/i }).first().dispatchEvent('click');
    },
  },
  'effect-fix': {
    act: async (page) => {
      await openEditor(page);
      await retype(page, (text) => text.replace('cpu: 100m', 'cpu: "6"').replace('cpu: 200m', 'cpu: "6"'));
      const cluster = page.locator('.tabbar').getByRole('button', { name: 'Cluster' });
      if (await cluster.isVisible()) await cluster.click();
      await page.getByRole('button', { name: 'What would make it fit?' }).dispatchEvent('click');
      await page.locator('.efffix').waitFor();
    },
  },
  'why-pending': {
    scenario: presetAt('waiting', '6s'),
    act: async (page) => {
      await showCluster(page);
      await whyPending(page);
      await page.locator('.fm tbody .linky').last().dispatchEvent('click');
    },
  },
  waiting: { scenario: presetAt('waiting', '6s'), act: showCluster },
  'what-if': {
    scenario: presetAt('waiting', '6s'),
    act: async (page) => {
      await showCluster(page);
      await whyPending(page);
      await whatIf(page);
    },
  },
  'second-try': {
    scenario: presetAt('waiting', '40s'),
    act: async (page) => {
      await showCluster(page);
      await page.locator('.stage').getByRole('button', { name: /^scheduler/i }).first().dispatchEvent('click');
      await page.locator('.changed').evaluate((list) => list.scrollIntoView({ block: 'end' }));
    },
  },
  scores: {
    act: async (page) => {
      await inside(7, /^scheduler/i)(page);
      await page.locator('.few thead .linky').first().dispatchEvent('click');
      await page.locator('.sums').evaluate((table) => table.scrollIntoView({ block: 'end' }));
    },
  },
  preemption: {
    scenario: presetAt('preemption', '20.01s'),
    act: async (page) => {
      await showCluster(page);
      await whyPending(page);
    },
  },
  'preemption-victims': {
    scenario: presetAt('preemption', '20.01s'),
    act: async (page) => {
      await STATES.preemption.act(page);
      await page.locator('.victims').evaluate((table) => table.scrollIntoView({ block: 'end' }));
    },
  },
  'pending-300': {
    scenario: misfit(300),
    act: async (page) => {
      await press(page, 'End');
      await showCluster(page);
      await whyPending(page);
    },
  },
  'scores-300': {
    scenario: crowd(300, 40),
    act: async (page) => {
      await press(page, 'End');
      await page.locator('.stage').getByRole('button', { name: /^scheduler/i }).first().dispatchEvent('click');
      await page.locator('.wide-mx tbody .linky').nth(1).dispatchEvent('click');
      await page.locator('.wide-mx').evaluate((table) => table.scrollIntoView());
    },
  },
  embed: { path: 'example.html', act: (page) => page.waitForTimeout(1500) },
};
