// The moments of the page that screenshots are taken of.

/**
 * @typedef {object} State
 * @property {string} [path] the page, relative to the site; may carry a query and a fragment
 * @property {(page: import('playwright-core').Page) => Promise<void>} [act] brings the page there
 */

/** @type {Record<string, State>} */
export const STATES = {
  start: {},
};
