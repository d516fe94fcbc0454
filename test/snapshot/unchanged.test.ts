import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../../src/lib/hash.ts';
import { type BackupDirectory, keptExports, listSnapshots, verifySnapshot } from '../../src/snapshot/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { DAY_MS, EXPORT_TIME, open, take, takeNew } from './support.ts';

const ACCOUNT = 'ann@example.org';
const FILES = { 'chat.html': '<html>', 'conversations-000.json': '[]', 'a/picture.png': 'png' };
const NEXT_DAY = { exportTime: EXPORT_TIME + DAY_MS };

let directory: Awaited<ReturnType<typeof tempDir>>;
let backups: BackupDirectory;
beforeEach(async () => {
  directory = await tempDir();
  backups = await open(join(directory.path, 'backups'));
});
afterEach(async () => {
  await backups[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const records = () => join(backups.path, ACCOUNT, '.chatkeep/unchanged');
const ids = async () => (await listSnapshots(backups.path)).snapshots.map(({ name }) => name);
const takeUnchanged = async (...what: Parameters<typeof take>) => {
  const result = await take(...what);
  assert.ok(result.kind === 'unchanged', `It is ${result.kind}`);
  return result;
};
const rot = async (file: string) => {
  await chmod(file, 0o600);
  await writeFile(file, '!');
};

describe('another export with the very files of the snapshot before', () => {
  it('makes no second snapshot, and leaves nothing in staging', async () => {
    const first = await takeNew(backups, 'c1', FILES);
    const { snapshot } = await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    assert.deepEqual(snapshot, first);
    assert.deepEqual(await ids(), [first.name]);
    assert.deepEqual(await readdir(join(backups.path, '.chatkeep/staging')), []);
    assert.ok((await verifySnapshot(first)).ok);
  });

  it('is on record beside the snapshot: what it was, where it came from, and which snapshot holds it', async () => {
    const first = await takeNew(backups, 'c1', FILES);
    await takeUnchanged(backups, 'c2', FILES, {
      ...NEXT_DAY,
      source: { kind: 'notice', mailbox: 'home', messageId: '<1@example.org>', receivedAt: EXPORT_TIME + DAY_MS },
    });
    assert.deepEqual(await readdir(records()), ['2026-11-22T190533Z.json']);
    const path = join(records(), '2026-11-22T190533Z.json');
    assert.equal((await stat(path)).mode & 0o777, 0o400);
    assert.equal((await stat(records())).mode & 0o777, 0o700);
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), {
      format: 1,
      capture: 'c2',
      account: 'Ann@example.org',
      exportId: 'export-c2',
      exportTime: '2026-11-22T19:05:33.000Z',
      takenAt: '2026-11-21T19:06:33.000Z',
      source: {
        kind: 'notice',
        mailbox: 'home',
        messageId: '<1@example.org>',
        receivedAt: '2026-11-22T19:05:33.000Z',
      },
      archive: { sha256: sha256('c2'), bytes: 1000 },
      snapshot: first.name,
      sums: sha256(await readFile(join(first.path, '.chatkeep/SHA256SUMS'))),
    });
  });

  it('is known again by its capture, its export and its archive', async () => {
    const first = await takeNew(backups, 'c1', FILES);
    await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    for (const criteria of [{ capture: 'c2' }, { exportId: 'export-c2' }, { archiveSha256: sha256('c2') }]) {
      const kept = await backups.find(criteria);
      assert.equal(kept?.kind, 'unchanged');
      assert.equal(kept?.snapshot.id, first.id);
    }
  });

  it('is a duplicate when it comes again, however often and under which account', async () => {
    const first = await takeNew(backups, 'c1', FILES);
    await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    const archive = { form: 'zip', sha256: sha256('c2'), bytes: 1000 } as const;
    for (const again of [
      { exportId: 'export-c2', account: 'other' },
      { archive, exportId: undefined },
      { exportId: undefined, exportTime: NEXT_DAY.exportTime + 400 },
    ]) {
      assert.deepEqual(await take(backups, 'c3', FILES, { ...NEXT_DAY, ...again }), { kind: 'duplicate', of: first });
    }
    assert.equal((await readdir(records())).length, 1);
  });

  it('comes to the same result when its commit is done again', async () => {
    await takeNew(backups, 'c1', FILES);
    const result = await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    assert.deepEqual(await take(backups, 'c2', FILES, NEXT_DAY), result);
    assert.deepEqual(await readdir(join(backups.path, '.chatkeep/staging')), []);
  });

  it('is listed with the snapshot that it equals, and is neither a stranger nor in the way of “latest”', async () => {
    const first = await takeNew(backups, 'c1', FILES);
    const one = await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    const two = await takeUnchanged(backups, 'c3', FILES, { exportTime: EXPORT_TIME + 2 * DAY_MS });
    const list = await listSnapshots(backups.path);
    assert.deepEqual(list.unchanged, [one, two]);
    assert.deepEqual([list.strangers, list.damaged, list.damagedRecords], [[], [], []]);
    assert.deepEqual(
      keptExports(list).map(({ kind, snapshot }) => [kind, snapshot.id]),
      [
        ['snapshot', first.id],
        ['unchanged', first.id],
        ['unchanged', first.id],
      ],
    );
    assert.equal(await readFile(join(backups.path, ACCOUNT, 'latest/chat.html'), 'utf8'), '<html>');
  });

  it('is followed by a snapshot as soon as something is different', async () => {
    await takeNew(backups, 'c1', FILES);
    await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    const changed = await takeNew(
      backups,
      'c3',
      { ...FILES, 'chat.html': 'x' },
      { exportTime: EXPORT_TIME + 2 * DAY_MS },
    );
    await takeUnchanged(backups, 'c4', { ...FILES, 'chat.html': 'x' }, { exportTime: EXPORT_TIME + 3 * DAY_MS });
    assert.equal((await backups.find({ capture: 'c4' }))?.snapshot.id, changed.id);
  });

  it('of the same second as a record, and equal to another snapshot, has a record of its own', async () => {
    await takeNew(backups, 'c1', { a: '1' });
    await takeUnchanged(backups, 'c2', { a: '1' }, { exportTime: EXPORT_TIME + 2 * DAY_MS });
    await takeNew(backups, 'c3', { a: '2' }, NEXT_DAY);
    await takeUnchanged(backups, 'c4', { a: '2' }, { exportTime: EXPORT_TIME + 2 * DAY_MS });
    assert.deepEqual(await readdir(records()), ['2026-11-23T190533Z-2.json', '2026-11-23T190533Z.json']);
    assert.equal((await listSnapshots(backups.path)).unchanged.length, 2);
  });
});

describe('an export that is taken in late', () => {
  it('makes no second snapshot if the first later one holds the same, or the one before', async () => {
    const early = await takeNew(backups, 'c1', { a: '1' });
    const late = await takeNew(backups, 'c2', { a: '2' }, { exportTime: EXPORT_TIME + 4 * DAY_MS });
    const equalTo = async (capture: string, content: string, day: number) =>
      (await takeUnchanged(backups, capture, { a: content }, { exportTime: EXPORT_TIME + day * DAY_MS })).snapshot.id;
    assert.equal(await equalTo('c3', '1', -1), early.id);
    assert.equal(await equalTo('c4', '1', 1), early.id);
    assert.equal(await equalTo('c5', '2', 2), late.id);
  });

  it('is a snapshot if only one further away holds the same: it has changed, and changed back', async () => {
    await takeNew(backups, 'c1', { a: '1' });
    await takeNew(backups, 'c2', { a: '2' }, NEXT_DAY);
    await takeNew(backups, 'c3', { a: '1' }, { exportTime: EXPORT_TIME + 2 * DAY_MS });
    assert.equal((await ids()).length, 3);
  });
});

describe('what is not called unchanged:', () => {
  const changes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'one byte of one file': { ...FILES, 'chat.html': '<htmL>' },
    'a file more': { ...FILES, 'ads.json': '' },
    'a file less': { 'chat.html': '<html>', 'conversations-000.json': '[]' },
    'the same files under other names': { ...FILES, 'chat.html': '[]', 'conversations-000.json': '<html>' },
  };
  for (const [what, files] of Object.entries(changes)) {
    it(what, async () => {
      await takeNew(backups, 'c1', FILES);
      await takeNew(backups, 'c2', files, NEXT_DAY);
      assert.equal((await ids()).length, 2);
    });
  }

  it('the same files of another account', async () => {
    await takeNew(backups, 'c1', FILES);
    await takeNew(backups, 'c2', FILES, { ...NEXT_DAY, account: 'other' });
  });

  it('an export whose like has rotted: the sound copy is kept beside it', async () => {
    const rotten = await takeNew(backups, 'c1', FILES);
    await rot(join(rotten.path, 'a/picture.png'));
    const sound = await takeNew(backups, 'c2', FILES, NEXT_DAY);
    assert.ok((await verifySnapshot(sound)).ok);
  });

  it('one whose record is there, when its snapshot has rotted since: it comes again, and is kept', async () => {
    const rotten = await takeNew(backups, 'c1', FILES);
    await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    await rot(join(rotten.path, 'chat.html'));
    const sound = await takeNew(backups, 'c3', FILES, { ...NEXT_DAY, exportId: 'export-c2' });
    assert.ok((await verifySnapshot(sound)).ok);
  });

  it('whatever differs in any way, and nothing else', async () => {
    const content = fc.dictionary(fc.constantFrom('a', 'b', 'c/d'), fc.constantFrom('', '1', '2'), { minKeys: 1 });
    await fc.assert(
      fc.asyncProperty(content, content, async (before, after) => {
        await using place = await tempDir();
        await using fresh = await open(join(place.path, 'backups'));
        await takeNew(fresh, 'c1', before);
        const { kind } = await take(fresh, 'c2', after, NEXT_DAY);
        const same = JSON.stringify(Object.entries(before).sort()) === JSON.stringify(Object.entries(after).sort());
        assert.equal(kind, same ? 'unchanged' : 'committed');
      }),
      { numRuns: 30 },
    );
  });
});

describe('the record of an unchanged export', () => {
  it('counts for nothing when its snapshot was deleted, or is another by now', async () => {
    const first = await takeNew(backups, 'c1', FILES);
    await takeNew(backups, 'c2', { a: '1' }, { exportTime: EXPORT_TIME + 2 * DAY_MS });
    await takeUnchanged(backups, 'c3', FILES, NEXT_DAY);
    await rm(first.path, { recursive: true });
    assert.equal(await backups.find({ exportId: 'export-c3' }), undefined);
    await takeNew(backups, 'c4', { b: 'of the same second' });
    assert.deepEqual(await ids(), [first.name, '2026-11-23T190533Z']);
    assert.equal(await backups.find({ exportId: 'export-c3' }), undefined);
    assert.deepEqual((await listSnapshots(backups.path)).unchanged, []);
    await takeNew(backups, 'c5', FILES, { ...NEXT_DAY, exportId: 'export-c3' });
  });

  it('is held against SHA256SUMS of its snapshot, which is read again when its size, time or file is another', async () => {
    const first = await takeNew(backups, 'c1', FILES);
    await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    const sums = join(first.path, '.chatkeep/SHA256SUMS');
    const { atime, mtime } = await stat(sums);
    const before = await readFile(sums, 'utf8');
    const listed = async () => (await listSnapshots(backups.path)).unchanged.length;
    await chmod(sums, 0o600);
    assert.equal(await listed(), 1);
    await writeFile(sums, before.toUpperCase());
    await utimes(sums, atime, new Date(mtime.getTime() + 1000));
    assert.equal(await listed(), 0, 'another time');
    await writeFile(sums, before);
    await utimes(sums, atime, mtime);
    assert.equal(await listed(), 1);
    await writeFile(sums, `${before}\n`);
    await utimes(sums, atime, mtime);
    assert.equal(await listed(), 0, 'another size');
    await writeFile(sums, before);
    await utimes(sums, atime, mtime);
    assert.equal(await listed(), 1);
    await writeFile(sums, before.toUpperCase());
    await utimes(sums, atime, mtime);
    assert.equal(await listed(), 1, 'not read again');
    await writeFile(`${sums}.new`, before.toUpperCase());
    await utimes(`${sums}.new`, atime, mtime);
    await rename(`${sums}.new`, sums);
    assert.equal(await listed(), 0, 'another file');
  });

  it('goes with its snapshot when that is deleted, and the others stay', async () => {
    const first = await takeNew(backups, 'c1', FILES);
    await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    await takeNew(backups, 'c3', { a: '1' }, { exportTime: EXPORT_TIME + 2 * DAY_MS });
    await takeUnchanged(backups, 'c4', { a: '1' }, { exportTime: EXPORT_TIME + 3 * DAY_MS });
    await backups.remove(first);
    assert.deepEqual(await readdir(records()), ['2026-11-24T190533Z.json']);
  });

  it('holds when the account’s directory was given another name', async () => {
    await takeNew(backups, 'c1', FILES);
    await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    await rename(join(backups.path, ACCOUNT), join(backups.path, 'home'));
    assert.equal((await backups.find({ exportId: 'export-c2' }))?.snapshot.account, 'home');
  });

  it('that cannot be read, or is of a newer format, is named, and hides nothing', async () => {
    await takeNew(backups, 'c1', FILES);
    await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    await writeFile(join(records(), '2026-11-23T190533Z.json'), '{');
    await writeFile(join(records(), '2026-11-24T190533Z.json'), '{"format":2}');
    const { unchanged, damagedRecords, strangers } = await listSnapshots(backups.path);
    assert.deepEqual([unchanged.length, strangers], [1, []]);
    assert.deepEqual(
      damagedRecords.map(({ problem }) => problem),
      [
        'The record of an unchanged export is not JSON.',
        'It was written by a newer Chatkeep (format 2; this one knows 1). Update Chatkeep to use it.',
      ],
    );
  });

  it('is not what somebody else has put beside it', async () => {
    await takeNew(backups, 'c1', FILES);
    await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    await mkdir(join(records(), 'mine'));
    assert.deepEqual((await listSnapshots(backups.path)).strangers, [join(records(), 'mine')]);
  });

  it('is written again when a process was killed before it had its name', async () => {
    await takeNew(backups, 'c1', FILES);
    await mkdir(records(), { recursive: true });
    await writeFile(join(backups.path, '.chatkeep/staging/unchanged.json'), '{"for', { mode: 0o400 });
    await backups[Symbol.asyncDispose]();
    backups = await open(backups.path);
    await takeUnchanged(backups, 'c2', FILES, NEXT_DAY);
    assert.deepEqual(await readdir(join(backups.path, '.chatkeep/staging')), []);
  });
});
