import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type BodyIdentity, PartFile, partPath, recordPath } from '../../src/download/part-file.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';
import { freeBytesOf } from '../../src/lib/space.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { tempDir } from '../support/temp-dir.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { zipLike } from '../support/zip-like.ts';

const EXPORT_ID = 'export-1';
const BODY = zipLike(1000);
const IDENTITY: BodyIdentity = { etag: '"a"', total: 1000, md5: undefined };
const NO_IDENTITY: BodyIdentity = { etag: undefined, total: undefined, md5: undefined };
const MB = 1_000_000;

/** A part file in a fresh directory; the directory is gone afterwards. */
async function inDirectory(play: (target: string, directory: string) => Promise<void>): Promise<void> {
  await using directory = await tempDir();
  await play(join(directory.path, 'capture.zip'), directory.path);
}

/** The beginning of a download, left as a killed process leaves it: nothing is closed. */
async function leaveBehind(target: string, bytes: Buffer, identity: BodyIdentity = IDENTITY): Promise<AsyncDisposable> {
  const part = await PartFile.open(target, EXPORT_ID);
  await part.restart(identity);
  await part.append(bytes);
  await part.flush();
  return { [Symbol.asyncDispose]: () => part.close() };
}

/** What a new process finds. */
async function reopened(target: string, exportId = EXPORT_ID): Promise<{ received: number; identity: BodyIdentity }> {
  const part = await PartFile.open(target, exportId);
  const { received, identity } = part;
  await part.close();
  return { received, identity };
}

async function changeRecord(target: string, change: Readonly<Record<string, unknown>>): Promise<void> {
  const record: unknown = JSON.parse(await readFile(recordPath(target), 'utf8'));
  assert.ok(typeof record === 'object');
  await writeFile(recordPath(target), JSON.stringify({ ...record, ...change }));
}

describe('a download in the making', () => {
  it('begins with nothing', () =>
    inDirectory(async (target) => {
      assert.deepEqual(await reopened(target), { received: 0, identity: NO_IDENTITY });
    }));

  it('gets its final name when it is whole, private to the user, and leaves nothing else behind', () =>
    inDirectory(async (target, directory) => {
      const part = await PartFile.open(target, EXPORT_ID);
      await part.restart(IDENTITY);
      for (let at = 0; at < BODY.length; at += 300) await part.append(BODY.subarray(at, at + 300));
      assert.equal(part.received, 1000);
      await part.finish();
      await part.close();
      assert.deepEqual(await readdir(directory), ['capture.zip']);
      assert.deepEqual(await readFile(target), BODY);
      assert.equal((await stat(target)).mode & 0o777, 0o600);
      assert.deepEqual(await openFilesBelow(directory), []);
    }));

  it('is private to the user while it is made', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 300));
      for (const path of [partPath(target), recordPath(target)]) {
        assert.equal((await stat(path)).mode & 0o777, 0o600);
      }
    }));

  it('keeps what was received when it is closed', () =>
    inDirectory(async (target) => {
      const part = await PartFile.open(target, EXPORT_ID);
      await part.restart(IDENTITY);
      await part.append(BODY.subarray(0, 300));
      await part.close();
      assert.deepEqual(await reopened(target), { received: 300, identity: IDENTITY });
      assert.deepEqual(await readFile(partPath(target)), BODY.subarray(0, 300));
    }));

  it('knows its checksum and its last bytes', () =>
    inDirectory(async (target) => {
      const part = await PartFile.open(target, EXPORT_ID);
      await part.restart(IDENTITY);
      await part.append(BODY.subarray(0, 700));
      await part.append(BODY.subarray(700));
      assert.equal(await part.md5(), createHash('md5').update(BODY).digest('base64'));
      assert.deepEqual(await part.tail(10), BODY.subarray(-10));
      assert.deepEqual(await part.tail(10_000), BODY);
      await part.close();
    }));

  it('begins anew with another body', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      const part = await PartFile.open(target, EXPORT_ID);
      const other = { etag: '"b"', total: 400, md5: undefined };
      await part.restart(other);
      await part.append(zipLike(100, 1));
      await part.close();
      assert.deepEqual(await reopened(target), { received: 100, identity: other });
      assert.deepEqual(await readFile(partPath(target)), zipLike(100, 1));
    }));

  it('keeps what it learns of its body', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600), { ...IDENTITY, total: undefined });
      const part = await PartFile.open(target, EXPORT_ID);
      await part.learn(IDENTITY);
      await part.close();
      assert.deepEqual(await reopened(target), { received: 600, identity: IDENTITY });
    }));

  it('writes any pieces as they came', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 20 }),
        fc.nat(19),
        async (pieces, at) => {
          await inDirectory(async (target) => {
            const first = await PartFile.open(target, EXPORT_ID);
            await first.restart({ ...IDENTITY, total: undefined });
            for (const piece of pieces.slice(0, at)) await first.append(piece);
            await first.close();
            const second = await PartFile.open(target, EXPORT_ID);
            for (const piece of pieces.slice(at)) await second.append(piece);
            await second.finish();
            await second.close();
            assert.deepEqual(await readFile(target), Buffer.concat(pieces));
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('writes pieces larger than its buffer', () =>
    inDirectory(async (target) => {
      const body = zipLike(3 * MB);
      const part = await PartFile.open(target, EXPORT_ID);
      await part.restart({ ...IDENTITY, total: body.length });
      for (const [from, to] of [
        [0, 10],
        [10, 2 * MB],
        [2 * MB, 2 * MB + 1],
        [2 * MB + 1, 3 * MB],
      ]) {
        await part.append(body.subarray(from, to));
      }
      await part.finish();
      await part.close();
      assert.ok((await readFile(target)).equals(body));
    }));
});

describe('a download that was left behind', () => {
  it('goes on from every byte after a killed process', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      assert.deepEqual(await reopened(target), { received: 600, identity: IDENTITY });
    }));

  it('goes on from the bytes that were synced after a reboot', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      await changeRecord(target, { boot: 'another', synced: 400 });
      assert.deepEqual(await reopened(target), { received: 400, identity: IDENTITY });
    }));

  it('never believes bytes again that a reboot made doubtful', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      await changeRecord(target, { boot: 'another', synced: 400, total: null });
      const afterReboot = await PartFile.open(target, EXPORT_ID);
      await afterReboot.learn(IDENTITY);
      await afterReboot.append(BODY.subarray(400, 500));
      await afterReboot.close();
      assert.deepEqual(await reopened(target), { received: 500, identity: IDENTITY });
      assert.deepEqual(await readFile(partPath(target)), BODY.subarray(0, 500));
    }));

  it('goes on from what is there where less is there than was synced', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      await changeRecord(target, { boot: 'another', synced: 800 });
      assert.equal((await reopened(target)).received, 600);
    }));

  it('is nothing to another export', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      assert.deepEqual(await reopened(target, 'export-2'), { received: 0, identity: NO_IDENTITY });
      assert.equal((await stat(partPath(target))).size, 0);
    }));

  it('is nothing where more is there than there should be', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, Buffer.concat([BODY, BODY]));
      assert.deepEqual(await reopened(target), { received: 0, identity: NO_IDENTITY });
    }));

  it('is nothing without its record, and a record is nothing without bytes', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      const record = await readFile(recordPath(target));
      await rm(recordPath(target));
      assert.deepEqual(await reopened(target), { received: 0, identity: NO_IDENTITY });
      await rm(partPath(target));
      await writeFile(recordPath(target), record);
      assert.equal((await reopened(target)).received, 0);
    }));

  const broken: Record<string, unknown> = {
    'is empty': '',
    'was cut off': '{"exportId":"expo',
    'is another thing': '[]',
    'lacks a field': { etag: undefined },
    'counts below zero': { synced: -1 },
    'counts in fractions': { synced: 0.5 },
    'has a length below zero': { total: -1 },
    'has a wrong type': { etag: 7 },
  };
  for (const [what, change] of Object.entries(broken)) {
    it(`is nothing where its record ${what}`, () =>
      inDirectory(async (target) => {
        await using _ = await leaveBehind(target, BODY.subarray(0, 600));
        if (typeof change === 'string') await writeFile(recordPath(target), change);
        else await changeRecord(target, { boot: 'another', ...Object(change) });
        assert.deepEqual(await reopened(target), { received: 0, identity: NO_IDENTITY });
      }));
  }
});

describe('a download and a disk that fails', () => {
  const body = zipLike(3 * MB);
  const PIECE = 100_000;

  it('stops when the disk is full, tells the truth of what it has, and goes on when there is room', async () => {
    await using directory = await tempDir();
    await using _disk = await mountTmpfs(directory.path, '4m');
    const target = join(directory.path, 'capture.zip');
    const ballast = join(directory.path, 'ballast');
    await writeFile(ballast, Buffer.alloc(2.5 * MB));

    const part = await PartFile.open(target, EXPORT_ID);
    await part.restart({ ...IDENTITY, total: body.length });
    const fill = async () => {
      for (let at = 0; at < body.length; at += PIECE) await part.append(body.subarray(at, at + PIECE));
    };
    await assert.rejects(fill(), (error) => {
      assert.ok(error instanceof ChatkeepError);
      assert.equal(error.class, 'storage');
      assert.equal(error.message, `Could not write the download ${target}: the disk is full.`);
      return true;
    });
    const { received } = part;
    assert.ok(received > 0 && received < body.length);
    assert.ok((await freeBytesOf(directory.path)) >= MB, 'room is left for the journal');
    assert.deepEqual(await part.tail(received), body.subarray(0, received));
    await part.close();
    assert.equal((await readFile(partPath(target))).length, received);

    await rm(ballast);
    const again = await PartFile.open(target, EXPORT_ID);
    assert.equal(again.received, received);
    for (let at = received; at < body.length; at += PIECE) await again.append(body.subarray(at, at + PIECE));
    await again.finish();
    await again.close();
    assert.ok((await readFile(target)).equals(body));
  });

  it('goes on in the same process, too, once there is room', async () => {
    await using directory = await tempDir();
    await using _disk = await mountTmpfs(directory.path, '4m');
    const target = join(directory.path, 'capture.zip');
    const ballast = join(directory.path, 'ballast');
    await writeFile(ballast, Buffer.alloc(2.5 * MB));
    const part = await PartFile.open(target, EXPORT_ID);
    await part.restart({ ...IDENTITY, total: body.length });
    await assert.rejects(part.append(body), ChatkeepError);
    await rm(ballast);
    await part.append(body.subarray(part.received));
    await part.finish();
    await part.close();
    assert.ok((await readFile(target)).equals(body));
  });

  it('tells of a disk that is read-only, or a directory that is none', async () => {
    await using directory = await tempDir();
    await using disk = await mountTmpfs(join(directory.path, 'disk'), '1m');
    await disk.makeReadOnly();
    await assert.rejects(PartFile.open(join(directory.path, 'disk', 'capture.zip'), EXPORT_ID), {
      class: 'storage',
      message: /the file system is read-only\.$/,
    });
    await writeFile(join(directory.path, 'file'), '');
    await assert.rejects(PartFile.open(join(directory.path, 'file', 'capture.zip'), EXPORT_ID), {
      class: 'storage',
      message: /a part of the path is not a directory\.$/,
    });
  });
});
