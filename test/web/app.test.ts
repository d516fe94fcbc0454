import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAccount } from '../support/openai/exports/index.ts';
import { startBrowser, WebScene } from './scene.ts';

describe('The web page', () => {
  it('shows in a real browser what was kept, and the policy of the page objects to nothing', async () => {
    await using scene = await WebScene.open();
    await scene.take(createAccount({ seed: 'web', conversations: 5 }), 'G5', '2026-11-21T19:05:33Z');
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      await page.goto(`${scene.origin}/conversations`);
      assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Conversations');
      assert.equal(await page.getByRole('main').getByRole('listitem').count(), 5);
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
  });
});
