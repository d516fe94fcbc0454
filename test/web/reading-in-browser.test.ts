import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
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
});
