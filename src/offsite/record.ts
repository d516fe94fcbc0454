import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { errorCode } from '../lib/errors.ts';
import { makePrivateDirectory, PRIVATE_FILE_MODE, writeFileDurably } from '../lib/files.ts';

const time = z.number().nullable();

/** What is known of the copies at one place; times in ms UTC. */
const recordSchema = z.object({
  format: z.literal(1),
  /** Ids of the exports that are there. */
  copied: z.array(z.string()),
  copiedAt: time,
  checkedAt: time,
  /** Since when something is to be done (a copy, a check) that has not been done. */
  owedSince: time,
  /** How often it was tried in vain since then, and when it is tried next. */
  attempt: z.number(),
  nextTryAt: time,
  /** What came of the last attempt, and what the last check found. */
  trouble: z.string().nullable(),
  damage: z.string().nullable(),
  /** What people were told last and that was not taken back. */
  told: z.object({ kind: z.enum(['late', 'damaged']), at: z.number() }).nullable(),
});

export type OffsiteRecord = Readonly<z.output<typeof recordSchema>>;

/** Nothing is known: all is copied, or found to be there, again. */
export const NOTHING_KNOWN: OffsiteRecord = {
  format: 1,
  copied: [],
  copiedAt: null,
  checkedAt: null,
  owedSince: null,
  attempt: 0,
  nextTryAt: null,
  trouble: null,
  damage: null,
  told: null,
};

/** How far a copy is that is under way; bytes, and ms UTC. */
const progressSchema = z.object({ at: z.number(), done: z.number(), total: z.number() });

export type OffsiteProgress = Readonly<z.output<typeof progressSchema>>;

/** Where the record of a place is kept over a restart: a port, so that time can be tried without a disk. */
export interface OffsiteRecordKeeper {
  read(): Promise<OffsiteRecord>;
  /** Resolves when a crash can no longer lose it. */
  write(record: OffsiteRecord): Promise<void>;
  /** Of a copy that is under way; of one whose process was killed, its last word. */
  readProgress(): Promise<OffsiteProgress | undefined>;
  writeProgress(progress: OffsiteProgress | undefined): Promise<void>;
}

/** A place's own directory in the state directory. */
export function offsiteDirectory(stateDir: string, name: string): string {
  return join(stateDir, 'offsite', name);
}

/** The record in the state directory, which other processes may read. It holds no secret. */
export function offsiteRecordIn(stateDir: string, name: string): OffsiteRecordKeeper {
  const directory = offsiteDirectory(stateDir, name);
  const [path, progressPath] = [join(directory, 'record.json'), join(directory, 'progress.json')];
  return {
    read: async () => (await parsedFile(path, recordSchema)) ?? NOTHING_KNOWN,
    async write(record) {
      await makePrivateDirectory(directory);
      await writeFileDurably(path, `${JSON.stringify(record, undefined, 2)}\n`);
    },
    readProgress: () => parsedFile(progressPath, progressSchema),
    writeProgress: (progress) =>
      progress === undefined
        ? rm(progressPath, { force: true })
        : writeFile(progressPath, JSON.stringify(progress), { mode: PRIVATE_FILE_MODE }),
  };
}

/** What cannot be understood is as good as nothing; it is found out again. */
async function parsedFile<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (errorCode(error) === 'EACCES') throw error;
    return undefined;
  }
}
