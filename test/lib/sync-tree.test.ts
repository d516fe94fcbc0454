import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { syncTree } from '../../src/lib/sync-tree.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { tempDir } from '../support/temp-dir.ts';

let directory: Awaited<ReturnType<typeof tempDir>>;
beforeEach(async () => {
  directory = await tempDir();
});
afterEach(() => directory[Symbol.asyncDispose]());

async function fill(files: number): Promise<void> {
  await mkdir(join(directory.path, 'a', 'b'), { recursive: true });
  for (let n = 0; n < files; n += 1) await writeFile(join(directory.path, 'a', 'b', `${n}`), 'x');
  await symlink('/nowhere', join(directory.path, 'a', 'link'));
}

describe('a tree that is made durable', () => {
  for (const files of [0, 3, 40]) {
    it(`may hold ${files} files, and links that lead nowhere`, async () => {
      await fill(files);
      await syncTree(directory.path);
      assert.deepEqual(await openFilesBelow(directory.path), []);
    });
  }

  it('is synced file by file where there is no program that syncs a file system', async (t) => {
    await fill(40);
    const path = process.env.PATH;
    t.after(() => {
      process.env.PATH = path;
    });
    process.env.PATH = directory.path;
    await syncTree(directory.path);
  });

  it('tells what the file system says', async () => {
    await assert.rejects(syncTree(join(directory.path, 'none')), { code: 'ENOENT' });
  });

  for (const files of [3, 40]) {
    it(`is given up with the reason of the signal, with ${files} files`, async () => {
      await fill(files);
      const reason = new Error('enough');
      await assert.rejects(syncTree(directory.path, AbortSignal.abort(reason)), reason);
    });
  }
});
