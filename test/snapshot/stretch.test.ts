import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../../src/lib/hash.ts';
import {
  type BackupDirectory,
  endOfStretch,
  isInStretch,
  nextStretch,
  type SnapshotInfo,
  WHOLE_CIRCLE,
} from '../../src/snapshot/index.ts';
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

describe('samples that go around', () => {
  it('read every file once in a round, whatever their share', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`f${index}`, `${index}`.repeat(1 + (index % 9))]),
    );
    const snapshots: SnapshotInfo[] = [
      await takeNew(backups, 'c1', files),
      await takeNew(backups, 'c2', { ...files, more: 'x' }, { exportTime: EXPORT_TIME + DAY_MS }),
    ];
    const contents = [...Object.values(files), 'x'].map((content) => sha256(content));
    await fc.assert(
      fc.asyncProperty(fc.nat(65_535), fc.double({ min: 0.01, max: 1, noNaN: true }), async (start, share) => {
        const timesRead = new Map<string, number>();
        let covered = 0;
        for (let from = start; covered < WHOLE_CIRCLE.length; ) {
          const stretch = await nextStretch(snapshots, { from, share });
          const read = contents.filter((content) => isInStretch(stretch, content));
          covered += stretch.length;
          if (covered <= WHOLE_CIRCLE.length)
            assert.notEqual(read.length + (covered === WHOLE_CIRCLE.length ? 1 : 0), 0);
          for (const content of read) timesRead.set(content, (timesRead.get(content) ?? 0) + 1);
          from = endOfStretch(stretch);
        }
        for (const content of contents) assert.ok((timesRead.get(content) ?? 0) >= 1);
      }),
      { numRuns: 10 },
    );
  });

  it('are of about the share that was asked for, shared files being counted once', async () => {
    const files = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`f${index}`, `${index + 1000}`]));
    const first = await takeNew(backups, 'c1', files);
    const second = await takeNew(backups, 'c2', { ...files, a: 'b' }, { exportTime: EXPORT_TIME + DAY_MS });
    const stretch = await nextStretch([first, second], { from: 0, share: 0.25 });
    const read = Object.values(files).filter((content) => isInStretch(stretch, sha256(content))).length;
    assert.ok(read >= 95 && read <= 105, `${read} of 400`);
  });

  it('go around where there is nothing at all', async () => {
    assert.deepEqual(await nextStretch([], { from: 7, share: 0.1 }), { from: 7, length: WHOLE_CIRCLE.length });
  });
});
