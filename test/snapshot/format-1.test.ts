import assert from 'node:assert/strict';
import { cp, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '../../src/lib/logger.ts';
import { prune } from '../../src/retention/index.ts';
import { allSnapshots, listSnapshots, restoreSnapshot, verifySnapshot } from '../../src/snapshot/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { assertWholeSnapshot, hashesOf } from '../support/world.ts';
import { open, sha256sumCheck, takeNew } from './support.ts';

/** Snapshots as version 0.1.0 has committed them. They stay as they are for good: people have such directories. */
const FIXTURE = fileURLToPath(new URL('../fixtures/format-1', import.meta.url));
const OLDEST = 'ada@example.test/2026-03-01T081500Z';
const MIDDLE = 'ada@example.test/2026-03-08T081500Z';
const NEWEST = 'ada@example.test/2026-06-01T081500Z';

let directory: Awaited<ReturnType<typeof tempDir>>;
let backups: string;
beforeEach(async () => {
  directory = await tempDir();
  backups = join(directory.path, 'backups');
  await cp(FIXTURE, backups, { recursive: true, verbatimSymlinks: true });
});
afterEach(() => directory[Symbol.asyncDispose]());

describe('a backup directory of format 1', () => {
  it('is listed, with what the snapshots say of themselves', async () => {
    const { snapshots, damaged, strangers } = await listSnapshots(backups);
    assert.deepEqual([damaged, strangers], [[], []]);
    assert.deepEqual(
      snapshots.map(({ id }) => id),
      [OLDEST, MIDDLE, NEWEST],
    );
    assert.deepEqual(snapshots[0]?.meta, {
      format: 1,
      id: OLDEST,
      capture: '58a5430de55f',
      account: 'ada@example.test',
      exportTime: Date.UTC(2026, 2, 1, 8, 15),
      takenAt: Date.UTC(2026, 10, 27, 1, 5, 32, 82),
      source: { kind: 'file', name: '1.zip' },
      archive: { sha256: 'c667421b5d36140700a2526615954563c0bc8f8a3b2f66c78dd50f8b5b68a7e6', bytes: 57_351 },
      files: 14,
      bytes: 199_199,
      linkedFiles: 0,
      counts: {
        conversations: 2,
        messages: 53,
        userMessages: 24,
        assistantMessages: 27,
        voiceConversations: 0,
        branches: 7,
        images: 5,
        audio: 0,
        videos: 0,
        otherAssets: 0,
        missingAssets: 0,
        incompleteFiles: 0,
        unreadFiles: 0,
        unreadConversations: 0,
        unreadMessages: 0,
      },
      findings: [],
    });
  });

  it('is verified, by Chatkeep and by sha256sum', async () => {
    for (const snapshot of (await listSnapshots(backups)).snapshots) {
      assert.deepEqual((await verifySnapshot(snapshot)).problems, []);
      assert.match(await sha256sumCheck(snapshot.path), /chat\.html: OK/);
    }
  });

  it('is restored', async () => {
    const list = await listSnapshots(backups);
    const [snapshot] = list.snapshots;
    assert.ok(snapshot !== undefined);
    const target = join(directory.path, '2026-03-01T081500Z');
    assert.equal((await restoreSnapshot(snapshot, target, { backups, snapshots: allSnapshots(list) })).ok, true);
    await assertWholeSnapshot(target);
    assert.deepEqual(await hashesOf(target), await hashesOf(snapshot.path));
  });

  it('takes a new snapshot, which shares the files that are the same', async () => {
    await using directoryOfOld = await open(backups);
    const html = await readFile(join(backups, NEWEST, 'chat.html'), 'utf8');
    const taken = await takeNew(
      directoryOfOld,
      'c1',
      { 'chat.html': html },
      { account: 'ada@example.test', exportTime: Date.UTC(2026, 6, 1) },
    );
    assert.equal(taken.meta.linkedFiles, 1);
    assert.equal((await stat(join(backups, NEWEST, 'chat.html'))).nlink, 2);
  });

  it('is pruned of what later snapshots hold, and of nothing else', async () => {
    await using directoryOfOld = await open(backups);
    const { decisions } = await prune(directoryOfOld, {
      policy: { last: 1 },
      stateDir: join(directory.path, 'state'),
      logger: silentLogger,
      signal: AbortSignal.timeout(300_000),
    });
    assert.deepEqual(
      decisions.map(({ kind, snapshot }) => [kind, snapshot.id]),
      [
        ['go', OLDEST],
        ['keep', MIDDLE],
        ['keep', NEWEST],
      ],
    );
    assert.equal(await readlink(join(backups, 'ada@example.test/latest')), '2026-06-01T081500Z');
    await assertWholeSnapshot(join(backups, MIDDLE));
  });
});
