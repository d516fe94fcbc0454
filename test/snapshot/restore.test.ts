import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  allSnapshots,
  type BackupDirectory,
  listSnapshots,
  type RestoreReport,
  restoreSnapshot,
  type SnapshotPlace,
} from '../../src/snapshot/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { filesBelow } from '../support/world.ts';
import { DAY_MS, EXPORT_TIME, open, sha256sumCheck, takeNew } from './support.ts';

const FILES = { 'chat.html': '<html>', 'a/b.json': '[]', 'a/ü😀\n.json': '{}', empty: '' };

let directory: Awaited<ReturnType<typeof tempDir>>;
let backups: BackupDirectory;
let target: string;
beforeEach(async () => {
  directory = await tempDir();
  backups = await open(join(directory.path, 'backups'));
  target = join(directory.path, 'deep', 'target');
});
afterEach(async () => {
  await backups[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

async function restore(snapshot: SnapshotPlace, signal?: AbortSignal): Promise<RestoreReport> {
  const snapshots = allSnapshots(await listSnapshots(backups.path));
  return restoreSnapshot(snapshot, target, { backups: backups.path, snapshots, signal });
}

async function spoil(path: string): Promise<void> {
  await chmod(path, 0o600);
  await writeFile(path, 'rot');
}

describe('a restored snapshot', () => {
  it('is the snapshot: the same files, times and checksums, and the user can change it', async () => {
    const snapshot = await takeNew(backups, 'c1', FILES);
    await utimes(join(snapshot.path, 'a/b.json'), 1_700_000_000, 1_700_000_000);
    const report = await restore(snapshot);
    assert.deepEqual(report, { ok: true, files: 4, bytes: 10, mended: [], problems: [] });
    assert.deepEqual(await filesBelow(target), await filesBelow(snapshot.path));
    assert.equal((await stat(join(target, 'a/b.json'))).mtimeMs, 1_700_000_000_000);
    assert.equal((await stat(join(target, 'a/b.json'))).mode & 0o777, 0o600);
    assert.match(await sha256sumCheck(target), /chat\.html: OK/);
  });

  it('leaves the snapshot alone when it is changed: it shares nothing with it', async () => {
    const snapshot = await takeNew(backups, 'c1', FILES);
    await restore(snapshot);
    await writeFile(join(target, 'chat.html'), 'mine');
    assert.equal(await readFile(join(snapshot.path, 'chat.html'), 'utf8'), '<html>');
  });
});

describe('the target of a restore', () => {
  it('must be empty, and nothing is written there if it is not', async () => {
    const snapshot = await takeNew(backups, 'c1', FILES);
    await mkdir(target, { recursive: true });
    await restore(snapshot);
    await assert.rejects(restore(snapshot), { class: 'usage', message: /is not empty/ });
    await rm(target, { recursive: true });
    await mkdir(target);
    await writeFile(join(target, 'mine'), '');
    await assert.rejects(restore(snapshot), { class: 'usage', message: /is not empty/ });
    assert.deepEqual(await readdir(target), ['mine']);
  });

  it('must not lie in the backup directory', async () => {
    const snapshot = await takeNew(backups, 'c1', FILES);
    for (target of [backups.path, join(backups.path, 'x/y'), snapshot.path])
      await assert.rejects(restore(snapshot), { class: 'usage', message: /in the backup directory/ });
  });

  it('may be one of a restore that was broken off: that is gone on with, and what is there is not read again', async () => {
    const snapshot = await takeNew(backups, 'c1', FILES);
    const other = await takeNew(backups, 'c2', { a: '1' }, { exportTime: EXPORT_TIME + DAY_MS });
    const stop = new AbortController();
    const reason = new Error('enough');
    const breaking = restoreSnapshot(snapshot, target, {
      backups: backups.path,
      snapshots: [],
      signal: stop.signal,
      onProgress: (done) => done >= 4 && stop.abort(reason),
    });
    await assert.rejects(breaking, reason);
    assert.ok((await filesBelow(target)).includes('a/b.json'));
    await assert.rejects(restore(other), { class: 'usage' });
    await spoil(join(target, 'a/b.json'));
    const { ok, files } = await restore(snapshot);
    assert.deepEqual([ok, files], [true, 4]);
    assert.deepEqual(await filesBelow(target), await filesBelow(snapshot.path));
    assert.match(await sha256sumCheck(target), /b\.json: OK/);
  });

  it('must have room, which is seen before anything is written', async () => {
    const snapshot = await takeNew(backups, 'c1', { large: 'x'.repeat(2_000_000) });
    await mkdir(target, { recursive: true });
    await using _disk = await mountTmpfs(target, '4m');
    await assert.rejects(restore(snapshot), { class: 'storage', message: /the target .* needs .* are free/ });
    assert.deepEqual(
      (await filesBelow(target)).filter((path) => !path.startsWith('.chatkeep')),
      [],
    );
  });
});

describe('what is damaged in a snapshot', () => {
  it('is named, and everything else is restored', async () => {
    const snapshot = await takeNew(backups, 'c1', FILES);
    await spoil(join(snapshot.path, 'chat.html'));
    await rm(join(snapshot.path, 'empty'));
    await writeFile(join(snapshot.path, 'a/more'), 'x');
    await symlink('/etc/passwd', join(snapshot.path, 'a/link'));
    const report = await restore(snapshot);
    assert.deepEqual(
      [report.ok, report.problems.map(({ path }) => path).sort()],
      [false, ['a/link', 'a/more', 'chat.html', 'empty']],
    );
    const restored = (await filesBelow(target)).filter((path) => !path.startsWith('.chatkeep'));
    assert.deepEqual(restored, ['a/b.json', 'a/more', 'a/ü😀\n.json']);
  });

  it('is taken from another snapshot that holds it sound', async () => {
    const snapshot = await takeNew(backups, 'c1', FILES);
    await spoil(join(snapshot.path, 'chat.html'));
    const other = await takeNew(backups, 'c2', { 'page.html': '<html>' }, { exportTime: EXPORT_TIME + DAY_MS });
    const report = await restore(snapshot);
    assert.deepEqual([report.ok, report.mended], [true, [{ path: 'chat.html', from: join(other.path, 'page.html') }]]);
    assert.match(await sha256sumCheck(target), /chat\.html: OK/);
  });

  it('may be its SHA256SUMS: the files are copied, and told to be unverified', async () => {
    const snapshot = await takeNew(backups, 'c1', { a: '1', b: '2' });
    await rm(join(snapshot.path, '.chatkeep/SHA256SUMS'));
    const report = await restore(snapshot);
    assert.deepEqual([report.ok, report.files, report.problems.length], [false, 2, 3]);
  });

  it('is gone on with once the snapshot is repaired', async () => {
    const snapshot = await takeNew(backups, 'c1', FILES);
    await rm(join(snapshot.path, 'chat.html'));
    assert.equal((await restore(snapshot)).ok, false);
    await writeFile(join(snapshot.path, 'chat.html'), '<html>');
    assert.equal((await restore(snapshot)).ok, true);
  });
});
