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

/** Shows the first steps of a lesson, each by its "show me", and stops at the moment of the last. */
const lessonTo = async (page, steps) => {
  await page.locator('.lesson').waitFor();
  for (let i = 1; i <= steps; i += 1) {
    if (i > 1) await press(page, 'n');
    await press(page, 'm');
    await page.locator('.lesson .lprog .cur.done').waitFor({ state: 'attached' });
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
      await press(page, 'End');
      await page.getByRole('tab', { name: 'Objects' }).dispatchEvent('click');
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
  lesson: { path: '?lesson=birth', act: (page) => page.locator('.lesson').waitFor() },
  'lesson-told': { path: '?lesson=birth', act: (page) => lessonTo(page, 5) },
  'lesson-predict': {
    path: '?lesson=birth',
    act: async (page) => {
      await lessonTo(page, 5);
      await press(page, 'n');
      await page.locator('.lesson .ask .opt').first().dispatchEvent('click');
    },
  },
  'lesson-node': { path: '?lesson=birth', act: (page) => lessonTo(page, 8) },
  'lesson-end': {
    path: '?lesson=birth',
    act: async (page) => {
      await lessonTo(page, 13);
      await press(page, 'n');
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
  embed: { path: 'example.html', act: (page) => page.waitForTimeout(1500) },
};
