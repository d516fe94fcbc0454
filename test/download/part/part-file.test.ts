import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type BodyIdentity, UNKNOWN } from '../../../src/download/part/identity.ts';
import { PartFile, partPath, progressPath, recordPath } from '../../../src/download/part/part-file.ts';
import { ChatkeepError } from '../../../src/lib/errors.ts';
import { freeBytesOf } from '../../../src/lib/space.ts';
import { openFilesBelow } from '../../support/open-files.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { mountTmpfs } from '../../support/tmpfs.ts';
import { zipLike } from '../../support/zip-like.ts';

const EXPORT_ID = 'export-1';
const BODY = zipLike(1000);
const IDENTITY: BodyIdentity = { etag: '"a"', total: 1000, md5: undefined };
const MB = 1_000_000;

/** A part file in a fresh directory; the directory is gone afterwards. */
async function inDirectory(play: (target: string, directory: string) => Promise<void>): Promise<void> {
  await using directory = await tempDir();
  await play(join(directory.path, 'capture.zip'), directory.path);
}

/** Writes bytes to where they belong, in pieces if told. */
async function put(part: PartFile, bytes: Uint8Array, position = 0, pieceBytes = bytes.length): Promise<void> {
  const writer = part.writerAt(position);
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) await writer.append(bytes.subarray(at, at + pieceBytes));
  } finally {
    await writer.close();
  }
}

/** The beginning of a download, left as a killed process leaves it: nothing is closed. */
async function leaveBehind(target: string, bytes: Buffer, identity: BodyIdentity = IDENTITY): Promise<AsyncDisposable> {
  const part = await PartFile.open(target, EXPORT_ID);
  await part.restart(identity);
  await put(part, bytes);
  return { [Symbol.asyncDispose]: () => part.close() };
}

/** What a killed process leaves when the machine is started anew: the progress is of another boot. */
async function reboot(target: string, synced: readonly (readonly [number, number])[]): Promise<void> {
  await writeFile(progressPath(target), JSON.stringify({ boot: 'another', written: [[0, 600]] }));
  await changeRecord(target, { synced });
}

/** What a new process finds. */
async function reopened(target: string, exportId = EXPORT_ID): Promise<{ received: number; identity: BodyIdentity }> {
  const part = await PartFile.open(target, exportId);
  const { received, identity } = part;
  await part.close();
  return { received, identity };
}

/** What a new process finds wanting. */
async function missingOf(target: string): Promise<{ start: number; end: number }[]> {
  const part = await PartFile.open(target, EXPORT_ID);
  const { missing } = part;
  await part.close();
  return missing;
}

async function changeRecord(target: string, change: Readonly<Record<string, unknown>>): Promise<void> {
  const record: unknown = JSON.parse(await readFile(recordPath(target), 'utf8'));
  assert.ok(typeof record === 'object');
  await writeFile(recordPath(target), JSON.stringify({ ...record, ...change }));
}

describe('a download in the making', () => {
  it('begins with nothing', () =>
    inDirectory(async (target) => {
      assert.deepEqual(await reopened(target), { received: 0, identity: UNKNOWN });
    }));

  it('gets its final name when it is whole, private to the user, and leaves nothing else behind', () =>
    inDirectory(async (target, directory) => {
      const part = await PartFile.open(target, EXPORT_ID);
      await part.restart(IDENTITY);
      await put(part, BODY, 0, 300);
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
      for (const path of [partPath(target), recordPath(target), progressPath(target)]) {
        assert.equal((await stat(path)).mode & 0o777, 0o600);
      }
    }));

  it('keeps what was received when it is closed', () =>
    inDirectory(async (target) => {
      const part = await PartFile.open(target, EXPORT_ID);
      await part.restart(IDENTITY);
      await put(part, BODY.subarray(0, 300));
      await part.close();
      assert.deepEqual(await reopened(target), { received: 300, identity: IDENTITY });
      assert.deepEqual(await readFile(partPath(target)), BODY.subarray(0, 300));
    }));

  it('knows its checksum and its last bytes', () =>
    inDirectory(async (target) => {
      const part = await PartFile.open(target, EXPORT_ID);
      await part.restart(IDENTITY);
      await put(part, BODY.subarray(700), 700);
      await put(part, BODY.subarray(0, 700));
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
      await put(part, zipLike(100, 1));
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

  it('is whole when all its stretches have been written, in whatever order and pieces, in however many goes', async () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: BODY.length - 1 }), { maxLength: 12 });
    const order = fc.array(fc.nat());
    await fc.assert(
      fc.asyncProperty(
        cuts,
        order,
        fc.integer({ min: 1, max: 400 }),
        fc.nat(12),
        async (at, keys, pieceBytes, goes) => {
          const bounds = [0, ...at.toSorted((a, b) => a - b), BODY.length];
          const stretches = bounds
            .slice(1)
            .map((end, index) => ({ start: bounds[index] ?? 0, end, key: keys[index] ?? 0 }))
            .toSorted((a, b) => a.key - b.key);
          await inDirectory(async (target) => {
            let part = await PartFile.open(target, EXPORT_ID);
            await part.restart(IDENTITY);
            for (const [index, { start, end }] of stretches.entries()) {
              if (index === goes) {
                await part.close();
                part = await PartFile.open(target, EXPORT_ID);
              }
              const before = part.missing;
              await put(part, BODY.subarray(start, end), start, pieceBytes);
              assert.ok(before.some((gap) => gap.start <= start && gap.end >= end));
              assert.equal(
                part.received,
                stretches.slice(0, index + 1).reduce((sum, one) => sum + one.end - one.start, 0),
              );
            }
            assert.deepEqual(part.missing, []);
            await part.finish();
            await part.close();
            assert.deepEqual(await readFile(target), BODY);
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('takes in what several writers bring at once', () =>
    inDirectory(async (target) => {
      const body = zipLike(8 * MB);
      const part = await PartFile.open(target, EXPORT_ID);
      await part.restart({ ...IDENTITY, total: body.length });
      const starts = [0, 2 * MB, 4 * MB, 6 * MB];
      await Promise.all(starts.map((start) => put(part, body.subarray(start, start + 2 * MB), start, 10_007)));
      await part.finish();
      await part.close();
      assert.ok((await readFile(target)).equals(body));
    }));

  it('counts what has arrived and is not written yet, and holds back half a megabyte of it at most', () =>
    inDirectory(async (target) => {
      const part = await PartFile.open(target, EXPORT_ID);
      await part.restart({ ...IDENTITY, total: 8 * MB });
      const writers = [part.writerAt(0), part.writerAt(4 * MB)];
      for (let brought = 100_000; brought <= 4 * MB; brought += 100_000) {
        for (const writer of writers) await writer.append(Buffer.alloc(100_000));
        assert.equal(part.received, 2 * brought);
        const written = 8 * MB - part.missing.reduce((sum, { start, end }) => sum + end - start, 0);
        assert.ok(written >= part.received - 512 * 1024, `${written} of ${part.received} are written`);
      }
      for (const writer of writers) await writer.close();
      await part.close();
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
      await reboot(target, [[0, 400]]);
      assert.deepEqual(await reopened(target), { received: 400, identity: IDENTITY });
    }));

  it('never believes bytes again that a reboot made doubtful', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      await reboot(target, [[0, 400]]);
      await changeRecord(target, { total: null });
      const afterReboot = await PartFile.open(target, EXPORT_ID);
      await afterReboot.learn(IDENTITY);
      await put(afterReboot, BODY.subarray(400, 500), 400);
      await afterReboot.close();
      assert.deepEqual(await reopened(target), { received: 500, identity: IDENTITY });
      assert.deepEqual(await readFile(partPath(target)), BODY.subarray(0, 500));
    }));

  it('goes on from what is there where less is there than was synced', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      await reboot(target, [[0, 800]]);
      assert.equal((await reopened(target)).received, 600);
    }));

  it('never claims again what was lost, when the file grows beyond it', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      await reboot(target, [[0, 800]]);
      const part = await PartFile.open(target, EXPORT_ID);
      await put(part, BODY.subarray(900), 900);
      await part.close();
      await rm(progressPath(target));
      assert.deepEqual(await missingOf(target), [{ start: 600, end: 1000 }]);
    }));

  it('goes on with the stretches that are there', () =>
    inDirectory(async (target) => {
      const part = await PartFile.open(target, EXPORT_ID);
      await part.restart(IDENTITY);
      await put(part, BODY.subarray(300, 400), 300);
      await put(part, BODY.subarray(800, 900), 800);
      const gaps = [
        { start: 0, end: 300 },
        { start: 400, end: 800 },
        { start: 900, end: 1000 },
      ];
      assert.deepEqual(await missingOf(target), gaps);
      await part.close();
      await reboot(target, [
        [300, 400],
        [800, 900],
      ]);
      assert.deepEqual(await missingOf(target), gaps);
    }));

  it('goes on from what was synced where nothing tells what was written', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      await changeRecord(target, { synced: [[100, 200]] });
      for (const progress of ['', '{"boot":', '[]', '{"boot":1,"written":[]}']) {
        await writeFile(progressPath(target), progress);
        assert.deepEqual(await missingOf(target), [
          { start: 0, end: 100 },
          { start: 200, end: 1000 },
        ]);
        await rm(progressPath(target));
        await writeFile(partPath(target), BODY.subarray(0, 600));
      }
    }));

  it('of an earlier version begins anew', () =>
    inDirectory(async (target) => {
      await writeFile(partPath(target), BODY.subarray(0, 600));
      const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
      const record = { exportId: EXPORT_ID, etag: '"a"', total: 1000, md5: null, synced: 600, boot };
      await writeFile(recordPath(target), JSON.stringify(record));
      assert.deepEqual(await reopened(target), { received: 0, identity: UNKNOWN });
    }));

  it('is nothing to another export', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      assert.deepEqual(await reopened(target, 'export-2'), { received: 0, identity: UNKNOWN });
      assert.equal((await stat(partPath(target))).size, 0);
    }));

  it('is nothing where more is there than there should be', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY);
      await changeRecord(target, { total: 999 });
      assert.deepEqual(await reopened(target), { received: 0, identity: UNKNOWN });
    }));

  it('is nothing without its record, and a record is nothing without bytes', () =>
    inDirectory(async (target) => {
      await using _ = await leaveBehind(target, BODY.subarray(0, 600));
      const record = await readFile(recordPath(target));
      await rm(recordPath(target));
      assert.deepEqual(await reopened(target), { received: 0, identity: UNKNOWN });
      await rm(partPath(target));
      await writeFile(recordPath(target), record);
      assert.equal((await reopened(target)).received, 0);
    }));

  const broken: Record<string, unknown> = {
    'is empty': '',
    'was cut off': '{"exportId":"expo',
    'is another thing': '[]',
    'lacks a field': { etag: undefined },
    'counts below zero': { synced: [[-1, 5]] },
    'counts in fractions': { synced: [[0, 0.5]] },
    'has half a stretch': { synced: [[0]] },
    'has a length below zero': { total: -1 },
    'has a wrong type': { etag: 7 },
  };
  for (const [what, change] of Object.entries(broken)) {
    it(`is nothing where its record ${what}`, () =>
      inDirectory(async (target) => {
        await using _ = await leaveBehind(target, BODY.subarray(0, 600));
        if (typeof change === 'string') await writeFile(recordPath(target), change);
        else await changeRecord(target, Object(change));
        assert.deepEqual(await reopened(target), { received: 0, identity: UNKNOWN });
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
    await assert.rejects(put(part, body, 0, PIECE), (error) => {
      assert.ok(error instanceof ChatkeepError);
      assert.equal(error.class, 'storage');
      assert.equal(error.message, `Could not write the download ${target}: the disk is full.`);
      return true;
    });
    await part.close();
    assert.ok((await freeBytesOf(directory.path)) >= MB, 'room is left for the journal');
    const kept = (await readFile(partPath(target))).length;
    assert.ok(kept > 0 && kept < body.length);

    await rm(ballast);
    const again = await PartFile.open(target, EXPORT_ID);
    assert.equal(again.received, kept);
    assert.deepEqual(await again.tail(kept), body.subarray(0, kept));
    await put(again, body.subarray(kept), kept, PIECE);
    await again.finish();
    await again.close();
    assert.ok((await readFile(target)).equals(body));
  });

  it('gives room back at its end only', async () => {
    await using directory = await tempDir();
    await using _disk = await mountTmpfs(directory.path, '4m');
    const target = join(directory.path, 'capture.zip');
    const part = await PartFile.open(target, EXPORT_ID);
    await part.restart({ ...IDENTITY, total: 100 * MB });
    await put(part, body.subarray(0, MB));
    await assert.rejects(put(part, Buffer.alloc(4 * MB), 90 * MB), ChatkeepError);
    await part.close();
    const [inTheMiddle, atTheEnd] = await missingOf(target);
    assert.deepEqual(inTheMiddle, { start: MB, end: 90 * MB });
    assert.equal(atTheEnd?.start, (await stat(partPath(target))).size);
  });

  it('stores nothing more once it has failed to', async () => {
    await using directory = await tempDir();
    await using _disk = await mountTmpfs(directory.path, '4m');
    const target = join(directory.path, 'capture.zip');
    const part = await PartFile.open(target, EXPORT_ID);
    await part.restart({ ...IDENTITY, total: 100 * MB });
    await assert.rejects(put(part, Buffer.alloc(5 * MB)), ChatkeepError);
    await assert.rejects(put(part, Buffer.alloc(10)), { class: 'storage' });
    await part.close();
    assert.deepEqual(await openFilesBelow(directory.path), []);
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
