import assert from 'node:assert/strict';
import { chmod, link, lstat, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { sha256 } from '../../src/lib/hash.ts';
import { type BackupDirectory, listSnapshots, verifySnapshot } from '../../src/snapshot/index.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { tempDir } from '../support/temp-dir.ts';
import { DAY_MS, EXPORT_TIME, open, sha256sumCheck, stage, take, takeNew } from './support.ts';

const ACCOUNT = 'ann@example.org';
const NAME = '2026-11-21T190533Z';

let directory: Awaited<ReturnType<typeof tempDir>>;
let backups: BackupDirectory;
beforeEach(async () => {
  directory = await tempDir();
  backups = await open(join(directory.path, 'backups'));
});
afterEach(async () => {
  await backups[Symbol.asyncDispose]();
  const left = await openFilesBelow(directory.path);
  await directory[Symbol.asyncDispose]();
  assert.deepEqual(left, [], 'no file is left open');
});

const inode = async (path: string) => (await stat(path)).ino;
const stagingRoot = () => join(backups.path, '.chatkeep/staging');

describe('a committed snapshot', () => {
  const files = { 'chat.html': '<html>', 'conversations-000.json': '[]', 'a/b/c #\u202f😀.json': '{}' };

  it('lies under its account and the time of its export, with the files as they were', async () => {
    const snapshot = await takeNew(backups, 'c1', files);
    assert.equal(snapshot.id, `${ACCOUNT}/${NAME}`);
    assert.equal(snapshot.path, join(backups.path, ACCOUNT, NAME));
    assert.equal(await readFile(join(snapshot.path, 'a/b/c #\u202f😀.json'), 'utf8'), '{}');
    assert.deepEqual(await readdir(stagingRoot()), []);
  });

  it('is read-only, and private to the user', async () => {
    const { path } = await takeNew(backups, 'c1', files);
    const mode = async (name: string) => ((await stat(join(path, name))).mode & 0o777).toString(8);
    assert.deepEqual(await Promise.all(['', 'a', 'a/b', '.chatkeep', '..'].map(mode)), Array(5).fill('700'));
    const all = ['chat.html', 'a/b/c #\u202f😀.json', '.chatkeep/SHA256SUMS', '.chatkeep/snapshot.json'];
    assert.deepEqual(await Promise.all(all.map(mode)), Array(4).fill('400'));
  });

  it('keeps the times of its files', async () => {
    const draft = await stage(backups, 'c1', { a: 'x' });
    const before = await stat(join(stagingRoot(), 'c1', 'a'));
    await backups.commit(draft);
    assert.equal((await stat(join(backups.path, ACCOUNT, NAME, 'a'))).mtimeMs, before.mtimeMs);
  });

  it('can be verified with sha256sum alone, whatever its files are called', async () => {
    const { path } = await takeNew(backups, 'c1', {
      ...files,
      'back\\slash': '1',
      'line\nbreak': '2',
      'carriage\rreturn': '3',
      ' leading space': '4',
      '*star': '5',
      '-dash': '6',
    });
    const lines = (await sha256sumCheck(path)).trimEnd().split('\n');
    assert.equal(lines.filter((line) => line.endsWith(': OK')).length, 9);
  });

  it('says what it is in snapshot.json', async () => {
    const { path } = await takeNew(backups, 'c1', files, {
      source: { kind: 'notice', mailbox: 'home', messageId: '<1@example.org>', receivedAt: EXPORT_TIME + 1000 },
      describe: async () => ({
        counts: { conversations: 2 },
        findings: ['export_manifest.json speaks of a file that is not there.'],
      }),
    });
    assert.deepEqual(JSON.parse(await readFile(join(path, '.chatkeep/snapshot.json'), 'utf8')), {
      format: 1,
      id: `${ACCOUNT}/${NAME}`,
      capture: 'c1',
      account: 'Ann@example.org',
      exportId: 'export-c1',
      exportTime: '2026-11-21T19:05:33.000Z',
      takenAt: '2026-11-21T19:06:33.000Z',
      source: {
        kind: 'notice',
        mailbox: 'home',
        messageId: '<1@example.org>',
        receivedAt: '2026-11-21T19:05:34.000Z',
      },
      archive: { sha256: sha256('c1'), bytes: 1000 },
      files: 3,
      linkedFiles: 0,
      bytes: 10,
      counts: { conversations: 2 },
      findings: ['export_manifest.json speaks of a file that is not there.'],
    });
  });

  it('holds no link, even where a finding does', async () => {
    const { path } = await takeNew(backups, 'c1', files, {
      describe: async () => ({
        counts: {},
        findings: ['odd answer from https://chatgpt.com/backend-api/x?sig=hunter2'],
      }),
    });
    assert.doesNotMatch(await readFile(join(path, '.chatkeep/snapshot.json'), 'utf8'), /hunter2/);
  });

  it('is found, with the same metadata, by listing', async () => {
    const snapshot = await takeNew(backups, 'c1', files);
    assert.deepEqual((await listSnapshots(backups.path)).snapshots, [snapshot]);
  });

  it('is found by its capture, its export and its archive', async () => {
    const { id } = await takeNew(backups, 'c1', files);
    assert.equal((await backups.find({ capture: 'c1' }))?.snapshot.id, id);
    assert.equal((await backups.find({ exportId: 'export-c1' }))?.snapshot.id, id);
    assert.equal((await backups.find({ archiveSha256: sha256('c1') }))?.snapshot.id, id);
    assert.equal(await backups.find({ capture: 'c2', exportId: undefined }), undefined);
  });
});

describe('a second commit', () => {
  it('of the same capture gives the snapshot that is there', async () => {
    const first = await takeNew(backups, 'c1', { a: 'x' });
    assert.deepEqual(await take(backups, 'c1', { a: 'x' }), { kind: 'committed', snapshot: first });
    assert.deepEqual(await readdir(stagingRoot()), []);
  });

  const same: readonly (readonly [what: string, changes: object])[] = [
    ['export', { exportId: 'export-c1', exportTime: EXPORT_TIME + DAY_MS, account: 'other' }],
    ['archive', { archive: { form: 'zip', sha256: sha256('c1'), bytes: 1000 }, exportTime: EXPORT_TIME + DAY_MS }],
    ['account, moment and content', { exportId: undefined, exportTime: EXPORT_TIME + 400 }],
  ];
  it('of an export whose snapshot has rotted is no duplicate: the sound copy is kept beside it', async () => {
    const rotten = await takeNew(backups, 'c1', { a: 'x' });
    await chmod(join(rotten.path, 'a'), 0o600);
    await writeFile(join(rotten.path, 'a'), '!');
    const sound = await takeNew(backups, 'c2', { a: 'x' }, { exportId: 'export-c1' });
    assert.equal(sound.name, `${NAME}-2`);
    assert.ok((await verifySnapshot(sound)).ok);
    const third = await take(backups, 'c3', { a: 'x' }, { exportId: 'export-c1' });
    assert.deepEqual(third, { kind: 'duplicate', of: sound });
  });

  for (const [what, changes] of same) {
    it(`of the same ${what} is a duplicate, and its staging directory is gone`, async () => {
      const first = await takeNew(backups, 'c1', { a: 'x', b: 'y' });
      assert.deepEqual(await take(backups, 'c2', { b: 'y', a: 'x' }, changes), { kind: 'duplicate', of: first });
      assert.deepEqual(await readdir(stagingRoot()), []);
      assert.equal((await listSnapshots(backups.path)).snapshots.length, 1);
    });
  }

  it('of the same moment and other content gets a name of its own', async () => {
    await takeNew(backups, 'c1', { a: 'x' });
    assert.equal((await takeNew(backups, 'c2', { a: 'y' })).name, `${NAME}-2`);
    assert.equal((await takeNew(backups, 'c3', { a: 'x', b: '' })).name, `${NAME}-3`);
    assert.equal(await readlink(join(backups.path, ACCOUNT, 'latest')), `${NAME}-3`);
  });

  it('at the same time waits for the first', async () => {
    const drafts = await Promise.all(['c1', 'c2', 'c3'].map((capture) => stage(backups, capture, { a: capture })));
    const results = await Promise.all(drafts.map((draft) => backups.commit(draft)));
    assert.deepEqual(
      results.map((result) => (result.kind === 'committed' ? result.snapshot.name : 'duplicate')),
      [NAME, `${NAME}-2`, `${NAME}-3`],
    );
  });

  it('takes a name that a stranger has not taken', async () => {
    await mkdir(join(backups.path, ACCOUNT, NAME), { recursive: true });
    assert.equal((await takeNew(backups, 'c1', { a: 'x' })).name, `${NAME}-2`);
  });
});

describe('an unchanged file', () => {
  it("is one with the earlier snapshot's, of the same name or of another", async () => {
    const first = await takeNew(backups, 'c1', { 'a.json': 'same', 'b.json': 'old', 'sub/c.json': 'moved' });
    const files = { 'a.json': 'same', 'b.json': 'new', 'd.json': 'moved', 'twice.json': 'moved' };
    const second = await takeNew(backups, 'c2', files, { exportTime: EXPORT_TIME + DAY_MS });
    const at = (snapshot: typeof first, path: string) => inode(join(snapshot.path, path));
    assert.equal(await at(second, 'a.json'), await at(first, 'a.json'));
    assert.equal(await at(second, 'd.json'), await at(first, 'sub/c.json'));
    assert.equal(await at(second, 'twice.json'), await at(first, 'sub/c.json'));
    assert.notEqual(await at(second, 'b.json'), await at(first, 'b.json'));
    assert.equal((await verifySnapshot(second)).ok, true);
    assert.deepEqual(await readdir(join(second.path, '.chatkeep')), ['SHA256SUMS', 'snapshot.json']);
  });

  it('is not shared with another account', async () => {
    const first = await takeNew(backups, 'c1', { a: 'same' });
    const second = await takeNew(backups, 'c2', { a: 'same' }, { account: 'other', exportTime: EXPORT_TIME + DAY_MS });
    assert.notEqual(await inode(join(second.path, 'a')), await inode(join(first.path, 'a')));
  });

  it('is shared with the first later snapshot where there is none earlier', async () => {
    const later = await takeNew(backups, 'c1', { a: 'same', b: 'new' }, { exportTime: EXPORT_TIME + DAY_MS });
    const earlier = await takeNew(backups, 'c2', { a: 'same' });
    assert.equal(await inode(join(earlier.path, 'a')), await inode(join(later.path, 'a')));
  });

  it('stays a good copy when the earlier one has rotted on the disk', async () => {
    const first = await takeNew(backups, 'c1', { a: 'same', b: 'gone' });
    await chmod(join(first.path, 'a'), 0o600);
    await writeFile(join(first.path, 'a'), 'rott');
    await rm(join(first.path, 'b'));
    const files = { a: 'same', b: 'gone' };
    const second = await takeNew(backups, 'c2', files, { exportTime: EXPORT_TIME + DAY_MS });
    assert.equal((await verifySnapshot(second)).ok, true);
    assert.equal(await readFile(join(second.path, 'a'), 'utf8'), 'same');
  });

  it('does not mind a commit that was cut short after linking', async () => {
    const first = await takeNew(backups, 'c1', { a: 'same' });
    const draft = await stage(backups, 'c2', { a: 'same', b: 'new' }, { exportTime: EXPORT_TIME + DAY_MS });
    const staging = join(stagingRoot(), 'c2');
    await rm(join(staging, 'a'));
    await link(join(first.path, 'a'), join(staging, 'a'));
    await mkdir(join(staging, '.chatkeep'));
    await writeFile(join(staging, '.chatkeep/SHA256SUMS'), 'half', { mode: 0o400 });
    await writeFile(join(staging, '.chatkeep/link-7'), '');
    const result = await backups.commit(draft);
    assert.ok(result.kind === 'committed');
    assert.equal((await verifySnapshot(result.snapshot)).ok, true);
  });
});

describe('the link "latest"', () => {
  const latest = () => readlink(join(backups.path, ACCOUNT, 'latest'));

  it('points at the newest export, not at the last that was committed', async () => {
    await takeNew(backups, 'c1', { a: '1' });
    assert.equal(await latest(), NAME);
    await takeNew(backups, 'c2', { a: '2' }, { exportTime: EXPORT_TIME + DAY_MS });
    await takeNew(backups, 'c3', { a: '3' }, { exportTime: EXPORT_TIME - DAY_MS });
    assert.equal(await latest(), '2026-11-22T190533Z');
  });

  it('never stands in the way of a commit', async () => {
    await mkdir(join(backups.path, ACCOUNT, 'latest', 'mine'), { recursive: true });
    assert.equal((await takeNew(backups, 'c1', { a: '1' })).name, NAME);
    assert.ok((await lstat(join(backups.path, ACCOUNT, 'latest'))).isDirectory());
  });
});

describe('a draft that is not what was staged', () => {
  it('is not committed when a file is missing, too many, of another size, or a link', async () => {
    const spoil: readonly ((staging: string) => Promise<void>)[] = [
      (staging) => rm(join(staging, 'a')),
      (staging) => writeFile(join(staging, 'more'), ''),
      (staging) => writeFile(join(staging, 'a'), 'longer than it was'),
      async (staging) => {
        await rm(join(staging, 'a'));
        await symlink('/etc/passwd', join(staging, 'a'));
      },
    ];
    for (const change of spoil) {
      const draft = await stage(backups, 'c1', { a: 'x' });
      await change(join(stagingRoot(), 'c1'));
      await assert.rejects(backups.commit(draft), /The staging directory/);
    }
    assert.deepEqual((await listSnapshots(backups.path)).snapshots, []);
  });

  it('is not committed when one of very many files is of another size, and is when that was mended', async () => {
    const files = Object.fromEntries(Array.from({ length: 1_200 }, (_, n) => [`folder-${n % 7}/${n}`, 'x']));
    const draft = await stage(backups, 'c1', files);
    const file = join(stagingRoot(), 'c1', 'folder-3/1011');
    await writeFile(file, 'longer');
    await assert.rejects(
      backups.commit(draft),
      /The staging directory holds what the draft does not: .*folder-3\/1011/,
    );
    await chmod(file, 0o600);
    await writeFile(file, 'x');
    const result = await backups.commit(draft);
    assert.ok(result.kind === 'committed');
    assert.equal((await stat(join(result.snapshot.path, 'folder-3/1011'))).mode & 0o777, 0o400);
    assert.deepEqual((await verifySnapshot(result.snapshot)).problems, []);
  });

  it('cannot name a directory outside', async () => {
    await assert.rejects(backups.createStaging('../../x'), /Not a capture id/);
    await assert.rejects(backups.quarantine('/tmp/x.zip', '../x'), /Not a capture id/);
  });
});

describe('a commit that is aborted', () => {
  it('ends with the reason, commits nothing, and can be tried again', async () => {
    await takeNew(backups, 'c1', { a: 'same' });
    const draft = await stage(backups, 'c2', { a: 'same', b: 'new' }, { exportTime: EXPORT_TIME + DAY_MS });
    const reason = new Error('shutting down');
    await assert.rejects(backups.commit(draft, { signal: AbortSignal.abort(reason) }), reason);
    assert.equal((await listSnapshots(backups.path)).snapshots.length, 1);
    assert.equal((await backups.commit(draft)).kind, 'committed');
  });
});
