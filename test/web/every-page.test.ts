import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import axe from 'axe-core';
import type { Page, Request } from 'playwright-core';
import { Gallery } from './gallery.ts';

const MOST_BYTES = 100_000;
const PHONE = { width: 320, height: 640 };
/** What is to be had, and is no page that somebody looks at. */
const NO_PAGES: ReadonlySet<string> = new Set([
  '/static/:hash/:name',
  '/captures',
  '/conversations/search',
  '/conversations/:number{[0-9]{1,12}}',
  '/conversations/:account/:id/text',
  '/snapshots/:account/:snapshot/files/*',
  '/snapshots/:account/:name/verification',
  '/snapshots/:account/:name/comparison/state',
  '/snapshots/:account/:name/SHA256SUMS',
  '/snapshots/:account/:name/zip',
]);

describe('Every page', () => {
  let gallery: Gallery;
  before(async () => {
    gallery = await Gallery.open();
  });
  after(() => gallery?.[Symbol.asyncDispose]());

  it('can be used by everybody, light and dark and on a phone, and takes 100 kB at most', async (test) => {
    const shown = new Set<string>();
    for (const exhibit of gallery.exhibits) {
      await test.test(exhibit.name, async () => {
        // axe is put into the page by the browser's own door, past the policy.
        const page = await gallery.visit(exhibit, { bypassCSP: true });
        const loaded = countBytes(page);
        page.on('response', (answer) => {
          const { origin, pathname } = new URL(answer.url());
          if (origin === gallery.origin && answer.ok()) shown.add(pathname);
        });
        assert.equal(await exhibit.open(page), exhibit.status);
        assert.deepEqual(await objectionsOf(page), [], 'light');
        assert.ok((await loaded()) <= MOST_BYTES, `${await loaded()} bytes`);
        await page.emulateMedia({ colorScheme: 'dark' });
        await page.setViewportSize(PHONE);
        await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
        assert.deepEqual(await objectionsOf(page), [], 'dark, on a phone, all unfolded');
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width);
        await page.context().close();
      });
    }
    await test.test('none of them is left out of the gallery', () => {
      const missing = gallery.paths.filter((path) => !NO_PAGES.has(path) && ![...shown].some(isAt(path)));
      assert.deepEqual(missing, []);
      const unknown = [...NO_PAGES].filter((path) => !gallery.paths.includes(path));
      assert.deepEqual(unknown, [], 'and there is no such path');
    });
  });

  it('draws the signs of roots in formulas', async () => {
    const exhibit = gallery.exhibit(/both in one answer/);
    const page = await gallery.visit(exhibit, {});
    await exhibit.open(page);
    const widths = await page
      .locator('msqrt')
      .evaluateAll((roots: { clientWidth: number; firstElementChild: { clientWidth: number } }[]) =>
        roots.map((root) => [root.clientWidth, root.firstElementChild.clientWidth] as const),
      );
    assert.ok(widths.length > 0);
    for (const [whole, below] of widths) assert.ok(whole > below + 4, `${whole} px over ${below} px`);
    await page.context().close();
  });
});

/** Whether something was to be had from a path like this: `/snapshots/:account/:name`. */
function isAt(path: string): (shown: string) => boolean {
  const pattern = new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`);
  return (shown) => pattern.test(shown);
}

/** What axe objects to: the rule, and the first place. */
async function objectionsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const result = await page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))',
  );
  return result as string[];
}

/**
 * Counts what the browser has fetched for the page so far, headers included; of pages that lead to one another, all. What
 * the account itself holds is not a part of the page, and may be of any size: its pictures, and the page of the export
 * in its frame.
 */
function countBytes(page: Page): () => Promise<number> {
  const finished: Request[] = [];
  page.on('requestfinished', (request) => {
    if (!new URL(request.url()).pathname.includes('/files/')) finished.push(request);
  });
  return async () => {
    const sizes = await Promise.all(finished.map((request) => request.sizes()));
    return sizes.reduce(
      (sum, { responseBodySize, responseHeadersSize }) => sum + responseBodySize + responseHeadersSize,
      0,
    );
  };
}
