import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { ArchiveRefusal, inspectArchive, unpackArchive } from '../../../src/archive/index.ts';
import type { ZipEntry } from '../../../src/archive/inspect.ts';
import { doInThreads } from '../../../src/archive/unpacking/crew.ts';
import { packFailure, unpackFailure } from '../../../src/archive/unpacking/failure.ts';
import { planJobs } from '../../../src/archive/unpacking/job.ts';
import { sha256 } from '../../../src/lib/hash.ts';
import { saveHonestZip } from '../../support/honest-zip.ts';
import { openFilesBelow } from '../../support/open-files.ts';
import { rawZip } from '../../support/raw-zip.ts';
import { tempDir } from '../../support/temp-dir.ts';

const BUDGETS = { maxEntries: 100_000, maxUnpackedBytes: 1e9, maxRatio: 2000 };

let directory: Awaited<ReturnType<typeof tempDir>>;
let archive: string;
let target: string;
beforeEach(async () => {
  directory = await tempDir();
  archive = join(directory.path, 'archive.zip');
  target = join(directory.path, 'staging');
  await mkdir(target);
});
afterEach(async () => {
  const left = await openFilesBelow(directory.path);
  await directory[Symbol.asyncDispose]();
  assert.deepEqual(left, [], 'no file is left open');
});

const inspect = () => inspectArchive(archive, { budgets: BUDGETS });
const text = (seed: number, bytes: number) =>
  Buffer.alloc(bytes, `{"message": ${seed}, "text": "hello ${seed * 7}"}\n`);

describe('an archive that several threads unpack', () => {
  it('becomes the same as one that is unpacked alone, with the SHA-256 of each file and of the archive', async () => {
    const files: Record<string, Buffer> = { 'chat.html': text(1, 9_000_000), 'empty.json': Buffer.alloc(0) };
    for (let n = 0; n < 300; n += 1) files[`folder-${n % 7}/file-${n}.json`] = text(n, (n * 7919) % 40_000);
    for (const size of [1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1]) files[`edge-${size}`] = text(3, size);
    await saveHonestZip(archive, files);
    const unpacked = await unpackArchive(await inspect(), { target });
    assert.equal(unpacked.sha256, sha256(await readFile(archive)));
    assert.deepEqual(
      unpacked.files.map(({ path, sha256: digest }) => [path, digest]),
      Object.entries(files).map(([path, content]) => [path, sha256(content)]),
    );
    for (const [path, content] of Object.entries(files)) {
      assert.ok((await readFile(join(target, path))).equals(content), path);
    }
  });

  it('may be stored as it is', async () => {
    const files = { a: text(1, 3_000_000), b: text(2, 4_000_000) };
    await saveHonestZip(archive, files, { compress: false });
    const unpacked = await unpackArchive(await inspect(), { target });
    assert.deepEqual(
      unpacked.files.map(({ sha256: digest }) => digest),
      [sha256(files.a), sha256(files.b)],
    );
  });

  it('is refused for the entry that is damaged, wherever it lies', async () => {
    const good = Array.from({ length: 200 }, (_, n) => ({ name: `${n}`, content: text(n, 30_000) }));
    await writeFile(
      archive,
      rawZip([
        ...good,
        { name: 'bad', content: text(9, 2_000_000), crc32: 1 },
        ...good.map((e) => ({ ...e, name: `z${e.name}` })),
      ]),
    );
    await assert.rejects(unpackArchive(await inspect(), { target }), {
      reason: 'wrong-crc',
      entry: 'bad',
      class: 'refused',
    });
  });

  it('is refused when it has another size than when it was inspected, by every thread alike', async () => {
    await saveHonestZip(archive, { a: text(1, 5_000_000), b: text(2, 5_000_000) });
    const inspection = await inspect();
    await writeFile(archive, 'no more');
    await assert.rejects(unpackArchive(inspection, { target }), { reason: 'changed' });
  });

  it('leaves the event loop free meanwhile', async () => {
    await saveHonestZip(archive, { a: text(1, 40_000_000), b: text(2, 40_000_000) });
    const inspection = await inspect();
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await unpackArchive(inspection, { target });
    clearInterval(timer);
    assert.ok(turns > 5, `only ${turns} turns`);
  });
});

describe('an unpacking in threads that cannot go on', () => {
  /** The threads that were started since, and those of them that have ended. */
  function watchThreads(t: TestContext): { readonly started: Set<Worker>; readonly ended: Set<Worker> } {
    const seen = { started: new Set<Worker>(), ended: new Set<Worker>() };
    function note(thread: Worker): void {
      seen.started.add(thread);
      thread.once('exit', () => seen.ended.add(thread));
    }
    process.on('worker', note);
    t.after(() => process.off('worker', note));
    return seen;
  }

  it('tells the reason when a thread runs out of memory, and nothing else ends', async (t) => {
    const { started, ended } = watchThreads(t);
    await saveHonestZip(archive, { a: text(1, 5_000_000), b: text(2, 5_000_000) });
    const inspection = await inspect();
    const task = { form: 'zip', archive, bytes: inspection.bytes, target } as const;
    // A list that grows beyond what V8 may take in a thread, while it arrives there.
    const path = 'x'.repeat(10_000);
    const entries = Array.from({ length: 20_000 }, () => ({ ...inspection.entries[0], path })) as ZipEntry[];
    const jobs = [{ kind: 'zip-entries', entries }, { kind: 'archive-hash' }] as const;
    await assert.rejects(doInThreads(task, jobs, { signal: undefined, onBytes: () => {} }), {
      code: 'ERR_WORKER_OUT_OF_MEMORY',
    });
    assert.ok(started.size > 0);
    assert.deepEqual(ended, started);

    assert.equal((await unpackArchive(inspection, { target })).files.length, 2);
  });

  it('ends all threads when it is aborted, in the middle of their files', async (t) => {
    await saveHonestZip(archive, { a: text(1, 40_000_000), b: text(2, 40_000_000) });
    const inspection = await inspect();
    const { started, ended } = watchThreads(t);
    const stop = new AbortController();
    const reason = new Error('enough');
    let bytes = 0;
    const unpacking = unpackArchive(inspection, {
      target,
      signal: stop.signal,
      onProgress(bytesDone) {
        bytes = bytesDone;
        stop.abort(reason);
      },
    });
    await assert.rejects(unpacking, reason);
    assert.ok(started.size > 0);
    assert.deepEqual(ended, started, 'none goes on');
    assert.ok(bytes < inspection.unpackedBytes, 'not all was unpacked before');
  });

  it('ends all threads when one entry is refused', async (t) => {
    await writeFile(
      archive,
      rawZip([
        { name: 'long', content: text(1, 40_000_000) },
        { name: 'bad', content: text(9, 2_000_000), crc32: 1 },
      ]),
    );
    const inspection = await inspect();
    const { started, ended } = watchThreads(t);
    await assert.rejects(unpackArchive(inspection, { target }), { reason: 'wrong-crc' });
    assert.ok(started.size > 0);
    assert.deepEqual(ended, started);
  });
});

describe('a plan of jobs', () => {
  it('has every entry once, the longest job first, and small neighbours together', async () => {
    const files: Record<string, Buffer> = {};
    for (let n = 0; n < 250; n += 1) files[`${n}`] = text(n, 10);
    files.large = text(1, 3_000_000);
    await saveHonestZip(archive, files);
    const inspection = await inspect();
    const jobs = planJobs(inspection);
    const lists = jobs.map((job) => (job.kind === 'zip-entries' ? job.entries.map(({ path }) => path) : [job.kind]));
    assert.deepEqual(lists[0], ['large']);
    assert.deepEqual(lists.flat().sort(), [...Object.keys(files), 'archive-hash'].sort());
    assert.ok(lists.length < 10);
  });
});

describe('an error that comes out of a thread', () => {
  it('is the same refusal, or has the same code', () => {
    const refusal = new ArchiveRefusal('wrong-crc', 'The entry "a" is damaged.', { entry: 'a' });
    const { reason, message, entry } = unpackFailure(packFailure(refusal)) as ArchiveRefusal;
    assert.deepEqual([reason, message, entry], ['wrong-crc', 'The entry "a" is damaged.', 'a']);
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    assert.equal((unpackFailure(packFailure(full)) as NodeJS.ErrnoException).code, 'ENOSPC');
  });
});
