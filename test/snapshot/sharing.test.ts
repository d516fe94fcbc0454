import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { sha256 } from '../../src/lib/hash.ts';
import { type SnapshotInfo, verifySnapshot } from '../../src/snapshot/index.ts';
import { mountDisk } from '../support/loop-disk.ts';
import { tempDir } from '../support/temp-dir.ts';
import { DAY_MS, EXPORT_TIME, open, take, takeNew } from './support.ts';

const run = promisify(execFile);

/** Too much to lie in the directory's own blocks, as Btrfs has it with small files. */
const CONTENT = 'the same once more\n'.repeat(1000);
const inode = async (snapshot: SnapshotInfo, path: string) => (await stat(join(snapshot.path, path))).ino;

describe('on exFAT, which has neither hard links nor clones nor modes', () => {
  it('every snapshot is whole, with files of its own', async () => {
    await using directory = await tempDir();
    await using _disk = await mountDisk(join(directory.path, 'disk'), 'exfat');
    await using backups = await open(join(directory.path, 'disk', 'backups'));
    const files = { a: CONTENT, 'sub/b': CONTENT };
    const first = await takeNew(backups, 'c1', files);
    const second = await takeNew(backups, 'c2', { ...files, c: 'new' }, { exportTime: EXPORT_TIME + DAY_MS });
    assert.equal(second.meta.linkedFiles, 0);
    for (const snapshot of [first, second]) assert.deepEqual((await verifySnapshot(snapshot)).problems, []);
    assert.equal((await take(backups, 'c1', files)).kind, 'committed');
  });
});

describe('a file that can have no more hard links', () => {
  it('is cloned where the file system can do that: of its own, with its own time, and in the same place', async () => {
    await using directory = await tempDir();
    await using _disk = await mountDisk(join(directory.path, 'disk'), 'btrfs');
    await using backups = await open(join(directory.path, 'disk', 'backups'));
    const paths = Array.from({ length: 600 }, (_, n) => `a-copy-of-the-same-picture-by-another-name-${n}.png`);
    const first = await takeNew(backups, 'c1', { picture: CONTENT });
    const second = await takeNew(backups, 'c2', Object.fromEntries(paths.map((path) => [path, CONTENT])), {
      exportTime: EXPORT_TIME + DAY_MS,
    });
    const original = await inode(first, 'picture');
    const cloned: string[] = [];
    for (const path of paths) if ((await inode(second, path)) !== original) cloned.push(path);
    assert.ok(second.meta.linkedFiles > 0 && cloned.length > 0, `${cloned.length} clones`);
    assert.equal(second.meta.linkedFiles + cloned.length, paths.length);
    assert.deepEqual((await verifySnapshot(second)).problems, []);

    const [last = ''] = cloned.slice(-1);
    const clone = join(second.path, last);
    assert.equal(sha256(await readFile(clone)), sha256(CONTENT));
    assert.equal((await stat(clone)).mode & 0o777, 0o400);
    const { stdout } = await run('filefrag', ['-v', clone]);
    assert.match(stdout, /shared/);
  });
});
