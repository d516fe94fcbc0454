import assert from 'node:assert/strict';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { LocalHeaders } from '../../src/archive/local-header.ts';
import { tempDir } from '../support/temp-dir.ts';

/** The fixed part of a header that says how long its name and its extra fields are (APPNOTE 4.3.7). */
function header(nameBytes: number, extraBytes: number): Buffer {
  const fixed = Buffer.alloc(30, 0xff);
  fixed.writeUInt16LE(nameBytes, 26);
  fixed.writeUInt16LE(extraBytes, 28);
  return Buffer.concat([fixed, Buffer.alloc(nameBytes, 'n'), Buffer.alloc(extraBytes, 'x')]);
}

const length16 = fc.oneof(fc.nat(40), fc.nat(0xffff));
/** Data of small files, and of such that the next header lies far away. */
const dataBytes = fc.oneof(fc.nat(200), fc.nat(600_000));

describe('the header before the data of an entry', () => {
  let directory: Awaited<ReturnType<typeof tempDir>>;
  beforeEach(async () => {
    directory = await tempDir();
  });
  afterEach(() => directory[Symbol.asyncDispose]());

  it('comes whole, however long it is and wherever it lies', async () => {
    const layout = fc.array(fc.record({ name: length16, extra: length16, data: dataBytes }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(layout, fc.boolean(), async (parts, isBackwards) => {
        const path = join(directory.path, 'archive');
        const starts: number[] = [];
        const pieces: Buffer[] = [];
        let bytes = 0;
        for (const { name, extra, data } of parts) {
          starts.push(bytes);
          const piece = Buffer.concat([header(name, extra), Buffer.alloc(data)]);
          pieces.push(piece);
          bytes += piece.length;
        }
        await writeFile(path, Buffer.concat(pieces));
        await using file = await open(path);
        const headers = new LocalHeaders(file);
        const order = isBackwards ? [...parts.keys()].reverse() : [...parts.keys()];
        for (const at of order) {
          const start = starts[at] ?? 0;
          const found = headers.known(start) ?? (await headers.read(start));
          assert.ok(found.equals(header(parts[at]?.name ?? 0, parts[at]?.extra ?? 0)));
        }
      }),
      { numRuns: 50 },
    );
  });

  for (const { title, apart, count, mostBytes, mostReads } of [
    { title: 'alone where pictures lie between', apart: 150_000, count: 100, mostBytes: 100 * 512, mostReads: 100 },
    {
      title: 'with many others in an archive of small files',
      apart: 1000,
      count: 2000,
      mostBytes: 2.5e6,
      mostReads: 15,
    },
  ]) {
    it(`is read ${title}`, async (t) => {
      const path = join(directory.path, 'archive');
      const piece = Buffer.concat([header(20, 10), Buffer.alloc(apart - 60)]);
      await writeFile(path, Buffer.concat(Array.from({ length: count }, () => piece)));
      await using file = await open(path);
      const read = t.mock.method(file, 'read');
      const headers = new LocalHeaders(file);
      for (let at = 0; at < count; at += 1) {
        const found = headers.known(at * apart) ?? (await headers.read(at * apart));
        assert.ok(found.equals(header(20, 10)));
      }
      const lengths = read.mock.calls.map((call) => Number((call.arguments as readonly unknown[])[2]));
      assert.ok(lengths.length <= mostReads, `${lengths.length} reads`);
      assert.ok(lengths.reduce((sum, length) => sum + length, 0) <= mostBytes);
    });
  }

  it('is shorter where the archive ends before', async () => {
    const path = join(directory.path, 'archive');
    await writeFile(path, header(100, 50).subarray(0, 90));
    await using file = await open(path);
    const headers = new LocalHeaders(file);
    assert.equal((await headers.read(0)).length, 90);
    assert.equal((await headers.read(80)).length, 10);
    assert.equal((await headers.read(1000)).length, 0);
  });
});
