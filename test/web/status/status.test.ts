import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { HOUR_MS } from '../../../src/lib/clock.ts';
import type { CaptureView, StatusView } from '../../../src/web/index.ts';
import { startBrowser, WebScene } from '../scene.ts';

const DOWNLOADING: CaptureView = {
  id: 'c1',
  state: 'downloading',
  text: 'downloading, 1.2 GB of 4.8 GB',
  snapshot: undefined,
  deadline: Date.now() + 23 * HOUR_MS,
  work: { done: 1.2e9, total: 4.8e9 },
  needsPerson: false,
};

const VIEW: StatusView = {
  isWell: true,
  problems: [
    {
      what: 'The login "the token in /logins/token" does not work. <script>alert(1)</script>',
      fix: 'renew it before an export waits for it; `chatkeep login chatgpt` tells how.',
    },
  ],
  open: [
    DOWNLOADING,
    {
      ...DOWNLOADING,
      id: 'c2',
      state: 'needs-login',
      text: 'needs a login. chatgpt.com asks for a login.',
      work: undefined,
      needsPerson: true,
    },
  ],
  awaited: ['asked for at 2026-11-20 19:05 UTC, mailbox ada@example.com'],
  ended: [
    {
      ...DOWNLOADING,
      id: 'c0',
      state: 'committed',
      text: 'kept as ada@example.com/2026-06-04T050607Z at 2026-11-12 19:05 UTC',
      snapshot: 'ada@example.com/2026-06-04T050607Z',
      deadline: undefined,
      work: undefined,
    },
  ],
  mailboxes: [{ name: 'ada@example.com', text: 'watching, last answer 20 s ago' }],
  logins: [{ name: 'the token in /logins/token', text: 'does not work. chatgpt.com does not accept it.' }],
  snapshots: '2 snapshots; the newest is ada@example.com/2026-06-04T050607Z (3,120 files, 4.9 GB).',
  accounts: [{ name: 'ada@example.com', text: 'exported 9 d ago, with 1,212 messages more than the one before' }],
  verified: 'Snapshots were read again 2 d ago; every file had been read by 2026-11-01 19:05 UTC.',
  offsite: [{ name: 'cloud', text: 'all snapshots are there, copied last 2 h ago.' }],
  disks: [
    { name: 'the disk of the backup directory /backups', text: '900 GB of 2.0 TB; the next export may take 6.1 GB.' },
  ],
  undelivered: undefined,
  reminders: [
    'You are reminded of asking for a new export of ada@example.com at 2026-12-12 19:05 UTC, unless one comes before.',
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
      'exported 9 d ago',
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
      '/snapshots/ada%40example.com/2026-06-04T050607Z',
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

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`can be used by everybody and on a phone, ${colorScheme}`, async () => {
      await using scene = await WebScene.open({ status: async () => VIEW, captures: async () => VIEW.open });
      // axe is put into the page by the browser's own door, past the policy.
      const { page } = await pageOf({ colorScheme, viewport: { width: 320, height: 640 }, bypassCSP: true });
      for (const path of ['/', '/upload']) {
        await page.goto(`${scene.origin}${path}`);
        await page.evaluate(axe.source);
        const violations = await page.evaluate('axe.run().then((found) => found.violations.map(({ id }) => id))');
        assert.deepEqual(violations, [], path);
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320, path);
      }
    });
  }

  it('takes less than 100 kB with all that belongs to it', async () => {
    await using scene = await WebScene.open({ status: async () => VIEW, captures: async () => VIEW.open });
    const page = await (await fetch(scene.origin)).text();
    const parts = [...page.matchAll(/"(\/static\/[^"]+)"/g)].map(([, path]) => fetch(`${scene.origin}${path}`));
    const sizes = await Promise.all(parts.map(async (part) => (await (await part).arrayBuffer()).byteLength));
    const bytes = sizes.reduce((sum, size) => sum + size, page.length);
    assert(bytes > 5_000 && bytes < 100_000, `${bytes} bytes`);
  });
});
