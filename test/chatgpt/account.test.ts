import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findAccount } from '../../src/chatgpt/index.ts';
import { tempDir } from '../support/temp-dir.ts';

const FILES = [{ path: 'deep/down/user.json' }, { path: 'user.json' }, { path: 'deep/user.json' }];

describe('The account of an export', () => {
  it('is what the topmost user.json that names one says', async () => {
    await using directory = await tempDir();
    await mkdir(join(directory.path, 'deep/down'), { recursive: true });
    for (const [path, content] of [
      ['user.json', '{"id":"user-1"}'],
      ['deep/user.json', '\ufeff{"email":"ada@example.test","birth_year":"1815"}'],
      ['deep/down/user.json', '{"email":"charles@example.test"}'],
    ] as const) {
      await writeFile(join(directory.path, path), content);
    }
    const account = await findAccount(directory.path, FILES);
    assert.deepEqual([account?.email, account?.birthYear], ['ada@example.test', undefined]);
  });

  it('is not known where no file is there, or is what it was', async () => {
    await using directory = await tempDir();
    assert.equal(await findAccount(directory.path, FILES), undefined);
    for (const content of ['', '[]', 'null', '{"email":', '{"email":""}', 'x'.repeat(2_000_000)]) {
      await writeFile(join(directory.path, 'user.json'), content);
      assert.equal(await findAccount(directory.path, FILES), undefined, content.slice(0, 20));
    }
  });

  it('is not taken for unknown where the disk does not give the file', async () => {
    await using directory = await tempDir();
    await symlink('user.json', join(directory.path, 'user.json'));
    await assert.rejects(findAccount(directory.path, FILES), { code: 'ELOOP' });
  });
});
