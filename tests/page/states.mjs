// The moments of the page that screenshots are taken of.

/**
 * @typedef {object} State
 * @property {string} [path] the page, relative to the site; may carry a query and a fragment
 * @property {(page: import('playwright-core').Page) => Promise<void>} [act] brings the page there
 */

const press = async (page, key, times) => {
  for (let i = 0; i < times; i += 1) await page.keyboard.press(key);
};

/** @type {Record<string, State>} */
export const STATES = {
  start: {},
  step: { act: (page) => press(page, 'ArrowRight', 6) },
  end: { act: (page) => page.keyboard.press('End') },
  burned: { path: '?preset=node-burns-down', act: (page) => page.keyboard.press('End') },
};
