import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { ArchiveRefusal, inspectArchive, unpackArchive } from '../../src/archive/index.ts';
import { sha256 } from '../../src/lib/hash.ts';
import { createAccount, writeExport } from '../support/openai/exports/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { changes, mutantOf } from './mutants.ts';
import { UNSAFE_ZIPS } from './unsafe-zips.ts';

const BUDGETS = { maxEntries: 1000, maxUnpackedBytes: 10_000_000, maxRatio: 200 };

let directory: Awaited<ReturnType<typeof tempDir>>;
let archive: string;
let target: string;
before(async () => {
  directory = await tempDir();
  archive = join(directory.path, 'archive.zip');
  target = join(directory.path, 'backups', 'staging', 'capture');
  await mkdir(join(directory.path, 'backups', 'account'), { recursive: true });
  await writeFile(join(directory.path, 'backups', 'account', 'user.json'), 'an older one');
});
after(() => directory[Symbol.asyncDispose]());

/** What lies around the target, with its content. */
async function surroundings(): Promise<string[]> {
  const entries = await readdir(directory.path, { recursive: true, withFileTypes: true });
  const outside = entries
    .filter((entry) => !join(entry.parentPath, entry.name).startsWith(`${target}/`))
    .map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return entry.isFile() ? `${path} ${sha256(await readFile(path))}` : path;
    });
  return (await Promise.all(outside)).sort();
}

/** Unpacks `zip` into a fresh target; nothing else may have changed afterwards, whatever happens. */
async function tryOut(zip: Buffer): Promise<unknown> {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true, mode: 0o700 });
  await writeFile(archive, zip);
  const before = await surroundings();
  const outcome = await inspectArchive(archive, { budgets: BUDGETS })
    .then((inspection) => unpackArchive(inspection, { target }))
    .catch((error: unknown) => error);
  assert.deepEqual(await surroundings(), before, 'nothing was written outside of the target');
  return outcome;
}

describe('an unsafe archive writes nothing outside of the target', () => {
  for (const [reason, what, zip] of UNSAFE_ZIPS) {
    it(`and is refused: ${what}`, async () => {
      const outcome = await tryOut(zip);
      assert.ok(outcome instanceof ArchiveRefusal, String(outcome));
      assert.equal(outcome.reason, reason);
      assert.deepEqual(await readdir(target), [], 'nothing was written at all');
    });
  }
});

describe('a real export that was changed at random', () => {
  let zip: Buffer;
  before(async () => {
    const path = join(directory.path, 'export.zip');
    await writeExport(createAccount({ seed: 'fuzz', conversations: 3 }), {
      generation: 'G4',
      stamp: new Date('2026-11-21T19:05:33Z'),
      to: path,
    });
    zip = await readFile(path);
    await rm(path);
  });

  it('is unpacked or refused with a reason, and never anything else', async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (all) => {
        const outcome = await tryOut(mutantOf(zip, all));
        assert.ok(!(outcome instanceof Error) || outcome instanceof ArchiveRefusal, String(outcome));
      }),
      { numRuns: 150, seed: 20261121 },
    );
  });
});
