import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { inspectArchive, unpackArchive } from '../../src/archive/index.ts';
import { sha256 } from '../../src/lib/hash.ts';
import { extraField, type RawArchive, type RawEntry, rawZip, zip64Field } from '../support/raw-zip.ts';
import { tempDir } from '../support/temp-dir.ts';

const BUDGETS = { maxEntries: 100_000, maxUnpackedBytes: 6e9, maxRatio: 2000 };

/** Prints what Python's zipfile makes of the archive: names, times and SHA-256 of all files. */
const PYTHON = `
import sys, json, zipfile, hashlib, calendar
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    print(json.dumps([[i.filename, calendar.timegm(i.date_time), hashlib.sha256(z.read(i)).hexdigest()]
                      for i in z.infolist() if not i.is_dir()]))
`;

const x: RawEntry = { name: 'user.json', content: '{}' };
const streamed = { flags: 0x0808, local: { crc32: 0, bytes: 0, packedBytes: 0, flags: 0x0808 } };
const wide = { bytes: 0xffffffff, packedBytes: 0xffffffff, extra: zip64Field(5, 5) };
const emptyBlock = Buffer.concat([Buffer.from([0, 0, 0, 0xff, 0xff]), deflateRawSync(Buffer.from('hello'))]);
const stampOf = (seconds: number) => {
  const data = Buffer.from([1, 0, 0, 0, 0]);
  data.writeInt32LE(seconds, 1);
  return extraField(0x5455, data);
};

const ODDITIES: readonly (readonly [what: string, entries: readonly RawEntry[], archive?: RawArchive])[] = [
  ['a name with spaces and a hash sign', [{ name: 'a b #1 .json', content: 'x' }]],
  ['a narrow no-break space', [{ name: 'Screenshot 7.05.33\u202fPM.png', content: 'x' }]],
  ['an emoji', [{ name: '\u{1f600}/\u{1f469}\u200d\u{1f4bb}.txt', content: 'x' }]],
  ['names of other scripts', [{ name: '写真/фото-صورة-תמונה.png', content: 'x' }]],
  ['letters with marks of their own', [{ name: 'e\u0301te\u0301.txt', content: 'x' }]],
  ['a hidden file', [{ name: '.hidden', content: 'x' }]],
  ['dots that are no way out', [{ name: '...a/..b/c..d', content: 'x' }]],
  ['a name that begins as a device', [{ name: 'console.log', content: 'x' }]],
  ['a name of 255 bytes', [{ name: 'n'.repeat(255), content: 'x' }]],
  ['thirty folders in one another', [{ name: `${'d/'.repeat(30)}x`, content: 'x' }]],
  ['an empty file', [{ name: 'empty', content: '' }]],
  ['an empty file that is stored', [{ name: 'empty', content: '', method: 0 }]],
  [
    'a folder with an entry of its own',
    [
      { name: 'a/', method: 0, mode: 0o040700 },
      { name: 'a/x', content: 'x' },
    ],
  ],
  [
    'a folder after what is in it',
    [
      { name: 'a/x', content: 'x' },
      { name: 'a/', method: 0, mode: 0o040700 },
    ],
  ],
  ['FIFO bits, as streamed archives have', [{ ...x, mode: 0o010600 }]],
  ['no file type', [{ ...x, mode: 0 }]],
  ['set-id bits, which are dropped', [{ ...x, mode: 0o106777 }]],
  ['sizes that follow the data', [{ name: 'a', content: 'hello', ...streamed }]],
  ['ZIP64 sizes', [{ name: 'a', content: 'hello', method: 0, ...wide }]],
  ['an unknown extra field', [{ ...x, extra: extraField(0xcafe, Buffer.from('?')) }]],
  ['an extended timestamp', [{ ...x, extra: stampOf(Date.UTC(2026, 10, 21, 19, 5, 32) / 1000) }]],
  ['a comment', [x], { comment: Buffer.from('made by hand') }],
  ['a comment of 65,535 bytes', [x], { comment: Buffer.alloc(65_535, 'c') }],
  ['DEFLATE with an empty block', [{ name: 'a', content: 'hello', packed: emptyBlock }]],
  [
    'DEFLATE that does not compress',
    [{ name: 'a', content: 'hello', packed: deflateRawSync(Buffer.from('hello'), { level: 0 }) }],
  ],
  ['stored and deflated side by side', [x, { name: 'b', content: 'hello', method: 0 }]],
  ['more than 4 MB, by threads', [x, { name: 'chat.html', content: Buffer.alloc(6_000_000, '<p>hello</p>') }]],
];

describe('an honest archive becomes what Python and bsdtar make of it', () => {
  for (const [what, entries, archive] of ODDITIES) {
    it(`with ${what}`, async () => {
      await using directory = await tempDir();
      const zip = join(directory.path, 'archive.zip');
      await writeFile(zip, rawZip(entries, archive));
      const target = join(directory.path, 'ours');
      await mkdir(target);
      const { files } = await unpackArchive(await inspectArchive(zip, { budgets: BUDGETS }), { target });

      const python: unknown = JSON.parse(execFileSync('python3', ['-c', PYTHON, zip], { encoding: 'utf8' }));
      assert.deepEqual(
        files.map(({ path, modified, sha256: digest }) => [path, modified / 1000, digest]),
        python,
      );

      const theirs = join(directory.path, 'bsdtar');
      await mkdir(theirs);
      execFileSync('bsdtar', ['-xf', zip, '-C', theirs], { env: { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' } });
      assert.deepEqual(await listed(target), await listed(theirs));
      assert.ok((await listed(target)).length >= files.length);
    });
  }

  it('with 66,000 files, in an archive that needs ZIP64 to count them', async () => {
    await using directory = await tempDir();
    const zip = join(directory.path, 'archive.zip');
    execFileSync('python3', [
      '-c',
      'import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as z:\n for n in range(66000): z.writestr(f"{n // 1000}/{n}", "")',
      zip,
    ]);
    assert.equal((await inspectArchive(zip, { budgets: BUDGETS })).entries.length, 66_000);
  });

  it('with a file of more than 4 GiB', async () => {
    await using directory = await tempDir();
    const zip = join(directory.path, 'archive.zip');
    execFileSync('python3', [
      '-c',
      `import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:\n with z.open("large", "w", force_zip64=True) as f:\n  for n in range(4097): f.write(bytes(1 << 20))`,
      zip,
    ]);
    const { entries } = await inspectArchive(zip, { budgets: BUDGETS });
    assert.equal(entries[0]?.bytes, 4097 * 1024 * 1024);
  });
});

/** Every file and folder, with time and content. bsdtar composes the letters of names; Python's names are compared as they are. */
async function listed(root: string): Promise<unknown[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const all = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length).normalize('NFC');
    return entry.isFile() ? [name, (await stat(path)).mtimeMs, sha256(await readFile(path))] : [name];
  });
  return (await Promise.all(all)).sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}
