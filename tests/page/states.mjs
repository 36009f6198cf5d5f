// The moments of the page that screenshots are taken of.

/**
 * @typedef {object} State
 * @property {string} [path] the page, relative to the site; may carry a query and a fragment
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

/** @type {Record<string, State>} */
export const STATES = {
  start: {},
  step: { act: (page) => press(page, 'ArrowRight', 4) },
  admission: { act: inside(2, /^API server/) },
  scheduler: { act: inside(6, /^scheduler/i) },
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
  fire: {
    path: '?preset=node-burns-down',
    act: async (page) => {
      await press(page, 'End');
      await page.evaluate(() => 0);
    },
  },
  pseudo: { path: '?lang=qps', act: (page) => press(page, 'ArrowRight', 4) },
  'pseudo-start': { path: '?lang=qps' },
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
  embed: { path: 'example.html', act: (page) => page.waitForTimeout(1500) },
};
