import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { ChatkeepError, errorCode } from '../lib/errors.ts';
import { writeFileDurably } from '../lib/files.ts';
import { refuseNewerFormat } from '../lib/format.ts';

const orUndefined = <T extends z.ZodType>(type: T) => type.nullable().transform((value) => value ?? undefined);

const healthSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('good'), until: orUndefined(z.number()), account: orUndefined(z.string()) }),
  z.object({ kind: z.literal('dying'), until: z.number(), account: orUndefined(z.string()) }),
  z.object({ kind: z.literal('dead'), detail: z.string() }),
  z.object({ kind: z.literal('unknown'), detail: z.string() }),
]);

/** What is known of a login, and what was told of it. Times in ms UTC. */
const checkedLoginSchema = z.object({
  label: z.string(),
  checkedAt: z.number(),
  /** Of the login that was checked: it has changed since where this one differs. */
  fingerprint: z.string(),
  health: healthSchema,
  /** What a person was told last and that was not taken back. */
  told: z.enum(['dying', 'dead']).nullable(),
});

const FORMAT = 1;
const fileSchema = z.object({ format: z.literal(FORMAT), logins: z.array(checkedLoginSchema) });

export type CheckedLogin = Readonly<z.output<typeof checkedLoginSchema>>;

/** Where the results of the checks are kept over a restart: a port, so that time can be tried without a disk. */
export interface LoginRecord {
  /**
   * What was written last, in the order of the configuration; nothing if there is nothing that can be understood.
   * @throws ChatkeepError `storage` if a newer Chatkeep has written it
   */
  read(): Promise<CheckedLogin[]>;
  /** Resolves when a crash can no longer lose it. */
  write(logins: readonly CheckedLogin[]): Promise<void>;
}

/** The record in `logins.json` of the state directory, which other processes may read. It holds no secret. */
export function loginRecordIn(stateDir: string): LoginRecord {
  const path = pathIn(stateDir);
  return {
    async read() {
      try {
        const value: unknown = JSON.parse(await readFile(path, 'utf8'));
        const loss = 'the logins are then tried out anew, and nothing else is lost';
        refuseNewerFormat(value, { known: FORMAT, what: 'record of the logins', path, loss });
        return fileSchema.parse(value).logins;
      } catch (error) {
        if (error instanceof ChatkeepError) throw error;
        // Without it the logins are checked anew; at worst something is told twice.
        if (errorCode(error) === 'EACCES') throw error;
        return [];
      }
    },
    async write(logins) {
      const text = JSON.stringify({ format: FORMAT, logins }, (_key, value: unknown) => value ?? null, 2);
      await writeFileDurably(path, `${text}\n`);
    },
  };
}

/** Forgets what is known: nothing is checked any more, and old results would mislead. */
export async function removeLoginRecord(stateDir: string): Promise<void> {
  await rm(pathIn(stateDir), { force: true });
}

function pathIn(stateDir: string): string {
  return join(stateDir, 'logins.json');
}
