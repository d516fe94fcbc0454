import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { errorCode } from '../lib/errors.ts';
import { makePrivateDirectory, writeFileDurably } from '../lib/files.ts';

const damageSchema = z.object({
  /** The snapshot's id. */
  snapshot: z.string(),
  /** POSIX, relative to the snapshot. */
  path: z.string(),
  /** What the file should have; null for what SHA256SUMS does not list. */
  sha256: z.string().nullable(),
  /** Whether people were told. */
  told: z.boolean(),
});

const recordSchema = z.object({
  format: z.literal(1),
  /** Where the next sample begins (snapshot/stretch.ts). */
  from: z.int().min(0).max(65_535),
  /** How much of the circle was read in this round. */
  covered: z.int().min(0),
  /** When the last round ended, after which every file had been read; ms UTC. */
  roundEnded: z.number().nullable(),
  /** When the service last verified, ms UTC. */
  verifiedAt: z.number().nullable(),
  /** What was wrong then. */
  damage: z.array(damageSchema),
});

export type Damage = Readonly<z.output<typeof damageSchema>>;

/** What is known of earlier verifications. It is a cache: without it, samples begin anew and damage is told again. */
export type VerificationRecord = Readonly<z.output<typeof recordSchema>>;

const NOTHING: VerificationRecord = {
  format: 1,
  from: 0,
  covered: 0,
  roundEnded: null,
  verifiedAt: null,
  damage: [],
};

/** Reads the record in the state directory; an empty one where there is none that can be understood. */
export async function readRecord(stateDir: string): Promise<VerificationRecord> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(pathIn(stateDir), 'utf8')));
  } catch (error) {
    if (errorCode(error) === 'EACCES') throw error;
    return NOTHING;
  }
}

/** Resolves when a crash can no longer lose it. */
export async function writeRecord(stateDir: string, record: VerificationRecord): Promise<void> {
  await makePrivateDirectory(stateDir);
  await writeFileDurably(pathIn(stateDir), `${JSON.stringify(record, null, 2)}\n`);
}

function pathIn(stateDir: string): string {
  return join(stateDir, 'verification.json');
}
