import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ResticConfig } from '../../src/config/index.ts';
import { OffsiteError, type OffsiteTool } from '../../src/offsite/index.ts';
import { createRestic } from '../../src/offsite/restic.ts';
import { keptExports, listSnapshots, verifySnapshot } from '../../src/snapshot/index.ts';
import { eventually } from '../support/eventually.ts';
import { CONTEXT, commit, type Home, LIMITS, makeHome, run } from './place.ts';

const PASSWORD = 'a password of restic';

/** A restic repository on the same disk, which to restic is one like any other. */
interface Repository {
  readonly tool: OffsiteTool;
  readonly path: string;
  /** Runs restic as its user would. */
  restic(...args: string[]): Promise<string>;
}

async function repositoryIn(home: Home, changes: Partial<ResticConfig> = {}): Promise<Repository> {
  const path = join(home.path, 'repository');
  const passwordFile = await home.secret('password', `${PASSWORD}\n`);
  const config: ResticConfig = { repository: path, passwordFile, host: 'chatkeep', ...changes };
  const tool = createRestic(config, { backups: home.backups, scratch: join(home.path, 'scratch') }, LIMITS);
  return {
    tool,
    path,
    async restic(...args) {
      const { stdout } = await run('restic', ['--repo', path, '--password-file', passwordFile, '--no-cache', ...args]);
      return stdout;
    },
  };
}

async function all(home: Home) {
  return keptExports(await listSnapshots(home.backups));
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof OffsiteError, String(error));
    return error.message;
  }
  throw new Error('it did not fail');
}

describe('A copy by restic', () => {
  it('is the whole backup directory but for what is not a backup, and verifies when it is restored', async () => {
    await using home = await makeHome();
    await commit(home, 1);
    await commit(home, 2);
    await home.directory.createStaging('half-done');
    const { tool, restic } = await repositoryIn(home);
    await tool.init(CONTEXT);
    // Nothing happens to one that is there.
    await tool.init(CONTEXT);
    const copied = await tool.copy(await all(home), CONTEXT);
    assert.deepEqual(
      copied,
      (await all(home)).map(({ id }) => id),
    );

    const target = join(home.path, 'restored');
    await restic('restore', 'latest', '--target', target);
    const restored = join(target, home.backups);
    assert.deepEqual((await readdir(join(restored, '.chatkeep'))).sort(), ['quarantine']);
    const { snapshots } = await listSnapshots(restored);
    assert.equal(snapshots.length, 2);
    for (const snapshot of snapshots) assert.ok((await verifySnapshot(snapshot)).ok);
    const [first, second] = await Promise.all(
      snapshots.map(({ path }) => stat(join(path, 'a folder/picture #1.png')).then(({ ino }) => ino)),
    );
    assert.equal(first, second, 'what was shared is shared again');
  });

  it('reads no file again because a new snapshot shares it, and so brings no rot there', async () => {
    await using home = await makeHome();
    const first = await commit(home, 1);
    const shared = join(first.path, 'a folder/picture #1.png');
    await utimes(shared, 1_795_000_000, 1_795_000_000);
    const { tool, restic } = await repositoryIn(home);
    await tool.init(CONTEXT);
    await tool.copy(await all(home), CONTEXT);
    // Another change time, as a further link gives, with the same size and time: only who reads it sees a difference.
    await chmod(shared, 0o600);
    await writeFile(shared, 'PICTURE');
    await utimes(shared, 1_795_000_000, 1_795_000_000);
    await commit(home, 2);
    await tool.copy(await all(home), CONTEXT);
    assert.equal(await restic('dump', 'latest', shared), 'picture');
  });

  it('keeps of the states of the directory what is asked for, and leaves alone what other hosts have there', async () => {
    await using home = await makeHome();
    const { tool, restic } = await repositoryIn(home, { keep: { last: 1 } });
    await tool.init(CONTEXT);
    await commit(home, 1);
    await restic('backup', '--host', 'another', home.backups);
    for (const _time of [1, 2]) await tool.copy(await all(home), CONTEXT);
    const hosts = JSON.parse(await restic('snapshots', '--json')).map(({ hostname }: { hostname: string }) => hostname);
    assert.deepEqual(hosts.sort(), ['another', 'chatkeep']);
  });

  it('says what is wrong where there is no repository, and makes none by itself', async () => {
    await using home = await makeHome();
    const { tool, path } = await repositoryIn(home);
    await mkdir(path);
    assert.match(await faultOf(tool.copy([], CONTEXT)), /no restic repository.*chatkeep offsite init/);
    assert.deepEqual(await readdir(path), []);
  });

  it('says so when the password is wrong, also when it is asked to make the repository', async () => {
    await using home = await makeHome();
    const { tool } = await repositoryIn(home);
    await tool.init(CONTEXT);
    await home.secret('password', 'another one');
    assert.match(await faultOf(tool.copy([], CONTEXT)), /does not accept the password/);
    assert.match(await faultOf(tool.init(CONTEXT)), /does not accept the password/);
  });

  it('finds by its check what has rotted there', async () => {
    await using home = await makeHome();
    await commit(home, 1);
    const { tool, path } = await repositoryIn(home);
    await tool.init(CONTEXT);
    const snapshots = await all(home);
    await tool.copy(snapshots, CONTEXT);
    assert.deepEqual(await tool.check(snapshots, CONTEXT), []);
    for (const folder of await readdir(join(path, 'data'))) {
      for (const name of await readdir(join(path, 'data', folder))) {
        const pack = join(path, 'data', folder, name);
        const bytes = await readFile(pack);
        bytes[10] = (bytes[10] ?? 0) ^ 1;
        await chmod(pack, 0o600);
        await writeFile(pack, bytes);
      }
    }
    assert.match((await tool.check(snapshots, CONTEXT)).join(' '), /restic check found errors/);
    await rename(path, `${path}-away`);
    assert.match(await faultOf(tool.check(snapshots, CONTEXT)), /no restic repository/);
  });

  it('takes away the lock of a process that was killed, and goes on', async () => {
    await using home = await makeHome();
    await commit(home, 1);
    const { tool, path } = await repositoryIn(home, { keep: { last: 1 } });
    await tool.init(CONTEXT);
    await tool.copy(await all(home), CONTEXT);
    await leaveLock(home, path);
    assert.equal((await readdir(join(path, 'locks'))).length, 1);
    assert.deepEqual(await tool.check([], CONTEXT), []);
    assert.deepEqual(await readdir(join(path, 'locks')), []);
  });

  it('respects the lock of a process that lives', async () => {
    await using home = await makeHome();
    const { tool, path } = await repositoryIn(home);
    await tool.init(CONTEXT);
    await using _holder = await holdLock(home, path);
    assert.match(await faultOf(tool.check([], CONTEXT)), /Another process has locked/);
  });

  it('is stopped when the service stops', async () => {
    await using home = await makeHome();
    await commit(home, 1);
    const { tool, path } = await repositoryIn(home);
    await tool.init(CONTEXT);
    const fifo = join(home.backups, 'waits');
    const stop = new AbortController();
    await run('mkfifo', [fifo]);
    const copying = tool.copy(await all(home), { ...CONTEXT, signal: stop.signal });
    stop.abort(new Error('stopped'));
    await assert.rejects(copying, /stopped/);
    assert.deepEqual(await readdir(join(path, 'locks')), []);
  });
});

/** A restic that has a lock and waits: a backup of standard input that does not end. */
async function holdLock(home: Home, repository: string): Promise<AsyncDisposable & { kill(): Promise<void> }> {
  const child = spawn(
    'restic',
    ['--repo', repository, '--password-file', join(home.path, 'password'), '--no-cache', 'backup', '--stdin'],
    { stdio: ['pipe', 'ignore', 'ignore'] },
  );
  const ended = once(child, 'close');
  await eventually(async () => (await readdir(join(repository, 'locks'))).length === 1);
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { kill, [Symbol.asyncDispose]: kill };
}

async function leaveLock(home: Home, repository: string): Promise<void> {
  const holder = await holdLock(home, repository);
  await holder.kill();
}
