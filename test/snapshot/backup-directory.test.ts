import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { listSnapshots, verifySnapshot } from '../../src/snapshot/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { mountTmpfs, type Tmpfs } from '../support/tmpfs.ts';
import { DAY_MS, EXPORT_TIME, open, stage, takeNew } from './support.ts';

let directory: Awaited<ReturnType<typeof tempDir>>;
let path: string;
beforeEach(async () => {
  directory = await tempDir();
  path = join(directory.path, 'deep', 'backups');
});
afterEach(() => directory[Symbol.asyncDispose]());

describe('opening a backup directory', () => {
  it('makes it, private, with a README for whoever finds it', async () => {
    await using _backups = await open(path);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    assert.match(await readFile(join(path, 'README.txt'), 'utf8'), /sha256sum -c \.chatkeep\/SHA256SUMS/);
    assert.deepEqual((await readdir(path)).sort(), ['.chatkeep', 'README.txt']);
  });

  it("leaves a README that is there, and the directory's mode, as they are", async () => {
    await mkdir(path, { recursive: true, mode: 0o750 });
    await writeFile(join(path, 'README.txt'), 'mine');
    await using _backups = await open(path);
    assert.equal(await readFile(join(path, 'README.txt'), 'utf8'), 'mine');
    assert.equal((await stat(path)).mode & 0o777, 0o750);
  });

  it('says so when it is a file', async () => {
    await mkdir(join(directory.path, 'deep'));
    await writeFile(path, '');
    await assert.rejects(open(path), { class: 'config', message: /is a file/ });
  });

  it('gives a fresh staging directory, private, each time', async () => {
    await using backups = await open(path);
    const staging = await backups.createStaging('c1');
    assert.equal((await stat(staging)).mode & 0o777, 0o700);
    await mkdir(join(staging, 'sub'));
    await writeFile(join(staging, 'sub/half'), 'x', { mode: 0o400 });
    assert.deepEqual(await readdir(await backups.createStaging('c1')), []);
    await backups.discardStaging('c1');
    await backups.discardStaging('c1');
    assert.deepEqual(await readdir(join(path, '.chatkeep/staging')), []);
  });
});

describe('after a crash', () => {
  it('what was unfinished is removed, and nothing else', async () => {
    {
      await using backups = await open(path);
      await takeNew(backups, 'c1', { a: 'x' });
      await stage(backups, 'c2', { 'a/b': 'half' });
      await symlink('nowhere', join(path, '.chatkeep/staging/latest.link'));
      await writeFile(join(path, '.chatkeep/quarantine/c0.zip'), 'refused');
    }
    await using _again = await open(path);
    assert.deepEqual(await readdir(join(path, '.chatkeep/staging')), []);
    assert.deepEqual(await readdir(join(path, '.chatkeep/quarantine')), ['c0.zip']);
    assert.equal((await listSnapshots(path)).snapshots.length, 1);
  });

  it('between the rename and "latest", the snapshot counts, and "latest" is mended', async () => {
    const account = join(path, 'ann@example.org');
    {
      await using backups = await open(path);
      await takeNew(backups, 'c1', { a: '1' });
      await takeNew(backups, 'c2', { a: '2' }, { exportTime: EXPORT_TIME + DAY_MS });
    }
    await rm(join(account, 'latest'));
    await symlink('2026-11-21T190533Z', join(account, 'latest'));
    await using backups = await open(path);
    assert.equal(await readlink(join(account, 'latest')), '2026-11-22T190533Z');
    const again = await backups.commit(await stage(backups, 'c2', { a: '2' }));
    assert.equal(again.kind, 'committed');
    assert.equal((await listSnapshots(path)).snapshots.length, 2);
  });

  it('a "latest" that points at a snapshot the user has deleted is mended', async () => {
    {
      await using backups = await open(path);
      await takeNew(backups, 'c1', { a: '1' });
      const newer = await takeNew(backups, 'c2', { a: '2' }, { exportTime: EXPORT_TIME + DAY_MS });
      await rm(newer.path, { recursive: true });
    }
    await using _backups = await open(path);
    assert.equal(await readlink(join(path, 'ann@example.org/latest')), '2026-11-21T190533Z');
  });
});

describe('the lock', () => {
  const program = `
    import { openBackupDirectory } from ${JSON.stringify(new URL('../../src/snapshot/index.ts', import.meta.url).href)};
    import { silentLogger } from ${JSON.stringify(new URL('../../src/lib/logger.ts', import.meta.url).href)};
    await openBackupDirectory(process.argv[1], { logger: silentLogger });
    process.stdout.write('open');
    setInterval(() => {}, 1000);
  `;
  let holder: ChildProcess | undefined;
  afterEach(() => {
    holder?.kill('SIGKILL');
  });

  it('refuses a second process, until the first is gone, however it went', async () => {
    holder = spawn(process.execPath, ['--input-type=module', '-e', program, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (holder.stdout === null) throw new Error('no stdout');
    await once(holder.stdout, 'data');
    await assert.rejects(open(path), { class: 'in-use', message: new RegExp(`process ${holder.pid} `) });
    const exit = once(holder, 'exit');
    holder.kill('SIGKILL');
    await exit;
    await using backups = await open(path);
    assert.equal((await takeNew(backups, 'c1', { a: 'x' })).name, '2026-11-21T190533Z');
  });

  it('is given back when the directory is disposed of', async () => {
    await (await open(path))[Symbol.asyncDispose]();
    await (await open(path))[Symbol.asyncDispose]();
  });

  it('is not needed for listing and verifying', async () => {
    await using backups = await open(path);
    const snapshot = await takeNew(backups, 'c1', { a: 'x' });
    assert.equal((await verifySnapshot(snapshot)).ok, true);
    assert.equal((await listSnapshots(path)).snapshots.length, 1);
  });
});

describe('the quarantine', () => {
  it('takes an archive in under the name of its capture', async () => {
    await using backups = await open(path);
    const archive = join(directory.path, 'bad.zip');
    await writeFile(archive, 'bad');
    const kept = await backups.quarantine(archive, 'c1');
    assert.equal(kept, join(path, '.chatkeep/quarantine/c1.zip'));
    assert.equal(await readFile(kept, 'utf8'), 'bad');
    await assert.rejects(stat(archive), { code: 'ENOENT' });
    assert.equal(await backups.quarantine(archive, 'c1'), kept, 'asked again after a crash');
  });

  it('tells where an archive lies', async () => {
    await using backups = await open(path);
    assert.equal(await backups.quarantined('c2-2'), undefined);
    await writeFile(join(directory.path, 'bad.zip'), 'two');
    const kept = await backups.quarantine(join(directory.path, 'bad.zip'), 'c2-2');
    assert.equal(await backups.quarantined('c2-2'), kept);
    assert.equal(await backups.quarantine(kept, 'c2-2'), kept, 'it lies there already');
    assert.equal(await readFile(kept, 'utf8'), 'two');
  });
});

describe('another file system', () => {
  let place: Awaited<ReturnType<typeof tempDir>>;
  let mount: string;
  let tmpfs: Tmpfs;
  before(async () => {
    place = await tempDir();
    mount = join(place.path, 'small');
    tmpfs = await mountTmpfs(mount, '8m');
  });
  after(async () => {
    await tmpfs[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  it('gives its archives to the quarantine by copying', async () => {
    await using backups = await open(path);
    await writeFile(join(mount, 'bad.zip'), 'bad', { mode: 0o400 });
    const kept = await backups.quarantine(join(mount, 'bad.zip'), 'c1');
    assert.equal(await readFile(kept, 'utf8'), 'bad');
    assert.deepEqual(await readdir(mount), []);
    assert.deepEqual(await readdir(join(path, '.chatkeep/staging')), []);
  });

  it('that is full fails a commit as trouble with the storage, and nothing is half committed', async () => {
    await using backups = await open(join(mount, 'backups'));
    const draft = await stage(backups, 'c1', { 'a.json': '[]', 'b.json': '{}' });
    await fill(join(mount, 'filler'));
    await assert.rejects(backups.commit(draft), { class: 'storage', message: /the disk is full/ });
    assert.deepEqual((await listSnapshots(backups.path)).snapshots, []);
    await rm(join(mount, 'filler'));
    const result = await backups.commit(draft);
    assert.ok(result.kind === 'committed');
    assert.equal((await verifySnapshot(result.snapshot)).ok, true);
  });

  it('that is read-only cannot be opened, and that is trouble with the storage; it can be read', async () => {
    const there = join(mount, 'read-only');
    {
      await using backups = await open(there);
      await takeNew(backups, 'c1', { 'a.json': '[]' });
    }
    await tmpfs.makeReadOnly();
    await assert.rejects(open(there), { class: 'storage' });
    await assert.rejects(open(join(mount, 'new')), { class: 'storage', message: /read-only/ });
    const { snapshots } = await listSnapshots(there);
    assert.deepEqual(
      await Promise.all(
        snapshots.map(async (snapshot) => [snapshot.meta.capture, (await verifySnapshot(snapshot)).ok]),
      ),
      [['c1', true]],
    );
  });
});

/** Writes until the disk is full. */
async function fill(file: string): Promise<void> {
  await assert.rejects(writeFile(file, Buffer.alloc(16_000_000)), { code: 'ENOSPC' });
}
