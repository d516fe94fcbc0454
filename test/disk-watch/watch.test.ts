import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Journal, openSqliteJournal, Recorder } from '../../src/capture/index.ts';
import { DiskWatch, diskReports } from '../../src/disk-watch/index.ts';
import { DAY_MS } from '../../src/lib/clock.ts';
import { listSnapshots } from '../../src/snapshot/index.ts';
import { writeSnapshot } from '../support/snapshot-on-disk.ts';
import { tempDir } from '../support/temp-dir.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { TEST_START_MS as START, VirtualClock } from '../support/virtual-clock.ts';

const MB = 1_000_000;

describe('The watch over the disks', () => {
  it('tells that a disk gets full, that it is, and that there is room again, each once over restarts', async () => {
    await using directory = await tempDir();
    const [stateDir, backupDir] = [join(directory.path, 'state'), join(directory.path, 'backups')];
    // 64 MiB, of which 8 MiB are left for the work; an export takes 10 MB of it while it is downloaded.
    await using _disk = await mountTmpfs(stateDir, '64m');
    await mkdir(backupDir);
    await writeSnapshot(backupDir, 'ann@example.org', START, {}, 10 * MB);
    await using journal = openSqliteJournal(join(directory.path, 'journal.sqlite'));
    const clock = new VirtualClock();
    const look = async () => {
      for (let restart = 0; restart < 2; restart += 1) await watch(journal, clock, backupDir, stateDir).look();
    };
    const fill = (mb: number) => writeFile(join(stateDir, 'filling'), Buffer.alloc(mb * MB));

    await look();
    assert.deepEqual(await told(journal), []);
    await fill(42);
    await look();
    assert.deepEqual(await told(journal), ['disk-low low']);
    await fill(52);
    await look();
    await clock.advance(7 * DAY_MS);
    await look();
    assert.deepEqual(await told(journal), ['disk-low low', 'disk-low full', 'disk-low full']);
    await fill(42);
    await look();
    assert.equal((await told(journal)).length, 3);
    await rm(join(stateDir, 'filling'));
    await look();
    assert.deepEqual((await told(journal)).slice(3), ['recovered enough']);
  });

  it('asks for room for the archive and for its content where both lie on one disk', async () => {
    await using directory = await tempDir();
    const [stateDir, backupDir] = [join(directory.path, 'state'), join(directory.path, 'backups')];
    await mkdir(stateDir);
    await mkdir(backupDir);
    const { meta } = await writeSnapshot(backupDir, 'ann@example.org', START, {}, 10 * MB);
    const { snapshots } = await listSnapshots(backupDir);
    const reports = await diskReports({ backupDir, stateDir }, snapshots);
    assert.deepEqual(
      reports.map(({ path, need }) => [path, need]),
      [[backupDir, 10 * MB + meta.bytes]],
    );
  });
});

function watch(journal: Journal, clock: VirtualClock, backupDir: string, stateDir: string): DiskWatch {
  const recorder = new Recorder({ journal, recipientsOf: () => ['told'], onRecorded: () => {} });
  return new DiskWatch({ journal, recorder, backupDir, stateDir, settings: { warnFreePercent: 0 }, clock });
}

async function told(journal: Journal): Promise<string[]> {
  const due = await journal.due(Number.MAX_SAFE_INTEGER, ['told']);
  return due.map(({ message }) => `${message.event} ${message.data.state}`);
}
