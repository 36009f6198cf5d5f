// Sharing: what leaves the page and what comes in. Each thing is used as a person would use it, and
// what it gives is read by something that is not the page.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { noAxeViolations } from './browser.mjs';
import { press, walks } from './walks.mjs';

const { walk } = walks();

const clock = (page) => page.locator('.clock').innerText();
const menu = async (page) => {
  const share = page.getByRole('button', { name: page.viewportSize().width > 600 ? 'Share' : 'More', exact: true });
  if ((await share.getAttribute('aria-expanded')) !== 'true') await share.click();
};

/** Downloads something from the share menu. */
const take = async (page, what) => {
  await menu(page);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: `Download: ${what}` }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
};

const clipboard = (page, works) =>
  page.evaluate((works) => {
    globalThis.copied = '';
    Object.defineProperty(navigator, 'clipboard', {
      configurable: true,
      value: {
        writeText: async (text) => {
          if (!works) throw new DOMException('no', 'NotAllowedError');
          globalThis.copied = text;
        },
      },
    });
  }, works);

for (const scheme of ['light', 'dark']) {
  walk(`the stage leaves as an SVG that needs nothing else (${scheme})`, '', async (page) => {
    await press(page, 'ArrowRight', 9);
    const { name, bytes } = await take(page, 'Picture of the stage (SVG)');
    const svg = bytes.toString('utf8');
    assert.equal(name, 'podscope.svg');
    for (const bad of ['var(', 'url(', 'class=', '<use', 'href', '<style', 'NaN', 'undefined']) assert.ok(!svg.includes(bad), bad);
    assert.ok(svg.includes('API server') && svg.includes('node-1'));
    // Another parser reads it, and shows it as it was on the page.
    const seen = await page.evaluate((text) => {
      const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
      const root = parsed.documentElement;
      const luma = (colour) => {
        const canvas = document.createElement('canvas').getContext('2d');
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const label = [...root.querySelectorAll('text')].find((node) => node.textContent.includes('node-1'));
      return {
        error: parsed.querySelector('parsererror')?.textContent ?? '',
        texts: root.querySelectorAll('text').length,
        hidden: root.querySelectorAll('text[stroke]:not([paint-order=stroke])').length,
        shapes: root.children.length,
        ground: luma(root.querySelector('rect').getAttribute('fill')),
        ink: luma(label.getAttribute('fill')),
      };
    }, svg);
    assert.equal(seen.error, '');
    assert.equal(seen.hidden, 0, 'no halo lies over its letters');
    assert.ok(seen.texts > 10 && seen.shapes > 60, JSON.stringify(seen));
    if (scheme === 'dark') assert.ok(seen.ground < 40 && seen.ink > 200, JSON.stringify(seen));
    else assert.ok(seen.ground > 200 && seen.ink < 60, JSON.stringify(seen));
    // Nothing of the taking stays in the page.
    assert.equal(await page.locator('.inlined').count(), 0);
  }, { colorScheme: scheme });
}

walk('the stage leaves as a PNG that shows what the page shows', '?preset=node-burns-down', async (page) => {
  await press(page, 'End');
  const { name, bytes } = await take(page, 'Picture of the stage (PNG)');
  assert.equal(name, 'podscope.png');
  assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  assert.ok(width >= 700 && height >= 400, `${width} × ${height}`);
  assert.ok(bytes.length > 20_000, `${bytes.length} bytes: not an empty sheet`);
});

walk('an inside without a picture says so', '', async (page) => {
  await press(page, 'Shift+ArrowRight', 6);
  await press(page, 't');
  await menu(page);
  await page.getByRole('button', { name: 'Download: Picture of the stage (SVG)' }).click();
  assert.match(await page.getByRole('status').first().innerText(), /no picture to take/);
});

walk('the story leaves as text and as Markdown, up to this moment', '', async (page) => {
  await press(page, 'Shift+ArrowRight', 6);
  const text = (await take(page, 'What happened, as text')).bytes.toString('utf8');
  assert.match(text, /^The birth of a Pod\n/);
  assert.match(text, /\nSubmit\n/);
  assert.doesNotMatch(text, /CRI, CNI, OCI/);
  const markdown = await take(page, 'What happened, as Markdown');
  assert.equal(markdown.name, 'podscope.md');
  const lines = markdown.bytes.toString('utf8').split('\n');
  assert.equal(lines[0], '# The birth of a Pod');
  assert.ok(lines.filter((line) => line.startsWith('## ')).length >= 5);
  assert.ok(lines.filter((line) => /^- [\d.]+ ms \*\*.+\*\*: ./.test(line)).length > 10);
});

walk('the messages leave as a Mermaid diagram', '', async (page) => {
  await press(page, 'End');
  const { name, bytes } = await take(page, 'Messages, as a Mermaid diagram');
  assert.equal(name, 'podscope.mmd');
  const lines = bytes.toString('utf8').split('\n');
  assert.ok(lines.includes('sequenceDiagram'));
  assert.ok(lines.some((line) => line.includes('p0->>p1: POST')));
  assert.ok(lines.some((line) => line.includes('Note over') && line.includes('Scheduler')));
});

walk('a scenario file leaves and comes in again, by a file', '', async (page) => {
  await press(page, 'Shift+ArrowRight', 5);
  const now = await clock(page);
  const { name, bytes } = await take(page, 'Scenario file');
  assert.equal(name, 'podscope.yaml');
  await press(page, 'Home');
  await menu(page);
  await page.getByRole('button', { name: /cluster dump/ }).click();
  await noAxeViolations(page, 'the dialogue that imports');
  await page.locator('dialog input[type=file]').setInputFiles({ name: 'a.yaml', mimeType: 'text/yaml', buffer: bytes });
  await page.getByText('A scenario file: The birth of a Pod').waitFor();
  await page.getByRole('button', { name: 'Open it' }).click();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal(await clock(page), now, 'at the same moment');
});

walk('a dump of kubectl becomes a cluster; what is left out is said', '', async (page) => {
  const dump = await readFile(new URL('../../crates/session/tests/dumps/shop.yaml', import.meta.url), 'utf8');
  await menu(page);
  await page.getByRole('button', { name: /cluster dump/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Open something else' });
  await dialog.getByRole('textbox').fill(dump);
  await dialog.getByText('A cluster: 2 nodes and 6 objects to apply.').waitFor();
  const notes = await dialog.locator('.notes').innerText();
  for (const part of [/1 control plane node is left out.*cp-1/, /2 objects are made anew by the owner/, /not simulated: Certificate shop\/shop-tls/]) assert.match(notes, part);
  await noAxeViolations(page, 'a dump that was read');
  await dialog.getByRole('button', { name: 'Open it' }).click();
  for (const node of ['worker-a', 'worker-b']) await page.locator(`.stage [role=button][aria-label^="${node}"]`).first().waitFor();
  assert.equal(await page.locator('.stage .pod[aria-label*="Running"]').count(), 4);
});

for (const [text, words] of [
  ['a: [', /cannot be read/],
  ['hello', /no Kubernetes object/],
  ['podscope: 7', /version/],
]) {
  walk(`what cannot be imported gives a sentence: ${text}`, '', async (page) => {
    await menu(page);
    await page.getByRole('button', { name: /cluster dump/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill(text);
    assert.match(await dialog.getByRole('alert').innerText(), words);
    assert.ok(await dialog.getByRole('button', { name: 'Open it' }).isDisabled());
    await dialog.getByRole('button', { name: 'Close' }).click();
    await press(page, 'ArrowRight');
    assert.match(await clock(page), /step \d+ of/, 'the page lives');
  });
}

walk('a file that is too large is refused before it is read', '', async (page) => {
  await menu(page);
  await page.getByRole('button', { name: /cluster dump/ }).click();
  await page.locator('dialog input[type=file]').setInputFiles({ name: 'a.yaml', mimeType: 'text/yaml', buffer: Buffer.alloc((1 << 20) + 1, 32) });
  assert.match(await page.getByRole('alert').innerText(), /larger than 1 MiB/);
});

walk('when the clipboard refuses, the text is there to be taken by hand', '', async (page) => {
  await clipboard(page, false);
  await press(page, 'ArrowRight', 4);
  await menu(page);
  await page.getByRole('button', { name: /^Copy a link/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Link' });
  assert.match(await dialog.innerText(), /The browser refused/);
  const link = await dialog.getByRole('textbox').inputValue();
  assert.match(link, /#1p\.birth\.\d+$/);
  await dialog.getByRole('textbox').focus();
  assert.equal(await page.evaluate(() => document.activeElement.selectionEnd - document.activeElement.selectionStart), link.length, 'selected');
  await noAxeViolations(page, 'a text to take by hand');
});

walk('when downloads are refused, the text is there to be taken by hand', '', async (page) => {
  await page.evaluate(() => {
    URL.createObjectURL = () => {
      throw new DOMException('no', 'SecurityError');
    };
  });
  await press(page, 'ArrowRight', 4);
  await menu(page);
  await page.getByRole('button', { name: 'Download: Scenario file' }).click();
  assert.match(await page.getByRole('dialog').getByRole('textbox').inputValue(), /^podscope: 1/);
});

walk('everything can be copied too', '', async (page) => {
  await clipboard(page, true);
  await press(page, 'ArrowRight', 4);
  for (const [what, words] of [['What happened, as Markdown', /^# The birth/], ['Scenario file', /^podscope: 1/], ['Trace, one line for each event', /you\.command/], ['Picture of the stage (SVG)', /^<svg/]]) {
    await menu(page);
    await page.getByRole('button', { name: `Copy: ${what}` }).click();
    await page.waitForFunction(() => globalThis.copied !== '');
    assert.match(await page.evaluate(() => globalThis.copied), words);
    await page.evaluate(() => void (globalThis.copied = ''));
  }
  await menu(page);
  await noAxeViolations(page, 'the share menu');
});

for (const viewport of [{ width: 360, height: 740 }, { width: 820, height: 1180 }]) {
  walk(`sharing and importing work at ${viewport.width} pixels`, '', async (page) => {
    await press(page, 'ArrowRight', 4);
    await menu(page);
    await noAxeViolations(page, `the share menu at ${viewport.width}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} pixels too wide`);
    await page.getByRole('button', { name: /cluster dump/ }).click();
    const box = await page.getByRole('dialog').boundingBox();
    assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= viewport.width + 1 && box.y + box.height <= viewport.height + 1, JSON.stringify(box));
    await noAxeViolations(page, `the import at ${viewport.width}`);
  }, { viewport });
}
