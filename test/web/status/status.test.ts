import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { CaptureView, StatusView } from '../../../src/web/index.ts';
import { startBrowser, WebScene } from '../scene.ts';
import { exampleStatus } from './example.ts';

const EXAMPLE = exampleStatus(Date.now());
const [DOWNLOADING] = EXAMPLE.open;
const VIEW: StatusView = {
  ...EXAMPLE,
  problems: [
    {
      what: 'The login "the token in /logins/token" does not work. <script>alert(1)</script>',
      fix: 'renew it before an export waits for it; `chatkeep login chatgpt` tells how.',
    },
  ],
};

let browser: Browser;
before(async () => {
  browser = await startBrowser();
});
after(async () => browser.close());

/** A page of a browser that collects what the policy and the scripts complain of. */
async function pageOf(options: Parameters<Browser['newPage']>[0] = {}): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage(options);
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  return { page, complaints };
}

describe('The status page', () => {
  it('shows moments within its sentences in the time zone of the browser', async () => {
    await using scene = await WebScene.open({ status: async () => VIEW, captures: async () => VIEW.open });
    const { page } = await pageOf({ timezoneId: 'Asia/Tokyo' });
    await page.goto(scene.origin);
    const text = await page.getByRole('main').innerText();
    assert.match(text, /asked for at \d{4}-\d\d-\d\d \d\d:\d\d GMT\+9/);
    assert.doesNotMatch(text, / UTC/);
    await page.close();
  });

  it('tells first what needs a person, with the fix, and then how all is, as the terminal does', async () => {
    await using scene = await WebScene.open({ status: async () => VIEW, captures: async () => VIEW.open });
    const { page, complaints } = await pageOf();
    await page.goto(scene.origin);
    assert.equal(await page.title(), 'Status · Chatkeep');
    const text = await page.getByRole('main').innerText();
    const order = [
      'Something else needs you:',
      'does not work. <script>alert(1)</script>',
      'What to do: renew it before an export waits for it; chatkeep login chatgpt tells how.',
      'On its way',
      'downloading, 1.2 GB of 4.8 GB',
      'Its link dies in 2',
      'An export was asked for at',
      'What is kept',
      'exported 1 d ago',
      'Last exports',
      'Mailboxes',
      'Logins to ChatGPT',
      'Copies elsewhere',
      'Free space',
    ];
    assert.deepEqual(
      [...order].sort((a, b) => text.indexOf(a) - text.indexOf(b)),
      order,
    );
    for (const part of order) assert(text.includes(part), part);
    assert.equal(await page.getByRole('progressbar', { name: 'Downloaded' }).getAttribute('value'), '1200000000');
    assert.equal(
      await page.getByRole('link', { name: 'Look at the snapshot' }).getAttribute('href'),
      '/snapshots/ada%40example.com/2026-06-20T190533Z',
    );
    assert.deepEqual(complaints, []);
  });

  it('follows an export while it is open, and loads itself again when one has moved on', async () => {
    let captures: readonly CaptureView[] = [DOWNLOADING];
    const status = async () => ({ ...VIEW, open: captures });
    await using scene = await WebScene.open({ status, captures: async () => captures });
    const { page, complaints } = await pageOf();
    await page.goto(scene.origin);
    captures = [{ ...DOWNLOADING, text: 'downloading, 2.4 GB of 4.8 GB', work: { done: 2.4e9, total: 4.8e9 } }];
    await page.getByText('2.4 GB of 4.8 GB').waitFor();
    assert.equal(await page.evaluate("document.querySelector('progress').value"), 2.4e9);
    captures = [{ ...DOWNLOADING, state: 'unpacking', text: 'unpacking', deadline: undefined }];
    await page.getByText('being unpacked').waitFor();
    captures = [];
    await page.getByText('No export is being captured.').waitFor();
    assert.deepEqual(complaints, []);
  });

  it('loads itself again without scripts, as long as something is under way', async () => {
    await using busy = await WebScene.open({ status: async () => VIEW });
    const refresh = /<noscript><meta http-equiv="refresh" content="20"><\/noscript>/;
    assert.match(await (await fetch(busy.origin)).text(), refresh);
    await using idle = await WebScene.open({ status: async () => ({ ...VIEW, open: [] }) });
    assert.doesNotMatch(await (await fetch(idle.origin)).text(), refresh);
  });

  it('says on the first day how to come by an export', async () => {
    await using scene = await WebScene.open();
    const { page } = await pageOf();
    await page.goto(scene.origin);
    const link = page.getByRole('link', { name: 'https://chatgpt.com/#settings/DataControls' });
    assert.equal(await link.getAttribute('rel'), 'noreferrer');
  });
});
