// The moments of the page that screenshots are taken of.

import { crowd } from './crowd.mjs';

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
  pseudo: { path: '?lang=qps', act: (page) => press(page, 'ArrowRight', 4) },
  'pseudo-start': { path: '?lang=qps' },
  creating: {
    act: async (page) => {
      for (let i = 0; i < 8; i += 1) await press(page, 'Shift+ArrowRight');
      await press(page, 'ArrowRight', 6);
    },
  },
  etcd: { act: inside(3, /^etcd/) },
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
  embed: { path: 'example.html', act: (page) => page.waitForTimeout(1500) },
};
