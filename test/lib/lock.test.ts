import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lockDirectory } from '../../src/lib/lock.ts';
import { tempDir } from '../support/temp-dir.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const MODULE = new URL('../../src/lib/lock.ts', import.meta.url).href;

/** Another process that has the directory; it ends when it is killed. */
async function otherHolder(directory: string): Promise<ChildProcess> {
  const script = `
    import { lockDirectory } from ${JSON.stringify(MODULE)};
    globalThis.lock = await lockDirectory(${JSON.stringify(directory)}, 'state directory');
    console.log('locked');
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

describe('the lock on a directory', () => {
  it('is had by one at a time, and free again afterwards', async () => {
    await using parent = await tempDir();
    const directory = join(parent.path, 'new', 'state');
    {
      using _lock = await lockDirectory(directory, 'state directory');
      await assert.rejects(lockDirectory(directory, 'state directory'), { name: 'ChatkeepError', class: 'in-use' });
    }
    using _again = await lockDirectory(directory, 'state directory');
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
  });

  it('is refused to a second process, which is told who has it', async () => {
    await using directory = await tempDir();
    const holder = await otherHolder(directory.path);
    try {
      await assert.rejects(lockDirectory(directory.path, 'state directory'), (error: Error) => {
        const told = `The state directory ${directory.path} is in use by another Chatkeep (process ${holder.pid} on ${hostname()}, since `;
        assert.ok(error.message.startsWith(told), error.message);
        return true;
      });
      await writeFile(join(directory.path, 'lock.json'), 'broken');
      await assert.rejects(lockDirectory(directory.path, 'state directory'), {
        class: 'in-use',
        message: `The state directory ${directory.path} is in use by another Chatkeep.`,
      });
    } finally {
      await kill(holder);
    }
  });

  it('is free as soon as its holder is dead, however it died', async () => {
    await using directory = await tempDir();
    await kill(await otherHolder(directory.path));
    using _lock = await lockDirectory(directory.path, 'state directory');
    const holder: unknown = JSON.parse(await readFile(join(directory.path, 'lock.json'), 'utf8'));
    assert.ok(typeof holder === 'object' && holder !== null && 'pid' in holder);
    assert.equal(holder.pid, process.pid);
  });

  it('on one directory leaves others alone', async () => {
    await using parent = await tempDir();
    using _one = await lockDirectory(join(parent.path, 'one'), 'state directory');
    using _two = await lockDirectory(join(parent.path, 'two'), 'backup directory');
  });

  it('cannot be had where nothing can be written', async () => {
    await using parent = await tempDir();
    const directory = join(parent.path, 'disk');
    await using disk = await mountTmpfs(directory, '1m');
    await disk.makeReadOnly();
    await assert.rejects(lockDirectory(directory, 'state directory'), { class: 'storage' });
    const file = join(parent.path, 'file');
    await writeFile(file, '');
    await assert.rejects(lockDirectory(join(file, 'state'), 'state directory'), {
      class: 'storage',
      message: `Could not lock the state directory ${join(file, 'state')}: a part of the path is not a directory.`,
    });
    await mkdir(join(parent.path, 'taken', 'lock'), { recursive: true });
    await assert.rejects(lockDirectory(join(parent.path, 'taken'), 'state directory'), { class: 'storage' });
  });
});
