import assert from 'node:assert/strict';
import { chmod, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  allSnapshots,
  type BackupDirectory,
  checkLatest,
  listSnapshots,
  type SnapshotReport,
  verifySnapshots,
} from '../../src/snapshot/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { DAY_MS, EXPORT_TIME, open, takeNew } from './support.ts';

let directory: Awaited<ReturnType<typeof tempDir>>;
let backups: BackupDirectory;
beforeEach(async () => {
  directory = await tempDir();
  backups = await open(directory.path);
});
afterEach(async () => {
  await backups[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const day = (n: number) => ({ exportTime: EXPORT_TIME + n * DAY_MS });

async function spoil(path: string): Promise<void> {
  await chmod(path, 0o600);
  await writeFile(path, 'rot');
}

async function verifyAll(): Promise<SnapshotReport[]> {
  const list = await listSnapshots(directory.path);
  return reportsOf(allSnapshots(list), list);
}

async function reportsOf(...args: Parameters<typeof verifySnapshots>): Promise<SnapshotReport[]> {
  const reports: SnapshotReport[] = [];
  for await (const report of verifySnapshots(...args)) reports.push(report);
  return reports;
}

describe('verifying all snapshots', () => {
  it('names every snapshot that shares a damaged file, in each of them', async () => {
    const first = await takeNew(backups, 'c1', { 'image.png': 'pixels', a: '1' }, day(0));
    const second = await takeNew(backups, 'c2', { 'image.png': 'pixels', a: '2' }, day(1));
    const third = await takeNew(backups, 'c3', { 'other.png': 'pixels', a: '3' }, day(2));
    await spoil(join(first.path, 'image.png'));
    const reports = await verifyAll();
    assert.deepEqual(
      reports.map(({ problems }) => problems.map(({ path, sharedWith }) => [path, sharedWith])),
      [
        [['image.png', [second.id, third.id]]],
        [['image.png', [first.id, third.id]]],
        [['other.png', [first.id, second.id]]],
      ],
    );
  });

  it('names a sound copy in another snapshot, of a changed file as of a missing one, and no damaged one', async () => {
    const first = await takeNew(backups, 'c1', { a: 'same', b: 'both' }, day(0));
    await spoil(join(first.path, 'a'));
    await spoil(join(first.path, 'b'));
    // A rotten file is never linked to, so that these are copies of their own.
    const second = await takeNew(backups, 'c2', { a2: 'same', b: 'both' }, day(1));
    await rm(join(first.path, 'a'));
    await spoil(join(second.path, 'b'));
    const [report] = await verifyAll();
    assert.deepEqual(
      report?.problems.map(({ kind, path, soundCopy }) => [kind, path, soundCopy]),
      [
        ['missing', 'a', join(second.path, 'a2')],
        ['changed', 'b', undefined],
      ],
    );
  });

  it('checks the files of a snapshot whose snapshot.json is broken or gone', async () => {
    const first = await takeNew(backups, 'c1', { a: '1', b: '2' }, day(0));
    const second = await takeNew(backups, 'c2', { a: '3' }, day(1));
    await spoil(join(first.path, '.chatkeep/snapshot.json'));
    await spoil(join(first.path, 'b'));
    await rm(join(second.path, '.chatkeep/snapshot.json'));
    assert.deepEqual(
      (await verifyAll()).map(({ snapshot, checkedFiles, problems }) => [
        snapshot.id,
        checkedFiles,
        problems.map(({ kind, path }) => `${kind} ${path}`),
      ]),
      [
        [first.id, 1, ['changed .chatkeep/snapshot.json', 'changed b']],
        [second.id, 1, ['missing .chatkeep/snapshot.json']],
      ],
    );
  });

  it('reads a shared file once, and tells of it as read in each snapshot', async () => {
    await takeNew(backups, 'c1', { a: 'same', b: '1' }, day(0));
    await takeNew(backups, 'c2', { a: 'same', b: '2' }, day(1));
    const list = await listSnapshots(directory.path);
    let reads = 0;
    const pause = async () => {
      reads += 1;
    };
    const reports = await reportsOf(allSnapshots(list), list, { pause });
    assert.deepEqual(
      reports.map(({ checkedFiles }) => checkedFiles),
      [2, 2],
    );
    assert.equal(reads, 3);
  });

  it('only looks at files that are not selected: they may be missing, but their bytes are not read', async () => {
    const { path } = await takeNew(backups, 'c1', { a: '1', b: '2', c: '3' }, day(0));
    await spoil(join(path, 'a'));
    await rm(join(path, 'b'));
    const list = await listSnapshots(directory.path);
    const [report] = await reportsOf(list.snapshots, list, { select: ({ path: file }) => file === 'c' });
    assert.deepEqual(
      [report?.checkedFiles, report?.problems.map(({ kind, path: file }) => `${kind} ${file}`)],
      [1, ['missing b']],
    );
  });
});

describe('the link "latest"', () => {
  it('is found to lead nowhere, or to an older snapshot; none at all is fine', async () => {
    await takeNew(backups, 'c1', { a: '1' }, day(0));
    const { name } = await takeNew(backups, 'c2', { a: '2' }, day(1));
    const latest = join(directory.path, 'ann@example.org/latest');
    const problems = async () => (await checkLatest(await listSnapshots(directory.path))).map(({ detail }) => detail);
    assert.deepEqual(await problems(), []);
    await rm(latest);
    assert.deepEqual(await problems(), []);
    await symlink('2026-01-01T000000Z', latest);
    assert.match((await problems())[0] ?? '', /leads nowhere: there is no 2026-01-01T000000Z\./);
    await rm(latest);
    await symlink('2026-11-21T190533Z', latest);
    assert.match((await problems())[0] ?? '', new RegExp(`leads to 2026-11-21T190533Z, and the newest is ${name}`));
    assert.equal(await readFile(join(latest, 'a'), 'utf8'), '1');
  });
});
