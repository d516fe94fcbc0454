import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { type BackupDirectory, listSnapshots, type SnapshotInfo, verifySnapshot } from '../../src/snapshot/index.ts';
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

async function changeFile(path: string, content: string): Promise<void> {
  await chmod(path, 0o600);
  await writeFile(path, content);
}

describe('the list of snapshots', () => {
  it('has the newest export last, of all accounts', async () => {
    await takeNew(backups, 'c1', { a: '1' }, { exportTime: EXPORT_TIME + DAY_MS });
    await takeNew(backups, 'c2', { a: '2' }, { account: 'work' });
    await takeNew(backups, 'c3', { a: '3' }, { exportTime: EXPORT_TIME - DAY_MS });
    assert.deepEqual(
      (await listSnapshots(directory.path)).snapshots.map(({ id }) => id),
      ['ann@example.org/2026-11-20T190533Z', 'work/2026-11-21T190533Z', 'ann@example.org/2026-11-22T190533Z'],
    );
  });

  it('tells what is neither a snapshot nor ours, and leaves it alone', async () => {
    const { path } = await takeNew(backups, 'c1', { a: '1' });
    const account = join(path, '..');
    await mkdir(join(account, '2026-01-01T000000Z/half'), { recursive: true });
    await mkdir(join(account, 'notes'));
    await writeFile(join(account, '2026-01-02T000000Z'), 'a file');
    await mkdir(join(directory.path, 'lost+found'));
    await mkdir(join(directory.path, 'photos/2026'), { recursive: true });
    await writeFile(join(directory.path, '.DS_Store'), '');
    const list = await listSnapshots(directory.path);
    assert.deepEqual(
      list.strangers.toSorted(),
      [
        join(directory.path, '.DS_Store'),
        join(account, '2026-01-01T000000Z'),
        join(account, '2026-01-02T000000Z'),
        join(account, 'notes'),
        join(directory.path, 'photos'),
      ].toSorted(),
    );
    assert.equal(list.snapshots.length, 1);
    assert.deepEqual(list.damaged, []);
  });

  it('tells a snapshot whose snapshot.json is broken, and one of a newer format, and keeps the rest', async () => {
    const [broken, incomplete, newer] = await Promise.all(
      ['c1', 'c2', 'c3'].map((capture, index) =>
        takeNew(backups, capture, { a: capture }, { exportTime: EXPORT_TIME + index * DAY_MS }),
      ),
    );
    const good = await takeNew(backups, 'c4', { a: '4' }, { exportTime: EXPORT_TIME + 9 * DAY_MS });
    assert.ok(broken && incomplete && newer);
    await changeFile(join(broken.path, '.chatkeep/snapshot.json'), '{"format": 1,');
    await changeFile(join(incomplete.path, '.chatkeep/snapshot.json'), '{"format": 1, "id": 7}');
    await changeFile(join(newer.path, '.chatkeep/snapshot.json'), '{"format": 2, "something": "else"}');
    const list = await listSnapshots(directory.path);
    assert.deepEqual(
      list.snapshots.map(({ id }) => id),
      [good.id],
    );
    assert.deepEqual(
      list.damaged.map(({ path }) => path),
      [broken.path, incomplete.path, newer.path],
    );
    assert.match(list.damaged[0]?.problem ?? '', /not JSON/);
    assert.match(list.damaged[1]?.problem ?? '', /\(at id\)/);
    assert.match(list.damaged[2]?.problem ?? '', /newer Chatkeep \(format 2;/);
  });

  it('tells a snapshot whose snapshot.json is gone from what never was one, by its checksums', async () => {
    const { id, path } = await takeNew(backups, 'c1', { a: '1' });
    await rm(join(path, '.chatkeep/snapshot.json'));
    const list = await listSnapshots(directory.path);
    assert.deepEqual(
      list.damaged.map((damaged) => [damaged.id, damaged.problem]),
      [[id, '.chatkeep/snapshot.json is missing.']],
    );
    assert.deepEqual(list.strangers, []);
  });

  it('passes over keys that a later version has added', async () => {
    const { path, meta } = await takeNew(backups, 'c1', { a: '1' });
    const file = join(path, '.chatkeep/snapshot.json');
    const json = JSON.parse(await readFile(file, 'utf8'));
    await changeFile(file, JSON.stringify({ ...json, later: true, source: { ...json.source, later: 1 } }));
    assert.deepEqual((await listSnapshots(directory.path)).snapshots[0]?.meta, meta);
  });

  it('is none where there is no backup directory', async () => {
    await assert.rejects(listSnapshots(join(directory.path, 'nowhere')), { class: 'not-found' });
  });
});

describe('verifying a snapshot', () => {
  const files = { 'chat.html': '<html>', 'a/b.json': '[]', 'c.json': '{}' };
  let snapshot: SnapshotInfo;
  beforeEach(async () => {
    snapshot = await takeNew(backups, 'c1', files);
  });

  const problems = async () => {
    const report = await verifySnapshot(snapshot);
    assert.equal(report.ok, report.problems.length === 0);
    return report.problems.map(({ kind, path }) => `${kind} ${path}`);
  };

  it('reads every file, and tells how far it is', async () => {
    const told: (number | undefined)[] = [];
    const report = await verifySnapshot(snapshot, { onProgress: (done, total) => told.push(done, total) });
    assert.deepEqual(report, { ok: true, checkedFiles: 3, checkedBytes: 10, problems: [] });
    assert.deepEqual(told.slice(-2), [10, 10]);
  });

  it('hashes large files in a thread, which ends with it, and tells what is wrong with them as of any others', async () => {
    const content = 'x'.repeat(2_000_000);
    const large = await takeNew(backups, 'c2', { 'a.json': content, 'b.json': `${content}y` }, { account: 'bob' });
    const ends: Promise<unknown>[] = [];
    const note = (thread: Worker) => ends.push(once(thread, 'exit'));
    process.on('worker', note);
    try {
      assert.deepEqual((await verifySnapshot(large)).problems, []);
      await changeFile(join(large.path, 'a.json'), content.toUpperCase());
      const { problems: found } = await verifySnapshot(large);
      assert.deepEqual(
        found.map(({ kind, path }) => `${kind} ${path}`),
        ['changed a.json'],
      );
    } finally {
      process.off('worker', note);
    }
    assert.equal(ends.length, 2);
    await Promise.all(ends);
  });

  it('finds a file that has changed, is missing, is more, or is no file any more', async () => {
    await changeFile(join(snapshot.path, 'chat.html'), '<HTML>');
    await rm(join(snapshot.path, 'a/b.json'));
    await rm(join(snapshot.path, 'c.json'));
    await symlink('chat.html', join(snapshot.path, 'c.json'));
    await writeFile(join(snapshot.path, 'a/more'), '');
    await writeFile(join(snapshot.path, '.chatkeep/more'), '');
    assert.deepEqual(await problems(), [
      'missing a/b.json',
      'changed c.json',
      'changed chat.html',
      'extra .chatkeep/more',
      'extra a/more',
    ]);
  });

  it('finds that snapshot.json and SHA256SUMS do not speak of the same', async () => {
    const sums = join(snapshot.path, '.chatkeep/SHA256SUMS');
    const [, ...rest] = (await readFile(sums, 'utf8')).split('\n');
    await changeFile(sums, rest.join('\n'));
    assert.deepEqual(await problems(), ['changed .chatkeep/snapshot.json', 'extra a/b.json']);
  });

  it('finds lines of SHA256SUMS that say nothing, and does not follow them out', async () => {
    await chmod(join(snapshot.path, '.chatkeep/SHA256SUMS'), 0o600);
    await appendFile(join(snapshot.path, '.chatkeep/SHA256SUMS'), `${'0'.repeat(64)}  ../../../etc/passwd\n`);
    assert.deepEqual(await problems(), ['changed .chatkeep/SHA256SUMS']);
  });

  it('finds that its own files are missing', async () => {
    await rm(join(snapshot.path, '.chatkeep'), { recursive: true });
    assert.deepEqual(await problems(), [
      'missing .chatkeep/SHA256SUMS',
      'missing .chatkeep/snapshot.json',
      'extra a/b.json',
      'extra c.json',
      'extra chat.html',
    ]);
  });

  it('finds that the whole snapshot is gone', async () => {
    await rm(snapshot.path, { recursive: true });
    const report = await verifySnapshot(snapshot);
    assert.equal(report.ok, false);
  });

  it('ends with the reason of the signal', async () => {
    const reason = new Error('enough');
    await assert.rejects(verifySnapshot(snapshot, { signal: AbortSignal.abort(reason) }), reason);
  });
});
