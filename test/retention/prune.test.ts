import assert from 'node:assert/strict';
import { chmod, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../../src/lib/hash.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { type KeepPolicy, type PruneOptions, planPruneOf, prune } from '../../src/retention/index.ts';
import { type BackupDirectory, listSnapshots, type SnapshotInfo, verifySnapshot } from '../../src/snapshot/index.ts';
import { unpackedExport } from '../chatgpt/unpacked.ts';
import { open, take } from '../snapshot/support.ts';
import { type AccountModel, createAccount, type Generation, nextExport } from '../support/openai/exports/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { filesBelow } from '../support/world.ts';

let directory: Awaited<ReturnType<typeof tempDir>>;
let backups: BackupDirectory;
beforeEach(async () => {
  directory = await tempDir();
  backups = await open(join(directory.path, 'backups'));
});
afterEach(async () => {
  await backups[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const options = (policy: KeepPolicy, more: Partial<PruneOptions> = {}): PruneOptions => ({
  policy,
  stateDir: join(directory.path, 'state'),
  logger: silentLogger,
  signal: AbortSignal.timeout(300_000),
  ...more,
});

/** A conversation of G4 (full) with one message for each text. */
function conversation(id: string, ...texts: string[]): object {
  const message = (text: string, index: number) => ({
    id: `m${index}`,
    parent: index === 0 ? null : `m${index - 1}`,
    children: index === texts.length - 1 ? [] : [`m${index + 1}`],
    message: {
      id: `${id}-m${index}`,
      author: { role: 'user' },
      content: { content_type: 'text', parts: [text] },
      metadata: {},
    },
  });
  return {
    id,
    conversation_id: id,
    title: id,
    current_node: `m${texts.length - 1}`,
    mapping: Object.fromEntries(texts.map((text, index) => [`m${index}`, message(text, index)])),
  };
}

let captures = 0;

/** A snapshot of the day, as an export of that day would bring it. */
async function snapshotOf(
  day: number,
  conversations: readonly object[],
  files: Readonly<Record<string, string>> = {},
): Promise<SnapshotInfo> {
  captures += 1;
  const result = await take(
    backups,
    `p${captures}`,
    { 'conversations.json': JSON.stringify(conversations), 'chat.html': `<html>${day}`, 'user.json': '{}', ...files },
    { account: 'ann', exportTime: Date.UTC(2026, 0, day) },
  );
  if (result.kind !== 'committed') throw new Error('a duplicate');
  return result.snapshot;
}

async function names(): Promise<string[]> {
  return (await listSnapshots(backups.path)).snapshots.map(({ name }) => name.slice(8, 10));
}

async function spoil(path: string): Promise<void> {
  await chmod(path, 0o600);
  await writeFile(path, `${await readFile(path, 'utf8')} `);
}

const A = conversation('a', 'one', 'two');

describe('pruning', () => {
  it('deletes what later snapshots hold, and keeps what is found nowhere else', async () => {
    await snapshotOf(1, [A, conversation('b', 'deleted later')]);
    await snapshotOf(2, [A], { 'file-abc-picture.png': 'pixels' });
    await snapshotOf(3, [A], { 'file-abc-picture.png': 'pixels' });
    await snapshotOf(4, [A]);
    await snapshotOf(5, [A]);
    const plan = await planPruneOf(backups.path, options({ last: 1 }));
    assert.deepEqual(await names(), ['01', '02', '03', '04', '05'], 'a plan changes nothing');
    const done = await prune(backups, options({ last: 1 }));
    assert.deepEqual(done.decisions, plan.decisions);
    assert.deepEqual(
      done.decisions.map((decision) => (decision.kind === 'keep' ? decision.reasons.join() : 'go')),
      [
        'holds 1 conversation found nowhere else',
        'go',
        'holds 1 image found nowhere else',
        'one of the 2 newest',
        'newest,last',
      ],
    );
    assert.deepEqual(await names(), ['01', '03', '04', '05']);
    for (const snapshot of (await listSnapshots(backups.path)).snapshots)
      assert.equal((await verifySnapshot(snapshot)).ok, true);
  });

  it('tells apart versions of one message, and does not mind where a file lies or what it is called', async () => {
    await snapshotOf(1, [conversation('a', 'one', 'two')], { 'file-abc-a.png': 'pixels' });
    await snapshotOf(2, [conversation('a', 'one', 'TWO')], { 'file_abc.dat': 'pixels' });
    await snapshotOf(3, [conversation('a', 'one', 'TWO')], { 'x/file_abc.dat': 'pixels' });
    await snapshotOf(4, [conversation('a', 'one', 'TWO')], { 'file_abc.dat': 'pixels' });
    const { decisions } = await prune(backups, options({ last: 1 }));
    assert.deepEqual(
      decisions.map((decision) => (decision.kind === 'keep' ? decision.reasons[0] : 'go')),
      ['holds 1 message found nowhere else', 'go', 'one of the 2 newest', 'newest'],
    );
  });

  it('keeps a snapshot that could not be read in full, unless it is insisted on', async () => {
    await snapshotOf(1, [A, { mapping: 7 }]);
    await snapshotOf(2, [A]);
    await snapshotOf(3, [A]);
    const { decisions } = await prune(backups, options({ last: 1 }));
    assert.deepEqual(decisions[0]?.kind === 'keep' && decisions[0].reasons, [
      'what is in it could not be read in full',
    ]);
    await prune(backups, options({ last: 1 }, { evenIfUnique: true }));
    assert.deepEqual(await names(), ['02', '03']);
  });

  it('keeps each account to itself', async () => {
    await snapshotOf(1, [A]);
    await snapshotOf(2, [A]);
    captures += 1;
    const files = { 'conversations.json': JSON.stringify([A]) };
    await take(backups, `p${captures}`, files, { account: 'work', exportTime: Date.UTC(2026, 0, 3) });
    const { decisions } = await prune(backups, options({ last: 1 }));
    assert.ok(decisions.every(({ kind }) => kind === 'keep'));
    assert.equal((await prune(backups, options({ last: 1 }, { account: 'ann' }))).decisions.length, 2);
  });

  it('deletes nothing for the sake of a snapshot whose own copy is damaged', async () => {
    const first = await snapshotOf(1, [A], { 'file-abc-a.png': 'pixels' });
    const second = await snapshotOf(2, [A, conversation('b', 'new')]);
    const third = await snapshotOf(3, [A, conversation('b', 'newer')], { 'file-abc-b.png': 'pixels' });
    await planPruneOf(backups.path, options({ last: 1 }));
    // Not a hard link to the first one's, since the snapshot between did not have it.
    await spoil(join(third.path, 'file-abc-b.png'));
    const { decisions } = await prune(backups, options({ last: 1 }));
    assert.deepEqual(decisions[0]?.kind === 'keep' && decisions[0].reasons, ['holds 1 image found nowhere else']);
    await spoil(join(third.path, 'conversations.json'));
    await spoil(join(second.path, 'conversations.json'));
    const again = await prune(backups, options({ last: 1 }));
    assert.deepEqual(again.decisions[0]?.kind === 'keep' && again.decisions[0].reasons, [
      'holds 1 conversation and 1 image found nowhere else',
    ]);
    assert.equal((await verifySnapshot(first)).ok, true);
  });

  it('takes stock of a snapshot once, and anew when the state directory is gone', async () => {
    const read: string[] = [];
    const onReading = ({ name }: { name: string }) => read.push(name.slice(8, 10));
    for (const day of [1, 2, 3]) await snapshotOf(day, [A, conversation('b', `${day}`)]);
    await planPruneOf(backups.path, options({ last: 1 }, { onReading }));
    const first = read.splice(0);
    assert.deepEqual(first.toSorted(), ['01', '02', '03']);
    await planPruneOf(backups.path, options({ last: 1 }, { onReading }));
    assert.deepEqual(read, []);
    await rm(join(directory.path, 'state'), { recursive: true });
    await planPruneOf(backups.path, options({ last: 1 }, { onReading }));
    assert.deepEqual(read, first);
  });

  it('forgets what it knew of snapshots that are gone, and leaves the rest of the state directory alone', async () => {
    for (const day of [1, 2, 3]) await snapshotOf(day, [A, conversation('b', 'same')], { 'x.json': `${day}` });
    await prune(backups, options({ last: 1 }));
    await prune(backups, options({ last: 1 }, { evenIfUnique: true }));
    assert.equal((await names()).length, 2);
    const kept = (await readdir(join(directory.path, 'state/inventories'))).filter((name) => name.endsWith('.jsonl'));
    assert.ok(kept.length <= 2);
  });

  it('stops when it is told, and is gone on with the next time', async () => {
    for (const day of [1, 2, 3, 4]) await snapshotOf(day, [A]);
    const stop = new AbortController();
    const stopping: BackupDirectory = {
      ...backups,
      path: backups.path,
      async remove(snapshot) {
        await backups.remove(snapshot);
        stop.abort(new Error('enough'));
      },
    };
    await assert.rejects(prune(stopping, options({ last: 1 }, { signal: stop.signal })), /enough/);
    assert.deepEqual(await names(), ['02', '03', '04']);
    await prune(backups, options({ last: 1 }));
    assert.deepEqual(await names(), ['03', '04']);
  });
});

/** What a naive reader finds in all snapshots: ids of conversations and messages, and the contents of files. */
async function heldIn(root: string): Promise<string[]> {
  const held = new Set<string>();
  for (const path of await filesBelow(root)) {
    if (path.includes('.chatkeep/') || path.endsWith('/latest')) continue;
    const content = await readFile(join(root, path));
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (/^conversations(-\d+)?\.json$/.test(name)) {
      for (const each of JSON.parse(content.toString())) {
        const id = each.conversation_id ?? each.id;
        held.add(`conversation ${id}`);
        for (const { message } of Object.values<{ message: { id: string } | null }>(each.mapping))
          if (message !== null) held.add(`message ${id} ${message.id}`);
      }
    } else if (/^file[-_]|\.(png|jpg|webp|wav|mp3|mp4|dat)$/.test(name)) held.add(`file ${sha256(content)}`);
  }
  return [...held].sort();
}

interface Step {
  readonly add: number;
  readonly change: number;
  readonly gone: number;
  readonly generation: Generation;
}

describe('pruning histories of real exports', () => {
  it('loses no conversation, message or file: G4 and G5, deletions, changes, and exports taken in out of order', async () => {
    const step = fc.record({
      add: fc.nat(2),
      change: fc.nat(2),
      gone: fc.nat(1),
      generation: fc.constantFrom<Generation>('G4', 'G4', 'G5'),
    });
    const runs = fc.array(step, { minLength: 4, maxLength: 5 });
    let gone = 0;
    await fc.assert(
      fc.asyncProperty(runs, fc.infiniteStream(fc.nat()), async (steps, dice) => {
        await backups[Symbol.asyncDispose]();
        await rm(join(directory.path, 'backups'), { recursive: true });
        backups = await open(join(directory.path, 'backups'));
        for (const { day, model, generation } of shuffled(historyOf(steps), dice))
          await keepExport(day, model, generation);
        const before = await heldIn(backups.path);
        const { decisions } = await prune(backups, options({ last: 1 }));
        gone += decisions.filter(({ kind }) => kind === 'go').length;
        assert.deepEqual(await heldIn(backups.path), before);
      }),
      // A chosen one: four histories at random may hold nothing that can go.
      { numRuns: 4, seed: 20261121 },
    );
    assert.ok(gone > 0, 'nothing was to go in any history: this shows nothing');
  });
});

interface Export {
  readonly day: number;
  readonly model: AccountModel;
  readonly generation: Generation;
}

function historyOf(steps: readonly Step[]): Export[] {
  let model = createAccount({ seed: 'prune', conversations: 4 });
  return steps.map(({ add, change, gone, generation }, index) => {
    const day = index + 1;
    if (index > 0) {
      const deleted = Math.min(gone, model.conversations.length);
      const changed = Math.min(change, model.conversations.length - deleted);
      model = nextExport(model, { seed: `${index}`, add, change: changed, delete: deleted });
    }
    return { day, model, generation };
  });
}

function shuffled<T>(items: readonly T[], dice: Iterable<number>): T[] {
  const left = [...items];
  const order: T[] = [];
  for (const die of dice) {
    if (left.length === 0) break;
    order.push(...left.splice(die % left.length, 1));
  }
  return order;
}

async function keepExport(day: number, model: AccountModel, generation: Generation): Promise<void> {
  await using unpacked = await unpackedExport(model, generation);
  captures += 1;
  const staging = await backups.createStaging(`p${captures}`);
  await cp(unpacked.path, staging, { recursive: true });
  const files = await Promise.all(
    (await filesBelow(staging)).map(async (path) => {
      const content = await readFile(join(staging, path));
      return { path, bytes: content.length, sha256: sha256(content) };
    }),
  );
  await backups.commit({
    capture: `p${captures}`,
    account: 'ann',
    exportId: `p${captures}`,
    exportTime: Date.UTC(2026, 0, day),
    source: { kind: 'file', name: 'export.zip' },
    archive: { form: 'zip', sha256: sha256(`p${captures}`), bytes: 1000 },
    files,
    describe: async () => ({ counts: {}, findings: [] }),
    takenAt: Date.UTC(2026, 0, day),
  });
}
