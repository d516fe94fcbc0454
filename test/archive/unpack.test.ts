import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import {
  type ArchiveRefusalReason,
  inspectArchive,
  type UnpackOptions,
  unpackArchive,
} from '../../src/archive/index.ts';
import { nameProblem } from '../../src/archive/names.ts';
import { sha256 } from '../../src/lib/hash.ts';
import { STAMP, saveHonestZip } from '../support/honest-zip.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { type RawEntry, rawZip } from '../support/raw-zip.ts';
import { tempDir } from '../support/temp-dir.ts';
import { mountTmpfs, type Tmpfs } from '../support/tmpfs.ts';

const BUDGETS = { maxEntries: 100_000, maxUnpackedBytes: 1e9, maxRatio: 2000 };

let directory: Awaited<ReturnType<typeof tempDir>>;
let archive: string;
let target: string;
beforeEach(async () => {
  directory = await tempDir();
  archive = join(directory.path, 'archive.zip');
  target = join(directory.path, 'staging');
  await mkdir(target, { mode: 0o700 });
});
afterEach(async () => {
  const left = await openFilesBelow(directory.path);
  await directory[Symbol.asyncDispose]();
  assert.deepEqual(left, [], 'no file is left open');
});

async function unpack(options: Omit<UnpackOptions, 'target'> = {}) {
  const inspection = await inspectArchive(archive, { budgets: BUDGETS });
  return (await unpackArchive(inspection, { target, ...options })).files;
}

/** Incompressible, and the same every time. */
function noise(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let index = 0, state = 1; index < bytes; index += 1) {
    state = (state * 48271) % 2147483647;
    buffer[index] = state >> 7;
  }
  return buffer;
}

describe('unpacking', () => {
  it('gives every file byte for byte, with its hash and its time', async () => {
    const files = {
      'chat.html': '<html>'.repeat(20_000),
      'conversations-000.json': '[]',
      'a/b/Ünï #\u202f😀.dat': noise(300_000),
      'empty.json': '',
      'nothing/in/here/': '',
    };
    await saveHonestZip(archive, files);
    const unpacked = await unpack();
    assert.deepEqual(
      unpacked,
      Object.entries(files)
        .filter(([path]) => !path.endsWith('/'))
        .map(([path, content]) => ({
          path,
          bytes: Buffer.byteLength(content),
          sha256: sha256(content),
          modified: STAMP.getTime(),
        })),
    );
    for (const { path } of unpacked) {
      const { mtimeMs, mode } = await stat(join(target, path));
      assert.equal(mtimeMs, STAMP.getTime());
      assert.equal(mode & 0o777, 0o400);
    }
    assert.deepEqual(await readFile(join(target, 'a/b/Ünï #\u202f😀.dat')), files['a/b/Ünï #\u202f😀.dat']);
    assert.deepEqual(await readdir(join(target, 'nothing/in/here')), []);
  });

  it('makes directories that only the user can enter', async () => {
    await saveHonestZip(archive, { 'a/b.json': '{}' });
    await unpack();
    assert.equal((await stat(join(target, 'a'))).mode & 0o777, 0o700);
  });

  it('takes ZIP64, stored and streamed archives', async () => {
    await saveHonestZip(archive, { 'a.json': '{}' }, { zip64: true, compress: false });
    assert.equal((await unpack())[0]?.sha256, sha256('{}'));
  });

  it('tells the progress in bytes', async () => {
    await saveHonestZip(archive, { a: noise(200_000), b: noise(100_000) });
    const told: (readonly [number, number])[] = [];
    await unpack({ onProgress: (done, total) => told.push([done, total]) });
    assert.deepEqual(told.at(-1), [300_000, 300_000]);
    assert.deepEqual(
      told,
      told.toSorted(([a], [b]) => a - b),
    );
  });

  it('gives back what was packed, for any tree of names', async () => {
    const segment = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    const name = fc
      .array(segment, { minLength: 1, maxLength: 3 })
      .map((segments) => segments.join('/'))
      .filter((path) => nameProblem(path) === undefined);
    const content = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, content, { maxKeys: 6, minKeys: 1 }), async (files) => {
        await using own = await tempDir();
        const path = join(own.path, 'archive.zip');
        const into = join(own.path, 'staging');
        await mkdir(into);
        await saveHonestZip(path, files);
        const inspection = await inspectArchive(path, { budgets: BUDGETS }).catch((error: unknown) => error);
        // Names may collide; test/archive/names.test.ts holds when.
        if (inspection instanceof Error) return;
        const { files: unpacked } = await unpackArchive(await inspectArchive(path, { budgets: BUDGETS }), {
          target: into,
        });
        for (const file of unpacked) assert.deepEqual(await readFile(join(into, file.path)), files[file.path]);
        assert.equal(unpacked.length, Object.keys(files).length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('data that is not what the archive says', () => {
  const content = noise(100_000);
  const packed = deflateRawSync(content);
  const bad = (raw: Partial<RawEntry>): RawEntry => ({ name: 'a', content, ...raw });
  const cases: readonly (readonly [reason: ArchiveRefusalReason, what: string, entry: RawEntry])[] = [
    ['wrong-crc', 'a wrong checksum', bad({ crc32: 1 })],
    ['wrong-crc', 'a wrong checksum of stored data', bad({ crc32: 1, method: 0 })],
    ['wrong-size', 'more data than said', bad({ bytes: 99_999 })],
    ['wrong-size', 'less data than said', bad({ bytes: 100_001 })],
    ['wrong-size', 'bytes after the end of the packed data', bad({ packed: Buffer.concat([packed, noise(70_000)]) })],
    ['wrong-size', 'one byte after the end of the packed data', bad({ packed: Buffer.concat([packed, noise(1)]) })],
    ['corrupt-data', 'packed data that is cut off', bad({ packed: packed.subarray(0, 50_000) })],
    ['corrupt-data', 'packed data that is no DEFLATE', bad({ packed: Buffer.alloc(5000, 0xff) })],
  ];
  for (const [reason, what, entry] of cases) {
    it(`is refused as ${reason}: ${what}`, async () => {
      await writeFile(archive, rawZip([{ name: 'good.json', content: '{}' }, entry]));
      await assert.rejects(unpack(), { reason, entry: 'a', class: 'refused' });
    });
  }

  it('never writes more than the archive says', async () => {
    await writeFile(archive, rawZip([{ name: 'bomb', content: Buffer.alloc(10_000_000), bytes: 100_000 }]));
    await assert.rejects(unpack(), { reason: 'wrong-size' });
    assert.ok((await stat(join(target, 'bomb'))).size <= 100_000);
  });

  it('is refused when the archive has changed since it was inspected', async () => {
    await saveHonestZip(archive, { a: 'x' });
    const inspection = await inspectArchive(archive, { budgets: BUDGETS });
    await appendFile(archive, 'more');
    await assert.rejects(unpackArchive(inspection, { target }), { reason: 'changed' });
  });

  it('is refused when a path does not fit into the target', async () => {
    const long = `${'a234567890/'.repeat(370)}x`;
    await writeFile(archive, rawZip([{ name: long, content: 'x' }]));
    await assert.rejects(unpack(), { reason: 'path-too-long' });
  });
});

describe('the target of unpacking', () => {
  it('must be empty, so that nothing in it can be written through', async () => {
    await saveHonestZip(archive, { a: 'x' });
    await writeFile(join(target, 'other'), '');
    await assert.rejects(unpack(), /is not empty/);
  });
});

describe('an unpacking that is aborted', () => {
  it('ends with the reason of the signal, in the middle of a file', async () => {
    await saveHonestZip(archive, { a: noise(3_000_000), b: noise(3_000_000) });
    const controller = new AbortController();
    const reason = new Error('shutting down');
    const progress: number[] = [];
    await assert.rejects(
      unpack({
        signal: controller.signal,
        onProgress: (done) => {
          progress.push(done);
          controller.abort(reason);
        },
      }),
      reason,
    );
    assert.ok((progress.at(-1) ?? 0) < 3_000_000);
  });

  it('does not begin when the signal was aborted before', async () => {
    await saveHonestZip(archive, { a: 'x' });
    const reason = new Error('shutting down');
    await assert.rejects(unpack({ signal: AbortSignal.abort(reason) }), reason);
    assert.deepEqual(await readdir(target), []);
  });
});

describe('unpacking onto a disk that will not take it', () => {
  let mountDirectory: Awaited<ReturnType<typeof tempDir>>;
  let tmpfs: Tmpfs;
  let small: string;
  before(async () => {
    mountDirectory = await tempDir();
    small = join(mountDirectory.path, 'small');
    tmpfs = await mountTmpfs(small, '1m');
  });
  after(async () => {
    await tmpfs[Symbol.asyncDispose]();
    await mountDirectory[Symbol.asyncDispose]();
  });

  it('is trouble with the storage when it is full, and then when it is read-only', async () => {
    await saveHonestZip(archive, { a: noise(900_000), b: noise(900_000), c: 'x' });
    const inspection = await inspectArchive(archive, { budgets: BUDGETS });
    await mkdir(join(small, 'full'));
    await assert.rejects(unpackArchive(inspection, { target: join(small, 'full') }), {
      class: 'storage',
      message: /the disk is full/,
    });
    await mkdir(join(small, 'read-only'));
    await tmpfs.makeReadOnly();
    await assert.rejects(unpackArchive(inspection, { target: join(small, 'read-only') }), {
      class: 'storage',
      message: /read-only/,
    });
    assert.deepEqual(await openFilesBelow(small), []);
  });
});
