// Opens the built site in Chromium, and checks what must hold for every page at every moment.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { DIST } from './serve.mjs';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
];

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Chromium; `PODSCOPE_CHROMIUM` names another program. */
export function launch() {
  const executablePath = process.env.PODSCOPE_CHROMIUM ?? PLACES.find((place) => existsSync(place));
  if (executablePath === undefined) {
    throw new Error('no Chrome or Chromium: install one, or set PODSCOPE_CHROMIUM to its program');
  }
  return chromium.launch({ executablePath, args: FLAGS });
}

/**
 * Opens a page and writes down everything that must not happen on it.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {import('playwright-core').BrowserContextOptions} options
 * @returns {Promise<{ page: import('playwright-core').Page, faults: string[] }>}
 *   `faults`: console errors, exceptions, failed requests, requests to other hosts, policy violations.
 */
export async function open(browser, url, options = {}) {
  // A service worker would answer what a test routes.
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, serviceWorkers: 'block', ...options });
  const page = await context.newPage();
  // A loaded machine and an unoptimised engine are slow; what hangs is found all the same.
  page.setDefaultTimeout(90_000);
  const faults = [];
  const home = new URL(url).origin;
  page.on('pageerror', (error) => faults.push(`exception: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('requestfailed', (request) => faults.push(`request failed: ${request.url()}`));
  page.on('request', (request) => {
    const to = new URL(request.url());
    const inside = ['data:', 'blob:'].includes(to.protocol) || to.origin === home;
    if (!inside) faults.push(`foreign request: ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
  });
  await page.goto(url);
  return { page, faults };
}

/** Waits until the engine runs; throws with the reason when it failed. */
export async function engineRunning(page, timeout = 60_000) {
  await page.waitForFunction(() => document.documentElement.dataset.engine !== undefined, null, {
    timeout,
  });
  const state = await page.evaluate(() => document.documentElement.dataset.engine);
  assert.equal(state, 'running', 'the engine started');
}

/** Waits until both parts of the engine are there: from then on the page answers at once. */
export async function engineWhole(page) {
  await engineRunning(page);
  const parts = await readdir(DIST);
  if (!parts.some((name) => name.includes('_later-'))) return; // A quick build has one part.
  await page.evaluate(() => document.body.dispatchEvent(new PointerEvent('pointermove', { bubbles: true })));
  await page.waitForFunction(() => document.documentElement.dataset.later === 'here');
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/**
 * Runs axe on what is shown now (open shadow roots and same-origin frames included) and fails with
 * a readable list of violations.
 * @param {string} state names the moment, for the message
 */
export async function noAxeViolations(page, state) {
  // Evaluated by the debugger, which the page's policy does not bind.
  const { readFile } = await import('node:fs/promises');
  const source = await readFile(AXE, 'utf8');
  for (const frame of page.frames()) await frame.evaluate(`if (!globalThis.axe) { ${source} }`);
  const violations = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, {
      resultTypes: ['violations'],
      // It would parse sheets with <style>, which a figure's policy refuses.
      preload: false,
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return result.violations.map(({ id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`),
    }));
  });
  const lines = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.join('\n  ')}`);
  assert.equal(lines.length, 0, `axe in state "${state}":\n${lines.join('\n')}`);
}
