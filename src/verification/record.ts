import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../lib/errors.ts';
import { makePrivateDirectory, writeFileDurably } from '../lib/files.ts';

const recordSchema = z.object({
  format: z.literal(1),
  /** Where the next sample begins (snapshot/stretch.ts). */
  from: z.int().min(0).max(65_535),
  /** How much of the circle was read since `roundBegan`. */
  covered: z.int().min(0),
  /** When the present round through all files began; ms UTC. */
  roundBegan: z.number().nullable(),
  /** When the last round ended, after which every file had been read once; ms UTC. */
  roundEnded: z.number().nullable(),
  /** When the service last verified, ms UTC. */
  verifiedAt: z.number().nullable(),
  /** What was wrong then: `<snapshot> <kind> <path>`. */
  damage: z.array(z.string()),
  /** What of it people were told. */
  told: z.array(z.string()),
});

/** What is known of earlier verifications. It is a cache: without it, samples begin anew and damage is told again. */
export type VerificationRecord = Readonly<z.output<typeof recordSchema>>;

const NOTHING: VerificationRecord = {
  format: 1,
  from: 0,
  covered: 0,
  roundBegan: null,
  roundEnded: null,
  verifiedAt: null,
  damage: [],
  told: [],
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
