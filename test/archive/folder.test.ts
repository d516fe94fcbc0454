import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type ArchiveRefusalReason, inspectArchive, sha256OfArchive, unpackArchive } from '../../src/archive/index.ts';
import { sha256 } from '../../src/lib/hash.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { tempDir } from '../support/temp-dir.ts';

const BUDGETS = { maxEntries: 10, maxUnpackedBytes: 1_000_000, maxRatio: 200 };
const STAMP = new Date('2026-11-21T19:05:33.250Z');
const FILES: Readonly<Record<string, string>> = {
  'chat.html': '<html></html>',
  'user.json': '{"email":"ann@example.org"}',
  'b/image/größer #1.png': 'p'.repeat(600_000),
  'empty.json': '',
};

let directory: Awaited<ReturnType<typeof tempDir>>;
let folder: string;
let target: string;
beforeEach(async () => {
  directory = await tempDir();
  folder = join(directory.path, 'export');
  target = join(directory.path, 'staging');
  await mkdir(target);
  for (const [path, content] of Object.entries(FILES)) await put(path, content);
});
afterEach(async () => {
  const left = await openFilesBelow(directory.path);
  await directory[Symbol.asyncDispose]();
  assert.deepEqual(left, [], 'no file is left open');
});

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
  await utimes(join(folder, path), STAMP, STAMP);
}

const inspect = () => inspectArchive(folder, { budgets: BUDGETS });

describe('an unpacked export', () => {
  it('is inspected as a ZIP is: files with their sizes and times, and all directories', async () => {
    const { form, entries, directories, bytes, unpackedBytes, newestEntry } = await inspect();
    assert.equal(form, 'folder');
    assert.deepEqual(
      entries.map(({ path, bytes: size, modified }) => [path, size, modified]),
      ['b/image/größer #1.png', 'chat.html', 'empty.json', 'user.json'].map((path) => [
        path,
        FILES[path]?.length,
        STAMP.getTime(),
      ]),
    );
    assert.deepEqual([directories, newestEntry], [['b', 'b/image'], STAMP.getTime()]);
    assert.deepEqual([bytes, unpackedBytes], [600_040, 600_040]);
  });

  it('is copied byte for byte, with hashes and times, and stays as it is', async () => {
    const progress: number[] = [];
    const { files } = await unpackArchive(await inspect(), { target, onProgress: (done) => progress.push(done) });
    for (const file of files) {
      const copy = join(target, file.path);
      assert.equal(await readFile(copy, 'utf8'), FILES[file.path]);
      assert.equal(file.sha256, sha256(FILES[file.path] ?? ''));
      assert.equal((await stat(copy)).mtimeMs, STAMP.getTime());
      assert.equal(await readFile(join(folder, file.path), 'utf8'), FILES[file.path]);
    }
    assert.equal(files.length, 4);
    assert.equal(progress.at(-1), 600_040);
  });

  it('has the SHA-256 of what sha256sum says of its files, also when it is asked for alone', async () => {
    const { sha256: whole } = await unpackArchive(await inspect(), { target });
    const sums = execFileSync(
      'sh',
      ['-c', "find . -type f | sed 's|^./||' | LC_ALL=C sort | xargs -d '\\n' sha256sum"],
      {
        cwd: folder,
      },
    );
    assert.equal(whole, sha256(sums));
    assert.equal(await sha256OfArchive(folder, { budgets: BUDGETS }), whole);
  });

  it('is told from a folder with one other byte, name or file', async () => {
    const before = await sha256OfArchive(folder, { budgets: BUDGETS });
    await put('chat.html', '<html>.</html>');
    const another = await sha256OfArchive(folder, { budgets: BUDGETS });
    await put('chat.html', FILES['chat.html'] ?? '');
    assert.equal(await sha256OfArchive(folder, { budgets: BUDGETS }), before);
    await rename(join(folder, 'user.json'), join(folder, 'user2.json'));
    const renamed = await sha256OfArchive(folder, { budgets: BUDGETS });
    assert.equal(new Set([before, another, renamed]).size, 3);
  });

  it('is taken without what file managers leave in it', async () => {
    const before = await sha256OfArchive(folder, { budgets: BUDGETS });
    for (const litter of [
      '.DS_Store',
      'b/.DS_Store',
      'b/._image',
      'Thumbs.db',
      'desktop.ini',
      '__MACOSX/._chat.html',
    ]) {
      await put(litter, 'litter');
    }
    assert.equal((await inspect()).entries.length, 4);
    assert.equal(await sha256OfArchive(folder, { budgets: BUDGETS }), before);
  });

  it('may be named by a link', async () => {
    await symlink(folder, join(directory.path, 'link'));
    const inspection = await inspectArchive(join(directory.path, 'link'), { budgets: BUDGETS });
    assert.equal((await unpackArchive(inspection, { target })).files.length, 4);
  });
});

describe('a folder that is not sound', () => {
  const cases: readonly (readonly [string, ArchiveRefusalReason, () => Promise<unknown>])[] = [
    ['a link to a file', 'symbolic-link', () => symlink('/etc/passwd', join(folder, 'passwd'))],
    ['a link to a directory', 'symbolic-link', () => symlink('/etc', join(folder, 'b', 'etc'))],
    ['a pipe', 'special-file', async () => execFileSync('mkfifo', [join(folder, 'pipe')])],
    ['a name with a line break', 'control-character', () => put('a\nb', '')],
    ['a name with a backslash', 'backslash', () => put('a\\b', '')],
    ['names that differ in case alone', 'case-collision', () => put('CHAT.html', '')],
    ['a folder of our own', 'reserved-name', () => put('.chatkeep/snapshot.json', '{}')],
    [
      'too many files',
      'too-many-entries',
      async () => {
        for (let n = 0; n < 7; n += 1) await put(`${n}.json`, '');
      },
    ],
    ['too much', 'too-large', () => put('large.dat', 'x'.repeat(500_000))],
  ];
  for (const [what, reason, make] of cases) {
    it(`is refused as ${reason} for ${what}`, async () => {
      await make();
      await assert.rejects(inspect(), { reason });
    });
  }

  it('is refused when it holds nothing', async () => {
    await rm(folder, { recursive: true });
    await mkdir(folder);
    await assert.rejects(inspect(), { reason: 'no-files' });
  });
});

describe('a folder that changes after it was checked', () => {
  for (const [what, change] of [
    ['a file has grown', () => appendFile(join(folder, 'chat.html'), 'more')],
    ['a file is gone', () => rm(join(folder, 'user.json'))],
    ['a file has become another', () => writeFile(join(folder, 'chat.html'), '<HTML></HTML>')],
    [
      'a file has become a link',
      async () => {
        await rename(join(folder, 'chat.html'), join(directory.path, 'elsewhere.html'));
        await symlink(join(directory.path, 'elsewhere.html'), join(folder, 'chat.html'));
      },
    ],
    [
      'a directory has become a link',
      async () => {
        await rename(join(folder, 'b'), join(directory.path, 'elsewhere'));
        await symlink(join(directory.path, 'elsewhere'), join(folder, 'b'));
      },
    ],
  ] as const) {
    it(`is refused: ${what}`, async () => {
      const inspection = await inspect();
      await change();
      await assert.rejects(unpackArchive(inspection, { target }), { reason: 'changed' });
    });
  }
});
