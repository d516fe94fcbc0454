/**
 * Takes changed exports in, one after the other: what `npm run bench -- fuzz` runs, in a process of its own for its
 * memory's sake. Argument: how many. Prints what became of them as JSON ({@link FuzzCounts}).
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { ArchiveRefusal, inspectArchive, unpackArchive } from '../src/archive/index.ts';
import { changes, mutantOf } from '../test/archive/mutants.ts';
import { createAccount, GENERATIONS, writeExport } from '../test/support/openai/exports/index.ts';
import { tempDir } from '../test/support/temp-dir.ts';

export interface FuzzCounts {
  readonly unpacked: number;
  readonly refused: Record<string, number>;
}

const BUDGETS = { maxEntries: 1000, maxUnpackedBytes: 10_000_000, maxRatio: 200 };
const SEED = 20261121;

const mutants = Number(process.argv[2]);
await using directory = await tempDir();
const [archive, target] = [join(directory.path, 'archive.zip'), join(directory.path, 'target')];
const exports: Buffer[] = [];
for (const generation of [...GENERATIONS, 'portal'] as const) {
  const account = createAccount({ seed: 'fuzz', conversations: 3 });
  await writeExport(account, { generation, stamp: new Date('2026-11-21T19:05:33Z'), to: archive });
  exports.push(await readFile(archive));
}
const counts = { unpacked: 0, refused: {} as Record<string, number> };
for (const [index, each] of fc.sample(changes, { numRuns: mutants, seed: SEED }).entries()) {
  const zip = exports[index % exports.length] ?? Buffer.alloc(0);
  await rm(target, { recursive: true, force: true });
  await mkdir(target);
  await writeFile(archive, mutantOf(zip, each));
  try {
    await unpackArchive(await inspectArchive(archive, { budgets: BUDGETS }), { target });
    counts.unpacked += 1;
  } catch (error) {
    if (!(error instanceof ArchiveRefusal)) throw new Error(`number ${index}`, { cause: error });
    counts.refused[error.reason] = (counts.refused[error.reason] ?? 0) + 1;
  }
  const around = await readdir(directory.path);
  if (around.sort().join() !== 'archive.zip,target')
    throw new Error(`number ${index} wrote beside its target: ${around}`);
}
process.stdout.write(JSON.stringify(counts satisfies FuzzCounts));
