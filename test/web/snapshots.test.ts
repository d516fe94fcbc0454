import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { listSnapshots, type SnapshotInfo } from '../../src/snapshot/index.ts';
import { conversationAddress } from '../../src/web/addresses.ts';
import { eventually } from '../support/eventually.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { createAccount, nextExport } from '../support/openai/exports/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startBrowser, WebScene } from './scene.ts';

const run = promisify(execFile);

const ann = createAccount({ seed: 'ann', conversations: 30, email: 'ann@example.org' });
const later = nextExport(ann, { seed: 'autumn', add: 3, change: 2, delete: 1 });
const bob = createAccount({ seed: 'bob', conversations: 2, email: 'bob@example.org' });

describe('The pages of snapshots', () => {
  let scene: WebScene;
  let browser: Browser;
  let page: Page;

  before(async () => {
    scene = await WebScene.open();
    await scene.take(ann, 'G4', '2026-04-01T10:00:00Z');
    await scene.take(ann, 'G4', '2026-04-28T10:00:00Z');
    await scene.take(later, 'G5', '2026-06-02T08:30:00Z');
    await scene.take(bob, 'G5', '2026-05-01T00:00:00Z');
    browser = await startBrowser();
    page = await browser.newPage();
  });
  after(async () => {
    await browser?.close();
    await scene?.[Symbol.asyncDispose]();
  });

  const ask = async (path: string, init?: RequestInit): Promise<Response> =>
    await fetch(`${scene.origin}${path}`, init);
  const textOf = async (path: string) => (await ask(path)).text();
  const snapshotOf = async (id: string): Promise<SnapshotInfo> => {
    const found = (await listSnapshots(scene.config.backupDir)).snapshots.find((one) => one.id === id);
    assert.ok(found !== undefined, `there is no snapshot ${id}`);
    return found;
  };
  const NEWEST = 'ann@example.org/2026-06-02T083000Z';
  const MIDDLE = 'ann@example.org/2026-04-28T100000Z';
  const OLDEST = 'ann@example.org/2026-04-01T100000Z';
  /** Waits for the comparison that the page begins. */
  const compared = async (path: string): Promise<string> => {
    let text = '';
    await eventually(async () => {
      text = await textOf(path);
      return !text.includes('data-progress');
    });
    return text;
  };

  describe('The timeline', () => {
    it('shows the snapshots of the account that has the newest one, newest first, by month', async () => {
      await page.goto(`${scene.origin}/snapshots`);
      assert.deepEqual(await page.getByRole('heading', { level: 2 }).allTextContents(), ['June 2026', 'April 2026']);
      const items = page.locator('.timeline > li');
      assert.match((await items.nth(0).textContent()) ?? '', /2 June 2026, 08:30 UTC\s+latest/);
      assert.match((await items.nth(1).textContent()) ?? '', /28 April 2026/);
      assert.match((await items.nth(2).textContent()) ?? '', /1 April 2026/);
    });

    it('tells what is in each, and what it shares with another', async () => {
      const { meta } = await snapshotOf(MIDDLE);
      assert.equal(meta.linkedFiles, meta.files - 1);
      const text = await textOf('/snapshots');
      assert.ok(text.includes(`30 conversations · ${meta.counts.messages} messages · ${meta.files} files`));
      assert.ok(text.includes(`shares ${meta.linkedFiles} of ${meta.files} files with another snapshot`));
      const newest = (await snapshotOf(NEWEST)).meta;
      assert.ok(text.includes(`shares ${newest.linkedFiles} of ${newest.files} files with another snapshot`));
    });

    it('leads to the snapshots of the other account', async () => {
      await page.goto(`${scene.origin}/snapshots`);
      await page.getByRole('navigation', { name: 'Accounts' }).getByRole('link', { name: 'bob@example.org' }).click();
      assert.equal(await page.locator('.timeline > li').count(), 1);
    });

    it('says where there is nothing yet', async () => {
      await using empty = await WebScene.open();
      await empty.makeDirectories();
      assert.match(await (await fetch(`${empty.origin}/snapshots`)).text(), /There is no snapshot yet/);
    });
  });

  describe('Of two exports of one second, and one that brought nothing new', () => {
    it('the later one is the latest, and the export is told of with the snapshot that it is the same as', async () => {
      await using few = await WebScene.open();
      const files = (text: string) => ({
        'conversations.json': '[]',
        'user.json': JSON.stringify({ email: 'cyd@example.org' }),
        'notes.txt': text,
      });
      await few.takeFiles(files('one'), '2026-04-01T10:00:00Z');
      await few.takeFiles(files('two'), '2026-04-01T10:00:00Z');
      await few.takeFiles(files('two'), '2026-05-01T10:00:00Z');
      const text = async (path: string) => (await fetch(`${few.origin}${path}`)).text();
      const timeline = await text('/snapshots');
      assert.match(timeline, /1 April 2026, 10:00 UTC \(2\)<\/a>\s*<span class="badge good">latest/);
      assert.equal(timeline.split('>latest<').length, 2);
      for (const page of [timeline, await text('/snapshots/cyd@example.org/2026-04-01T100000Z-2')])
        assert.match(
          page,
          /Exported again, with nothing changed: <time datetime="2026-05-01T10:00:00.000Z">2026-05-01 10:00 UTC</,
        );
    });
  });

  describe('The page of one', () => {
    it('tells what is inside, where it came from, and the hash of its archive', async () => {
      const { meta, path } = await snapshotOf(NEWEST);
      await page.goto(`${scene.origin}/snapshots/${NEWEST}`);
      const text = (await page.getByRole('main').textContent()) ?? '';
      for (const part of ['Snapshot of 2 June 2026', '32', meta.archive.sha256, path, 'a file that was handed in'])
        assert.ok(text.includes(part), part);
    });

    it('lists its files with their sizes, and those alone whose name is asked for', async () => {
      const { meta } = await snapshotOf(NEWEST);
      await page.goto(`${scene.origin}/snapshots/${NEWEST}`);
      assert.ok((await page.locator('#files').textContent())?.includes(`${meta.files} files`));
      await page.getByLabel('Whose name holds').fill('USER.json');
      await page.getByRole('button', { name: 'Show' }).click();
      assert.deepEqual(await page.locator('#files tbody td:first-child').allTextContents(), ['user.json']);
    });

    it('leads to the one before and the next', async () => {
      await page.goto(`${scene.origin}/snapshots/${MIDDLE}`);
      await page.getByRole('link', { name: /the next/ }).click();
      assert.match(page.url(), /2026-06-02T083000Z$/);
    });

    it('is not found where there is none, nor is a path that leads elsewhere', async () => {
      for (const path of [
        '/ann@example.org/2026-01-01T000000Z',
        '/..%2f/x',
        '/ann@example.org/latest',
        '/.chatkeep/staging',
      ])
        assert.equal((await ask(`/snapshots${path}`)).status, 404, path);
    });
  });

  describe('A comparison', () => {
    it('tells what changed since the one before, and a change of the format from deletions', async () => {
      const text = await compared(`/snapshots/${NEWEST}`);
      assert.match(text, /OpenAI changed the format of exports/);
      assert.match(text, /3 new conversations/);
      assert.match(text, /2 conversations changed/);
      assert.match(text, /1 conversation gone/);
    });

    it('with titles that lead to the reader', async () => {
      const text = await compared(`/snapshots/${NEWEST}`);
      const added = later.conversations.slice(-3);
      for (const { id } of added) {
        const [conversation] = scene.catalog?.byId(id, 1) ?? [];
        assert.ok(conversation !== undefined && text.includes(`href="${conversationAddress(conversation)}"`));
      }
    });

    it('is made in a browser without scripts, too, with any other snapshot', async () => {
      const context = await browser.newContext({ javaScriptEnabled: false });
      const plain = await context.newPage();
      await plain.goto(`${scene.origin}/snapshots/${NEWEST}`);
      await plain.getByLabel('Compare with').selectOption({ label: '1 April 2026, 10:00 UTC' });
      await plain.getByRole('button', { name: 'Compare' }).click();
      await plain.getByRole('heading', { name: '3 new conversations' }).waitFor();
      assert.match(plain.url(), /comparison\?with=2026-04-01T100000Z$/);
      await context.close();
    });

    it('shows in a browser with scripts that it is being made, then what it came to', async () => {
      await page.goto(`${scene.origin}/snapshots/${OLDEST}/comparison?with=2026-04-28T100000Z`);
      await page.getByText('No conversation was added, changed or deleted; 30 are the same.').waitFor();
    });
  });

  describe('A check', () => {
    it('reads all files and says that they are sound', async () => {
      const { meta } = await snapshotOf(OLDEST);
      await page.goto(`${scene.origin}/snapshots/${OLDEST}`);
      await page.getByRole('button', { name: 'Check all files' }).click();
      await page.getByText(`All ${meta.files} files`).waitFor();
      assert.match((await page.locator('#check').textContent()) ?? '', /Sound\./);
    });

    it('of a damaged snapshot names the file, who shares it, and where a sound copy is', async () => {
      await using damaged = await WebScene.open();
      await damaged.take(bob, 'G5', '2026-05-01T00:00:00Z');
      const [first] = (await listSnapshots(damaged.config.backupDir)).snapshots;
      assert.ok(first !== undefined);
      const victim = join(first.path, 'user.json');
      // Another snapshot that has the file for itself: a copy that is sound.
      await cp(first.path, join(first.path, '../2026-05-02T000000Z'), { recursive: true });
      await chmod(victim, 0o600);
      await writeFile(victim, (await readFile(victim, 'utf8')).replace('bob', 'b0b'));
      await page.goto(`${damaged.origin}/snapshots/${first.id}`);
      await page.getByRole('button', { name: 'Check all files' }).click();
      await page.getByText('Damaged.').waitFor();
      const text = (await page.locator('#check').textContent()) ?? '';
      assert.match(text, /user\.json is not what was backed up/);
      assert.match(text, /A sound copy is bob@example\.org\/2026-05-02T000000Z\/user\.json/);
    });
  });

  describe('A download', () => {
    for (const [name, query] of [
      ['compressed', ''],
      ['as large as the files', '?compress=no'],
    ] as const) {
      it(`gives the export as it came, ${name}: unzip and the checksums agree`, async () => {
        await using directory = await tempDir();
        const snapshot = await snapshotOf(MIDDLE);
        const answer = await ask(`/snapshots/${MIDDLE}/zip${query}`);
        const bytes = Buffer.from(await answer.arrayBuffer());
        assert.equal(answer.headers.get('content-type'), 'application/zip');
        if (query !== '') assert.equal(answer.headers.get('content-length'), `${bytes.length}`);
        const zip = join(directory.path, 'export.zip');
        await writeFile(zip, bytes);
        await writeFile(join(directory.path, 'SHA256SUMS'), await textOf(`/snapshots/${MIDDLE}/SHA256SUMS`));
        await run('unzip', ['-t', zip]);
        await run('unzip', ['-q', zip, '-d', directory.path]);
        await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: directory.path });
        const { stdout } = await run('unzip', ['-Z1', zip]);
        assert.equal(
          stdout
            .trimEnd()
            .split('\n')
            .filter((path) => !path.endsWith('/')).length,
          snapshot.meta.files,
        );
        const { stdout: times } = await run('find', [directory.path, '-name', 'chat.html', '-printf', '%T@']);
        assert.equal(Number(times) * 1000, snapshot.meta.exportTime);
      });
    }

    it('that the reader leaves has no file open afterwards', async () => {
      const { path } = await snapshotOf(MIDDLE);
      for (let round = 0; round < 5; round += 1) {
        const leaving = new AbortController();
        const answer = await ask(`/snapshots/${MIDDLE}/zip?compress=no`, { signal: leaving.signal });
        await answer.body?.getReader().read();
        leaving.abort();
      }
      await eventually(async () => (await openFilesBelow(path)).length === 0);
    });

    it('of a snapshot that lacks a file is refused, and says which', async () => {
      await using lacking = await WebScene.open();
      await lacking.take(bob, 'G5', '2026-05-01T00:00:00Z');
      const [first] = (await listSnapshots(lacking.config.backupDir)).snapshots;
      assert.ok(first !== undefined);
      await rm(join(first.path, 'user.json'), { force: true });
      const answer = await fetch(`${lacking.origin}/snapshots/${first.id}/zip`);
      assert.equal(answer.status, 409);
      assert.match(await answer.text(), /1 file of this snapshot is missing \(user\.json\)/);
    });
  });

  it('tell of damaged snapshots and of strangers', async () => {
    await using scarred = await WebScene.open();
    await scarred.take(bob, 'G5', '2026-05-01T00:00:00Z');
    const { backupDir } = scarred.config;
    await mkdir(join(backupDir, 'bob@example.org', 'holiday <b>pictures'));
    const [first] = (await listSnapshots(backupDir)).snapshots;
    assert.ok(first !== undefined);
    const metadata = join(first.path, '.chatkeep/snapshot.json');
    await chmod(metadata, 0o600);
    await writeFile(metadata, '{');
    const timeline = await (await fetch(`${scarred.origin}/snapshots`)).text();
    assert.match(timeline, /damaged/);
    assert.match(timeline, /snapshot\.json is not JSON/);
    assert.match(timeline, /bob@example\.org\/holiday &lt;b&gt;pictures/);
    const one = await (await fetch(`${scarred.origin}/snapshots/${first.id}`)).text();
    assert.match(one, /snapshot\.json is not JSON/);
    assert.match(one, /user\.json/);
  });
});
