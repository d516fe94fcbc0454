import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { fileFingerprint, readLoginFile } from '../../../src/download/logins/files.ts';
import { tempDir } from '../../support/temp-dir.ts';

describe("a login's file", () => {
  it('is read as it is', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'token');
    await writeFile(path, ' a token \n');
    assert.deepEqual(await readLoginFile(path), { kind: 'text', text: ' a token \n' });
  });

  it('is told apart from what is none', async () => {
    await using directory = await tempDir();
    const path = (name: string) => join(directory.path, name);
    await writeFile(path('empty'), ' \n\t');
    await writeFile(path('huge'), Buffer.alloc(1024 * 1024 + 1, 'x'));
    await writeFile(path('largest'), Buffer.alloc(1024 * 1024, 'x'));
    await mkdir(path('directory'));
    await promisify(execFile)('mkfifo', [path('pipe')]);
    const detail = async (name: string) => {
      const file = await readLoginFile(path(name));
      return file.kind === 'unusable' ? file.detail.replace(`${directory.path}/`, '') : file.kind;
    };
    assert.equal(await detail('missing'), 'The file missing does not exist.');
    assert.equal(await detail('empty'), 'The file empty is empty.');
    assert.equal(await detail('huge'), 'The file huge is too large to be a login.');
    assert.equal(await detail('largest'), 'text');
    assert.equal(await detail('directory'), 'The file directory is not a regular file.');
    assert.equal(await detail('pipe'), 'The file pipe is not a regular file.');
    assert.equal(await detail('empty/token'), 'The file empty/token cannot be read.');
  });

  it('that may not be read is named with the reason', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'token');
    await writeFile(path, 'secret-token', { mode: 0 });
    const module = new URL('../../../src/download/logins/files.ts', import.meta.url).href;
    const script = `import { readLoginFile } from ${JSON.stringify(module)};
      if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
      console.log(JSON.stringify(await readLoginFile(${JSON.stringify(path)})));`;
    await promisify(execFile)('chmod', ['0755', directory.path]);
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    assert.deepEqual(JSON.parse(stdout), {
      kind: 'unusable',
      detail: `The file ${path} may not be read (permission denied).`,
    });
  });
});

describe("the fingerprint of a login's file", () => {
  it('changes when the file comes, changes and goes, and holds nothing of it', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'token');
    const before = await fileFingerprint(path);
    await writeFile(path, 'secret-1');
    const first = await fileFingerprint(path);
    assert.equal(await fileFingerprint(path), first);
    await writeFile(path, 'secret-2');
    await utimes(path, 1, 2);
    const second = await fileFingerprint(path);
    await rm(path);
    assert.equal(before, 'absent');
    assert.equal(await fileFingerprint(path), 'absent');
    assert.equal(new Set([before, first, second]).size, 3);
    assert.doesNotMatch(first, /secret/);
  });
});
