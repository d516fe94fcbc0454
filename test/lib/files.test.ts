import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  exists,
  makePrivateDirectory,
  removeTree,
  sizeOf,
  syncDirectory,
  writeFileDurably,
} from '../../src/lib/files.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { tempDir } from '../support/temp-dir.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const run = promisify(execFile);
const NOBODY = 65_534;

describe('a file that is written durably', () => {
  it('is there, private to the user, with nothing beside it', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'file');
    await writeFileDurably(path, 'content');
    assert.equal(await readFile(path, 'utf8'), 'content');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(directory.path), ['file']);
    assert.deepEqual(await openFilesBelow(directory.path), []);
  });

  it('may have another mode, and any bytes', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'file');
    const bytes = Buffer.from([0, 255, 10, 13]);
    await writeFileDurably(path, bytes, 0o400);
    assert.deepEqual(await readFile(path), bytes);
    assert.equal((await stat(path)).mode & 0o777, 0o400);
  });

  it('takes the place of an old one, whatever its mode', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'file');
    await writeFile(path, 'old', { mode: 0o444 });
    await writeFileDurably(path, 'new');
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('is the old one when the disk is full, and leaves nothing beside it', async () => {
    await using directory = await tempDir();
    const disk = join(directory.path, 'disk');
    await using _disk = await mountTmpfs(disk, '1m');
    const path = join(disk, 'file');
    await writeFileDurably(path, 'old');
    await assert.rejects(writeFileDurably(path, Buffer.alloc(2_000_000)), { code: 'ENOSPC' });
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await readdir(disk), ['file']);
  });

  it('writes over what a killed process has left in the place that it was told to use on the way', async () => {
    await using directory = await tempDir();
    const [path, beside] = [join(directory.path, 'file'), join(directory.path, 'file.new')];
    await writeFile(beside, 'half of something long');
    await writeFileDurably(path, 'new', 0o600, beside);
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.deepEqual(await readdir(directory.path), ['file']);
  });

  it('is the old one or the new one, whole, when the process is killed', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'file');
    const contents = ['a', 'b'].map((letter) => letter.repeat(300_000));
    await writeFileDurably(path, contents[0] ?? '');
    const script = `
      import { writeFileDurably } from ${JSON.stringify(new URL('../../src/lib/files.ts', import.meta.url).href)};
      for (let turn = 0; ; turn += 1) {
        await writeFileDurably(${JSON.stringify(path)}, (turn % 2 === 0 ? 'b' : 'a').repeat(300_000));
        if (turn === 2) console.log('writing');
      }`;
    for (let kill = 0; kill < 3; kill += 1) {
      const writer = run(process.execPath, ['--input-type=module', '-e', script]);
      writer.child.stdout?.once('data', () => setTimeout(() => writer.child.kill('SIGKILL'), kill * 7));
      await assert.rejects(writer, { signal: 'SIGKILL' });
      assert.ok(contents.includes(await readFile(path, 'utf8')));
    }
  });

  it('needs its directory', async () => {
    await using directory = await tempDir();
    await assert.rejects(writeFileDurably(join(directory.path, 'missing', 'file'), ''), { code: 'ENOENT' });
    await assert.rejects(syncDirectory(join(directory.path, 'missing')), { code: 'ENOENT' });
  });
});

describe('a private directory', () => {
  it('is made with its parents, for the user alone', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'a', 'b');
    await makePrivateDirectory(path);
    for (const made of [path, join(directory.path, 'a')]) assert.equal((await stat(made)).mode & 0o777, 0o700);
  });

  it('that exists is left as it is', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'a');
    await mkdir(path);
    await chmod(path, 0o755);
    await makePrivateDirectory(path);
    assert.equal((await stat(path)).mode & 0o777, 0o755);
  });
});

describe('a tree that is removed', () => {
  it('may be anything, or nothing', async () => {
    await using directory = await tempDir();
    const tree = join(directory.path, 'tree');
    await removeTree(tree);
    await mkdir(join(tree, 'a', 'b'), { recursive: true });
    await writeFile(join(tree, 'a', 'file'), '');
    await removeTree(tree);
    await writeFile(tree, 'a file');
    await removeTree(tree);
    assert.equal(await exists(tree), false);
  });

  it('may be read-only throughout, for a user who is not root', async () => {
    await using directory = await tempDir();
    const tree = join(directory.path, 'tree');
    const deep = join(tree, 'a', 'b');
    await mkdir(deep, { recursive: true });
    const outside = join(directory.path, 'outside');
    await mkdir(outside, { mode: 0o500 });
    await writeFile(join(outside, 'kept'), '');
    await symlink(outside, join(tree, 'link'));
    const files = [join(deep, 'file'), join(tree, 'a', 'file')];
    for (const path of files) await writeFile(path, 'content', { mode: 0o400 });
    for (const path of [deep, join(tree, 'a'), tree]) await chmod(path, 0o500);
    for (const path of [directory.path, outside, tree, join(tree, 'a'), deep, ...files])
      await chown(path, NOBODY, NOBODY);

    const script = `
      process.setgid(${NOBODY}); process.setuid(${NOBODY});
      const { removeTree } = await import(${JSON.stringify(new URL('../../src/lib/files.ts', import.meta.url).href)});
      await removeTree(${JSON.stringify(tree)});`;
    await run(process.execPath, ['--input-type=module', '-e', script]);
    assert.deepEqual(await readdir(directory.path), ['outside']);
    assert.deepEqual(await readdir(outside), ['kept']);
    assert.equal((await stat(outside)).mode & 0o777, 0o500);
  });
});

describe('what is at a path', () => {
  it('has a size, or is not there', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'file');
    assert.equal(await sizeOf(path), undefined);
    assert.equal(await exists(path), false);
    await writeFile(path, 'five!');
    assert.equal(await sizeOf(path), 5);
    assert.equal(await exists(path), true);
    await assert.rejects(sizeOf(join(path, 'below')), { code: 'ENOTDIR' });
  });
});
