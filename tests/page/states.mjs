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
  embed: { path: 'example.html', act: (page) => page.waitForTimeout(1500) },
};
