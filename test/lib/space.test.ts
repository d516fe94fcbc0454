import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertRoom, freeBytesOf } from '../../src/lib/space.ts';
import { tempDir } from '../support/temp-dir.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const RESERVE_BYTES = 8 * 1024 * 1024;

describe('room on a disk', () => {
  it('is what is free, less a reserve', async () => {
    await using directory = await tempDir();
    await using _disk = await mountTmpfs(directory.path, '10m');
    const free = await freeBytesOf(directory.path);
    assert.equal(free, 10 * 1024 * 1024);
    await assertRoom(directory.path, free - RESERVE_BYTES, 'backup directory');
    await assert.rejects(assertRoom(directory.path, free - RESERVE_BYTES + 1, 'backup directory'), {
      class: 'storage',
      message: `The disk is full: the backup directory ${directory.path} needs 10.5 MB, and 10.5 MB are free.`,
    });
  });

  it('shrinks as files come', async () => {
    await using directory = await tempDir();
    await using _disk = await mountTmpfs(directory.path, '10m');
    await assertRoom(directory.path, 0, 'backup directory');
    await writeFile(join(directory.path, 'ballast'), Buffer.alloc(3_000_000));
    await assert.rejects(assertRoom(directory.path, 0, 'backup directory'), { class: 'storage' });
  });

  it('cannot be told where nothing is', async () => {
    await assert.rejects(freeBytesOf('/nonexistent'), { code: 'ENOENT' });
  });
});
