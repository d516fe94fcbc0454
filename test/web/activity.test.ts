import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { createAccount } from '../support/openai/exports/index.ts';
import { startBrowser, WebScene } from './scene.ts';

const ann = createAccount({ seed: 'ann', conversations: 400, email: 'ann@example.org' });
const bob = createAccount({ seed: 'bob', conversations: 8, email: 'bob@example.org' });
const numbersIn = (text: string) =>
  [...text.matchAll(/: (?:([\d,]+)|no) messages?$/gm)].map(([, n = '0']) => Number(n.replaceAll(',', '')));
const sum = (numbers: readonly number[]) => numbers.reduce((all, n) => all + n, 0);

describe('The page of activity', () => {
  let scene: WebScene;
  let browser: Browser;

  before(async () => {
    scene = await WebScene.open();
    await scene.take(ann, 'G4', '2026-03-02T10:00:00Z');
    await scene.take(bob, 'G4', '2026-03-02T11:00:00Z');
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await scene?.[Symbol.asyncDispose]();
  });

  const ask = (query: string, init?: RequestInit) => fetch(`${scene.origin}/activity${query}`, init);
  const textOf = async (query: string, init?: RequestInit) => (await ask(query, init)).text();
  const statistics = (account?: string) => {
    const { catalog } = scene;
    assert.ok(catalog !== undefined);
    return catalog.statistics(account);
  };
  /** The numbers of a chart, as its tooltips tell them. */
  const drawn = async (query: string, place: string) => {
    const page = await browser.newPage();
    await page.goto(`${scene.origin}/activity${query}`);
    const titles = await page.locator(`${place} rect title`).allTextContents();
    await page.close();
    return titles;
  };

  it('draws each day and hour of a year as the statistics count them', async () => {
    for (const account of ['', 'bob@example.org']) {
      const { byDay } = statistics(account === '' ? undefined : account);
      const ofYear = byDay.filter(({ day }) => day.startsWith('2025'));
      const query = `?account=${account}&year=2025&tz=UTC`;
      const days = numbersIn((await drawn(query, '.calendar')).join('\n'));
      assert.deepEqual(
        days,
        ofYear.map(({ messages }) => messages),
      );
      const hours = numbersIn((await drawn(query, '.week .plot')).join('\n'));
      assert.equal(sum(hours), sum(days));
    }
  });

  it('has the same numbers in a table, for those who do not see the chart', async () => {
    const page = await browser.newPage();
    await page.goto(`${scene.origin}/activity?year=2025&tz=UTC`);
    await page.getByText('As a table: Messages by day, 2025').focus();
    await page.keyboard.press('Enter');
    const table = page.getByRole('region', { name: 'Table: Messages by day, 2025' });
    const cells = await table.getByRole('cell').allTextContents();
    const ofYear = statistics().byDay.filter(({ day }) => day.startsWith('2025'));
    assert.equal(
      sum(cells.map((text) => Number(text.replaceAll(',', '')))),
      sum(ofYear.map(({ messages }) => messages)),
    );
    await page.close();
  });

  it('shows how all that is there has grown to what it is', async () => {
    const { messages, conversations } = statistics();
    const page = await browser.newPage();
    await page.goto(`${scene.origin}/activity`);
    const growth = page.getByRole('img', { name: /Number of messages/ }).locator('rect title');
    const conversationsGrowth = page.getByRole('img', { name: /Number of conversations/ }).locator('rect title');
    assert.match(
      (await growth.last().textContent()) ?? '',
      new RegExp(`: ${messages.toLocaleString('en-US')} messages`),
    );
    assert.match(
      (await conversationsGrowth.last().textContent()) ?? '',
      new RegExp(`: ${conversations.all} conversations`),
    );
    await page.close();
  });

  it('counts answers by model', async () => {
    const page = await browser.newPage();
    const { byModel } = statistics();
    let counted = 0;
    await page.goto(`${scene.origin}/activity`);
    for (const year of await page.getByRole('navigation', { name: 'Years' }).getByRole('link').allTextContents()) {
      await page.goto(`${scene.origin}/activity?year=${year}`);
      const texts = await page
        .getByRole('region', { name: /^Answers by model/ })
        .locator('.legend .faint')
        .allTextContents();
      counted += sum(texts.map((text) => Number(text.replaceAll(',', ''))));
    }
    assert.equal(counted, sum(byModel.map(({ messages }) => messages)));
    await page.close();
  });

  it('takes the time zone that is asked for, and keeps it for this browser', async () => {
    const answer = await ask('?tz=Asia/Tokyo');
    assert.match(await answer.text(), /Days and hours are those of Asia\/Tokyo, which you chose/);
    const cookie = answer.headers.get('set-cookie') ?? '';
    assert.match(cookie, /^tz=Asia%2FTokyo; .*HttpOnly; SameSite=Strict/);
    const kept = await textOf('', { headers: { cookie: cookie.split(';')[0] ?? '' } });
    assert.match(kept, /those of Asia\/Tokyo, which you chose/);
  });

  it('says which one it takes where none is chosen, and which it does not know', async () => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    assert.ok((await textOf('')).includes(`those of ${zone}, the time zone of the service`));
    const unknown = await textOf('?tz=Europe/%3Cb%3EBielefeld');
    assert.match(unknown, /There is no time zone “Europe\/&lt;b&gt;Bielefeld”/);
    assert.match(await textOf('', { headers: { cookie: 'tz=Nowhere' } }), /the time zone of the service/);
  });

  it('offers the time zone of a browser that is in another one', async () => {
    const context = await browser.newContext({ timezoneId: 'Asia/Tokyo' });
    const page = await context.newPage();
    await page.goto(`${scene.origin}/activity?year=2025`);
    await page.getByRole('link', { name: 'Use Asia/Tokyo, the time zone of this browser' }).click();
    await page.getByText('those of Asia/Tokyo, which you chose').waitFor();
    assert.match(page.url(), /year=2025/);
    await context.close();
  });

  it('is 100 kB at most with all that belongs to it, for an account of 400 conversations', async () => {
    const text = await textOf('?year=2025');
    const files = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+\.(?:css|js))"/g)].map(
      ([, address = '']) => address,
    );
    const bodies = files.map(
      async (address) => (await (await fetch(`${scene.origin}${address}`)).arrayBuffer()).byteLength,
    );
    assert.ok(Buffer.byteLength(text) + sum(await Promise.all(bodies)) <= 100_000);
  });

  it('says where there is nothing to count yet', async () => {
    await using empty = await WebScene.open();
    assert.match(await (await fetch(`${empty.origin}/activity`)).text(), /There is nothing to count yet/);
  });
});
