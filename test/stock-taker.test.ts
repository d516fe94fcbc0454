import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { SnapshotNews } from '../src/capture/index.ts';
import { compareInventoryFiles, takeInventory } from '../src/chatgpt/index.ts';
import { DAY_MS } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import type { TakeStock } from '../src/retention/index.ts';
import { type BackupDirectory, openBackupDirectory, type SnapshotInfo, SUMS_FILE } from '../src/snapshot/index.ts';
import { StockTaker, type StockTakerOptions } from '../src/stock-taker.ts';
import { directoryOf, unpackedExport } from './chatgpt/unpacked.ts';
import { takeNew } from './snapshot/support.ts';
import { createAccount, type Generation, nextExport } from './support/openai/exports/index.ts';
import { takeStockHere } from './support/stock.ts';
import { tempDir } from './support/temp-dir.ts';
import { filesBelow } from './support/world.ts';

const signal = AbortSignal.timeout(300_000);
const FIRST_DAY_MS = Date.UTC(2026, 10, 1);

let directory: Awaited<ReturnType<typeof tempDir>>;
let backups: BackupDirectory;
/** The directories of which stock was taken. */
let read: string[];
beforeEach(async () => {
  directory = await tempDir();
  backups = await openBackupDirectory(join(directory.path, 'backups'), { logger: silentLogger });
  read = [];
});
afterEach(async () => {
  await backups[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const takeStock: TakeStock = async (path, file, options) => {
  read.push(path);
  return takeStockHere(path, file, options);
};

function taker(options: Partial<StockTakerOptions> = {}): StockTaker {
  return new StockTaker({
    backupDir: backups.path,
    stateDir: join(directory.path, 'state'),
    takeStock,
    compareStock: compareInventoryFiles,
    logger: silentLogger,
    ...options,
  });
}

/** An export of so many conversations, one message each. */
function exportOf(...titles: string[]): Record<string, string> {
  const conversations = titles.map((title) => ({
    id: title,
    title,
    current_node: 'm',
    mapping: {
      m: {
        id: 'm',
        parent: null,
        children: [],
        message: { id: `${title}-m`, author: { role: 'user' }, content: { content_type: 'text', parts: [title] } },
      },
    },
  }));
  return { 'conversations.json': JSON.stringify(conversations), 'chat.html': titles.join() };
}

/** Commits what an export of that day holds; stock of it is taken before, as a capture does it. */
async function commit(
  day: number,
  files: Readonly<Record<string, string>>,
  { by = taker(), account = 'ann' }: { by?: StockTaker | undefined; account?: string } = {},
): Promise<SnapshotInfo> {
  const capture = `day-${day}`;
  await using staged = await directoryOf(files);
  await by.summarize(staged.path, capture, signal);
  return takeNew(backups, capture, files, { account, exportTime: FIRST_DAY_MS + day * DAY_MS });
}

async function inventoryFiles(): Promise<string[]> {
  return (await readdir(join(directory.path, 'state/inventories'), { recursive: true })).filter((name) =>
    name.endsWith('.jsonl'),
  );
}

function numbersOf(news: SnapshotNews | undefined): unknown {
  if (news?.kind !== 'compared') return news;
  const { conversations, messages } = news.changes;
  return { before: news.before, days: news.sinceMs / DAY_MS, conversations, added: messages.added };
}

describe('What is new in a snapshot', () => {
  it('is, of the first one of an account, that it is the first', async () => {
    await commit(0, exportOf('a'), { account: 'ben' });
    assert.deepEqual(await taker().newsOf(await commit(7, exportOf('a')), signal), { kind: 'first' });
  });

  it('is found by what was read before the commit: no export is read twice', async () => {
    await taker().newsOf(await commit(0, exportOf('a', 'b', 'c')), signal);
    const news = await taker().newsOf(await commit(7, exportOf('b', 'c', 'd', 'e')), signal);
    assert.deepEqual(numbersOf(news), {
      before: 'ann/2026-11-01T000000Z',
      days: 7,
      conversations: { added: 2, changed: 0, gone: 1, noLongerCarried: 0 },
      added: 2,
    });
    assert.equal(read.length, 2);
    assert.equal((await inventoryFiles()).length, 2);
  });

  it('is found, too, where the state directory was lost: the snapshots are read', async () => {
    const before = await commit(0, exportOf('a'));
    const snapshot = await commit(7, exportOf('a', 'b'));
    await rm(join(directory.path, 'state'), { recursive: true });
    read = [];
    const news = await taker().newsOf(snapshot, signal);
    assert.equal(news?.kind === 'compared' && news.changes.conversations.added, 1);
    assert.deepEqual(read, [before.path, snapshot.path]);
  });

  it('is what it has over the snapshot before by the time of the export, also when taken in late', async () => {
    for (const [day, titles] of [[0, ['a']] as const, [14, ['a', 'b', 'c']] as const]) {
      await taker().newsOf(await commit(day, exportOf(...titles)), signal);
    }
    const news = await taker().newsOf(await commit(7, exportOf('a', 'b')), signal);
    assert.equal(news?.kind === 'compared' && news.before, 'ann/2026-11-01T000000Z');
    const earliest = await taker().newsOf(await commit(-7, exportOf('z')), signal);
    assert.deepEqual(earliest, { kind: 'earliest' });
  });

  it('is, when the format has changed, no deletion', async () => {
    const account = createAccount({ seed: 'news', conversations: 60 });
    const later = nextExport(account, { seed: 'later', add: 3, change: 0, delete: 0 });
    const filesOf = async (model: typeof account, generation: Generation) => {
      await using unpacked = await unpackedExport(model, generation);
      const paths = await filesBelow(unpacked.path);
      const texts = paths.map(async (path) => [path, await readFile(join(unpacked.path, path), 'utf8')] as const);
      return Object.fromEntries(await Promise.all(texts));
    };
    await taker().newsOf(await commit(0, await filesOf(account, 'G4')), signal);
    const news = await taker().newsOf(await commit(7, await filesOf(later, 'G5')), signal);
    assert.ok(news?.kind === 'compared');
    const { conversations, messages, files } = news.changes;
    assert.deepEqual([conversations.added, conversations.gone, messages.gone, files.gone], [3, 0, 0, 0]);
    assert.ok(messages.noLongerCarried > 0 && files.noLongerCarried > 0);
  });

  it('is not told beside a damaged snapshot of the account, which may have been the one before', async () => {
    const damaged = await commit(0, exportOf('a'));
    const snapshot = await commit(7, exportOf('a', 'b'));
    await rm(join(damaged.path, '.chatkeep', 'snapshot.json'), { force: true });
    assert.equal(await taker().newsOf(snapshot, signal), undefined);
  });

  it('is not told where the snapshot before is not what it was, and cannot be compared with', async () => {
    const before = await commit(0, exportOf('a'));
    await rm(join(directory.path, 'state'), { recursive: true });
    await rm(join(before.path, SUMS_FILE));
    assert.equal(await taker().newsOf(await commit(7, exportOf('a')), signal), undefined);
  });

  it('is left out when finding it out fails or takes too long, and the backup goes on', async () => {
    await taker().newsOf(await commit(0, exportOf('a')), signal);
    const snapshot = await commit(7, exportOf('b'));
    const failing = taker({ compareStock: () => Promise.reject(new Error('out of memory')) });
    assert.equal(await failing.newsOf(snapshot, signal), undefined);
    const endless: StockTakerOptions['compareStock'] = (_older, _newer, limit) =>
      new Promise((_, reject) => limit.signal.addEventListener('abort', () => reject(limit.signal.reason)));
    assert.equal(await taker({ compareStock: endless, timeLimitMs: 20 }).newsOf(snapshot, signal), undefined);
  });

  it('is not waited for when the service stops', async () => {
    const stopped = AbortSignal.abort(new Error('the service is stopped'));
    const snapshot = await commit(0, exportOf('a'));
    const stopping = taker({ stateDir: '/dev/null' });
    await assert.rejects(stopping.newsOf(snapshot, stopped), { message: 'the service is stopped' });
  });
});

describe('What ended processes have left of inventories', () => {
  it('goes when it is a day old: it holds titles', async () => {
    const incoming = join(directory.path, 'state', 'inventories', 'incoming');
    await mkdir(incoming, { recursive: true });
    for (const name of ['old.jsonl', 'old.jsonl.tmp', 'new.jsonl']) await writeFile(join(incoming, name), '{}');
    const before = new Date(Date.now() - 2 * DAY_MS);
    for (const name of ['old.jsonl', 'old.jsonl.tmp']) await utimes(join(incoming, name), before, before);
    await taker().sweep(Date.now());
    assert.deepEqual(await readdir(incoming), ['new.jsonl']);
  });
});

describe('Taking stock of an export', () => {
  it('gives its summary where the inventory cannot be kept', async () => {
    await using staged = await directoryOf(exportOf('a', 'b'));
    const unwritable: TakeStock = async (path) => {
      const taken = await takeInventory(path);
      return { summary: { counts: { conversations: taken.counts.conversations }, findings: [] }, unwritten: 'ENOSPC' };
    };
    const { counts } = await taker({ takeStock: unwritable }).summarize(staged.path, 'c', signal);
    assert.deepEqual(counts, { conversations: 2 });
  });

  it('leaves nothing behind of an export that did not become a snapshot', async () => {
    await using staged = await directoryOf(exportOf('a'));
    await taker().summarize(staged.path, 'c', signal);
    assert.equal((await inventoryFiles()).length, 1);
    await taker().discard('c');
    assert.deepEqual(await inventoryFiles(), []);
  });

  it('in processes of their own comes to the same', async () => {
    const real = new StockTaker({
      backupDir: backups.path,
      stateDir: join(directory.path, 'state'),
      logger: silentLogger,
    });
    await real.newsOf(await commit(0, exportOf('a'), { by: real }), signal);
    const snapshot = await commit(7, exportOf('a', 'b'), { by: real });
    const news = await real.newsOf(snapshot, signal);
    assert.equal(news?.kind === 'compared' && news.changes.conversations.added, 1);
    await writeFile(join(directory.path, 'state/inventories', (await inventoryFiles())[0] ?? ''), 'no inventory');
    assert.deepEqual(await real.newsOf(snapshot, signal), news);
  });
});
