import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { ArchiveBytes } from '../../src/archive/archive-bytes.ts';
import { inflateTogether } from '../../src/archive/inflate-together.ts';
import { inspectZip } from '../../src/archive/inspect.ts';
import { type RawEntry, rawZip } from '../support/raw-zip.ts';
import { tempDir } from '../support/temp-dir.ts';

const BUDGETS = { maxEntries: 1000, maxUnpackedBytes: 1e9, maxRatio: 2000 };

let directory: Awaited<ReturnType<typeof tempDir>>;
beforeEach(async () => {
  directory = await tempDir();
});
afterEach(() => directory[Symbol.asyncDispose]());

/** The contents that came of the entries, or undefined if they were left to be inflated one by one. */
async function inflate(entries: readonly RawEntry[]): Promise<string[] | undefined> {
  const path = join(directory.path, 'archive.zip');
  await writeFile(path, rawZip(entries));
  const inspection = await inspectZip(path, { budgets: BUDGETS });
  using archive = new ArchiveBytes(path, inspection.bytes);
  const contents: string[] = [];
  const isDone = inflateTogether(archive, inspection.entries, (_, content) => contents.push(content.toString()));
  assert.ok(isDone || contents.length === 0, 'nothing is handed on of what is not sound');
  return isDone ? contents : undefined;
}

/** A whole member of a gzip file (RFC 1952). */
function member(content: string): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(content), 0);
  trailer.writeUInt32LE(content.length, 4);
  return Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]), deflateRawSync(content), trailer]);
}

const GOOD: readonly RawEntry[] = [
  { name: 'a', content: 'first' },
  { name: 'b', content: '' },
  { name: 'c', content: 'third '.repeat(5000) },
];

describe('small entries that are inflated together', () => {
  it('come out in turn, empty ones included', async () => {
    assert.deepEqual(await inflate(GOOD), ['first', '', 'third '.repeat(5000)]);
  });

  const honest = deflateRawSync('last');
  const trailerOf = (content: string) => member(content).subarray(-8);
  const bad: Record<string, RawEntry> = {
    'has the wrong checksum': { name: 'x', content: 'last', crc32: 1 },
    'is longer than the archive says': { name: 'x', content: 'last', bytes: 3 },
    'is shorter than the archive says': { name: 'x', content: 'last', bytes: 5 },
    'is packed in fewer bytes than the archive says': {
      name: 'x',
      content: 'last',
      packed: Buffer.concat([honest, Buffer.alloc(20, 1)]),
    },
    'is packed in fewer bytes, which look like padding': {
      name: 'x',
      content: 'last',
      packed: Buffer.concat([honest, trailerOf('last'), Buffer.alloc(20)]),
    },
    'is packed in more bytes than the archive says': { name: 'x', content: 'last', packedBytes: honest.length - 1 },
    'is two, of which the first is empty': {
      name: 'x',
      content: 'last',
      packed: Buffer.concat([deflateRawSync(''), trailerOf(''), member('last').subarray(0, -8)]),
    },
    'is two, of which the second is empty': {
      name: 'x',
      content: 'last',
      packed: Buffer.concat([honest, trailerOf('last'), member('').subarray(0, -8)]),
    },
    'is damaged': { name: 'x', content: 'last', packed: Buffer.from([0xff, 0xff, 0xff]) },
  };
  for (const [what, entry] of Object.entries(bad)) {
    for (const [place, entries] of [
      ['in the middle', [...GOOD, entry, { name: 'z', content: 'end' }]],
      ['at the end', [...GOOD, entry]],
    ] as const) {
      it(`are left alone if one ${place} ${what}`, async () => assert.equal(await inflate(entries), undefined));
    }
  }

  it('are left alone if they are too much for one call', async () => {
    const large = 'x'.repeat(3_000_000);
    assert.equal(
      await inflate([
        { name: 'a', content: large },
        { name: 'b', content: large },
      ]),
      undefined,
    );
  });
});
