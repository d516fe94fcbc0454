import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { conversationAddress } from '../../src/web/addresses.ts';
import { createAccount, nextExport } from '../support/openai/exports/index.ts';
import { startBrowser, WebScene } from './scene.ts';

describe('Reading in a real browser', () => {
  let scene: WebScene;
  let browser: Browser;

  before(async () => {
    scene = await WebScene.open();
    const account = createAccount({ seed: 'browser', conversations: 14 });
    await scene.take(account, 'G4', '2026-03-01T10:00:00Z');
    await scene.take(nextExport(account, { seed: 'next', change: 2, delete: 1 }), 'G5', '2026-06-21T19:05:33Z');
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await scene?.[Symbol.asyncDispose]();
  });

  const conversations = () => scene.catalog?.conversations({}, { limit: 100 }) ?? [];
  const spoken = () => {
    const found = conversations().find((one) => one.spoken && one.presence === 'present');
    assert.ok(found);
    return `${scene.origin}${conversationAddress(found)}`;
  };

  it('finds while one types, leads to the message by the keyboard alone, and keeps an address to share', async () => {
    const page = await browser.newPage();
    await page.goto(`${scene.origin}/conversations`);
    await page.keyboard.press('/');
    await page.keyboard.type('approa');
    await page.waitForURL(/q=approa/);
    assert.match((await page.getByRole('status').textContent()) ?? '', /found$/);
    assert.match((await page.locator('#messages mark').first().textContent()) ?? '', /^approach/i);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/#m-/);
    assert.equal(await page.locator('.message:target, .message:has(:target)').count(), 1);
    await page.close();
  });

  it('finds without scripts', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${scene.origin}/conversations`);
    await page.fill('#q', 'approach');
    await page.getByRole('button', { name: 'Search' }).click();
    assert.match((await page.locator('#count').textContent()) ?? '', /found$/);
    await page.locator('#messages a').first().click();
    assert.match(page.url(), /#m-/);
    await context.close();
  });

  it('plays what was said', async () => {
    const page = await browser.newPage();
    await page.goto(spoken());
    const player = page.locator('audio').first();
    await player.evaluate(async (audio: { muted: boolean; play(): Promise<void> }) => {
      audio.muted = true;
      await audio.play();
    });
    await page.waitForFunction('document.querySelector("audio").currentTime > 0');
    await page.close();
  });

  it('fits on narrow screens, in the light and in the dark, with nothing that axe objects to', async () => {
    const context = await browser.newContext({ bypassCSP: true });
    const page = await context.newPage();
    for (const address of [`${scene.origin}/conversations`, `${scene.origin}/conversations?q=approach`, spoken()]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        for (const width of [390, 320]) {
          await page.setViewportSize({ width, height: 700 });
          await page.goto(address);
          assert.ok(
            Number(await page.evaluate('document.documentElement.scrollWidth')) <= width,
            `${address} at ${width}`,
          );
        }
        assert.deepEqual(await objectionsOf(page), [], `${address} ${colorScheme}`);
      }
    }
    await context.close();
  });
});

async function objectionsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const result = await page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))',
  );
  return result as string[];
}
