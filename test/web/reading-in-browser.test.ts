import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Locator } from 'playwright-core';
import type { CatalogConversation } from '../../src/catalog/index.ts';
import { HOUR_MS } from '../../src/lib/clock.ts';
import { formatMoment } from '../../src/lib/text.ts';
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
    const next = nextExport(account, { seed: 'next', change: 2, delete: 1 });
    await scene.take(next, 'G4', '2026-03-02T10:00:00Z');
    await scene.take(next, 'G5', '2026-06-21T19:05:33Z');
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await scene?.[Symbol.asyncDispose]();
  });

  const conversations = () => scene.catalog?.conversations({}, { limit: 100 }) ?? [];
  const one = (condition: (conversation: CatalogConversation) => boolean): string => {
    const found = conversations().find(condition);
    assert.ok(found, 'the account holds no such conversation');
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

  it('shows moments in the time zone of the browser, with UTC beside it; without scripts in UTC', async () => {
    const conversation = one(({ presence }) => presence === 'present');
    const momentOf = async (options: { timezoneId: string; javaScriptEnabled?: boolean }) => {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      await page.goto(conversation);
      const time = page.locator('.message time').first();
      const [shown = '', title, at = ''] = [
        await time.textContent(),
        await time.getAttribute('title'),
        await time.getAttribute('datetime'),
      ].map((text) => text ?? undefined);
      await context.close();
      return { shown, title, at };
    };
    const tokyo = await momentOf({ timezoneId: 'Asia/Tokyo' });
    const plain = await momentOf({ timezoneId: 'Asia/Tokyo', javaScriptEnabled: false });
    const inTokyo = new Date(Date.parse(tokyo.at) + 9 * HOUR_MS).toISOString().slice(0, 16).replace('T', ' ');
    assert.deepEqual([tokyo.shown, tokyo.title], [`${inTokyo} GMT+9`, plain.shown]);
    assert.deepEqual(plain, { shown: formatMoment(Date.parse(plain.at)), title: undefined, at: tokyo.at });
  });

  it('shows moments of what is found while one types in that time zone, too', async () => {
    const context = await browser.newContext({ timezoneId: 'America/Lima' });
    const page = await context.newPage();
    await page.goto(`${scene.origin}/conversations`);
    await page.fill('#q', 'approach');
    await page.locator('#messages time', { hasText: 'GMT-5' }).first().waitFor();
    await context.close();
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
    await page.goto(one(({ spoken, presence }) => spoken && presence === 'present'));
    const player = page.locator('audio').first();
    await player.evaluate(async (audio: { muted: boolean; play(): Promise<void> }) => {
      audio.muted = true;
      await audio.play();
    });
    await page.waitForFunction('document.querySelector("audio").currentTime > 0');
    await page.close();
  });

  it('finds a conversation that was deleted among all, and shows it with when it was last in an export', async () => {
    const page = await browser.newPage();
    await page.goto(`${scene.origin}/conversations`);
    await page.locator('.finder summary').click();
    await page.getByLabel('In the newest export').selectOption('deleted');
    await page.getByRole('button', { name: 'Apply' }).click();
    const entries = page.locator('#list').getByRole('listitem');
    await page.getByText('1 conversation, the newest first').waitFor();
    assert.equal(await entries.locator('.badge.bad').textContent(), 'Deleted, last in the export of 2026-03-01');
    const title = await entries.getByRole('link').textContent();
    await entries.getByRole('link').click();
    await page
      .getByText('This conversation has been deleted in ChatGPT. It was last in the export of 2026-03-01')
      .waitFor();
    assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), title);
    assert.ok((await page.locator('.message.user').first().innerText()).length > 10);
    await page.close();
  });

  it('goes through the versions that a conversation had in the exports, and back to the newest', async () => {
    const page = await browser.newPage();
    await page.goto(one(({ versions, presence }) => versions > 2 && presence === 'present'));
    const messages = () => page.locator('.message .content').allInnerTexts();
    const newest = await messages();
    await page.getByText('3 versions, this is the newest').click();
    const versions = page.locator('.versions').getByRole('listitem');
    assert.match((await versions.allTextContents()).join(), /^2026-06-21 .*,2026-03-02 .*,2026-03-01 /);
    await versions.getByRole('link', { name: '2026-03-01' }).click();
    await page.getByText('An earlier version, from the export of 2026-03-01').waitFor();
    const oldest = await messages();
    assert.equal(await page.locator('.versions [aria-current]').count(), 1);
    assert.notDeepEqual(oldest, newest);
    await versions.getByRole('link', { name: '2026-06-21' }).click();
    await page.getByText('3 versions, this is the newest').waitFor();
    assert.deepEqual(await messages(), newest);
    await page.close();
  });

  it('switches between the branches of a conversation at the message where they part, and back to the main one', async () => {
    const page = await browser.newPage();
    await page.goto(one(({ branches, presence }) => branches > 0 && presence === 'present'));
    const parted = () =>
      page.locator('.message', { has: page.getByRole('group', { name: 'What else stood here' }) }).first();
    const text = await parted().locator('.content').innerText();
    assert.match(await parted().locator('.branches').innerText(), /2 of 2/);
    await parted().getByRole('link', { name: 'The one before' }).click();
    await page.getByText('This is one of several branches.').waitFor();
    assert.match(await parted().locator('.branches').innerText(), /1 of 2/);
    assert.notEqual(await parted().locator('.content').innerText(), text);
    assert.ok(await isInView(parted()));
    await parted().getByRole('link', { name: 'The one behind' }).click();
    await parted().getByText('2 of 2').waitFor();
    assert.equal(await parted().locator('.content').innerText(), text);
    await page.goBack();
    await page.getByRole('link', { name: 'Show the main one' }).click();
    await page.getByText('This is one of several branches.').waitFor({ state: 'hidden' });
    assert.equal(await parted().locator('.content').innerText(), text);
    await page.close();
  });

  it('leads back to a message by the link that it has, on whichever branch it is', async () => {
    const page = await browser.newPage();
    const address = one(({ branches, presence }) => branches > 0 && presence === 'present');
    await page.goto(address);
    await page.getByRole('link', { name: 'The one before' }).first().click();
    await page.getByText('This is one of several branches.').waitFor();
    const last = page.locator('.message').last();
    const text = await last.locator('.content').innerText();
    const link = new URL((await last.locator('.link').getAttribute('href')) ?? '', scene.origin);
    // The message alone, as somebody may have noted it down.
    link.search = `at=${link.searchParams.get('at')}`;
    const elsewhere = await browser.newPage();
    await elsewhere.goto(link.href);
    const target = elsewhere.locator('.message:target');
    assert.equal(await target.locator('.content').innerText(), text);
    assert.ok(await isInView(target));
    await elsewhere.close();
    await page.close();
  });
});

function isInView(place: Locator): Promise<boolean> {
  return place.evaluate((element: { getBoundingClientRect(): { top: number; bottom: number } }) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > 0 && top < 720;
  });
}
