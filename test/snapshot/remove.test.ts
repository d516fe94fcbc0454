import assert from 'node:assert/strict';
import { mkdir, readdir, readlink, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { sha256 } from '../../src/lib/hash.ts';
import { type BackupDirectory, listSnapshots, verifySnapshot } from '../../src/snapshot/index.ts';
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

describe('removing a snapshot', () => {
  it('leaves the others whole, with the files that they share, and "latest" as it was', async () => {
    const old = await takeNew(backups, 'c1', { 'image.png': 'pixels', a: '1' }, day(0));
    const kept = await takeNew(backups, 'c2', { 'image.png': 'pixels', a: '2' }, day(1));
    await backups.remove(old);
    const { snapshots, strangers, damaged } = await listSnapshots(directory.path);
    assert.deepEqual([snapshots, strangers, damaged], [[kept], [], []]);
    assert.equal((await verifySnapshot(kept)).ok, true);
    assert.equal((await stat(join(kept.path, 'image.png'))).nlink, 1);
    assert.equal(await readlink(join(kept.path, '../latest')), kept.name);
    assert.deepEqual(await readdir(join(directory.path, '.chatkeep/trash')), []);
  });

  it('is refused for the newest of an account, and for one that is not there', async () => {
    const first = await takeNew(backups, 'c1', { a: '1' }, day(0));
    const newest = await takeNew(backups, 'c2', { a: '2' }, day(1));
    await assert.rejects(backups.remove(newest), /is the newest/);
    await backups.remove(first);
    await assert.rejects(backups.remove(first), /There is no snapshot/);
    await assert.rejects(backups.remove(newest), /is the newest/);
  });

  it('that is cut short anywhere leaves the whole snapshot or none, and the next start finishes it', async () => {
    const files = { 'a/b': '1', c: '2', d: '3' };
    const kept = await takeNew(backups, 'c2', { c: '2' }, day(1));
    const trash = join(directory.path, '.chatkeep/trash');
    for (const step of ['before the rename', 'after the rename', 'one file deleted', 'all files deleted']) {
      const old = await takeNew(backups, 'c1', files, {
        ...day(0),
        archive: { form: 'zip', sha256: sha256(step), bytes: 1 },
      });
      await backups[Symbol.asyncDispose]();
      await mkdir(trash, { recursive: true });
      if (step !== 'before the rename') {
        const doomed = join(trash, `${old.name}-0123456789ab`);
        await rename(old.path, doomed);
        if (step === 'one file deleted') await rm(join(doomed, 'a/b'));
        if (step === 'all files deleted') for (const path of Object.keys(files)) await rm(join(doomed, path));
      }
      const visible = (await listSnapshots(directory.path)).snapshots;
      assert.deepEqual(visible, step === 'before the rename' ? [old, kept] : [kept], step);
      for (const snapshot of visible) assert.equal((await verifySnapshot(snapshot)).ok, true);
      backups = await open(directory.path);
      await assert.rejects(stat(trash), { code: 'ENOENT' });
      assert.equal((await verifySnapshot(kept)).ok, true);
      assert.equal(await readlink(join(kept.path, '../latest')), kept.name);
      if (step === 'before the rename') await backups.remove(old);
    }
  });
});
