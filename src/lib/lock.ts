import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { asStorageError, ChatkeepError, errorMessage, sqliteCode } from './errors.ts';
import { formatMoment } from './text.ts';

/** SQLite's result code for a lock that another connection holds (https://sqlite.org/rescode.html#busy). */
const SQLITE_BUSY = 5;

const holderSchema = z.object({ pid: z.number(), host: z.string(), since: z.number() });

/**
 * Takes a directory for this process alone, until the process ends or the lock is disposed of.
 *
 * The lock is SQLite's exclusive lock on an empty database file: an operating-system lock, which the kernel drops
 * however the process dies, so that no stale lock can be left behind. It holds between containers of one machine, too.
 *
 * @param directory made if missing
 * @param what the directory's name in a sentence: "backup directory"
 * @throws ChatkeepError `in-use` if another process has it; `storage` if the lock cannot be written
 */
export async function lockDirectory(directory: string, what: string): Promise<Disposable> {
  const path = join(directory, 'lock');
  const holderPath = join(directory, 'lock.json');
  let database: DatabaseSync;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    assertUsable(directory, path);
    database = new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw cannotLock(error, directory, what);
  }
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    writeFileSync(holderPath, JSON.stringify({ pid: process.pid, host: hostname(), since: Date.now() }));
  } catch (error) {
    database.close();
    if (sqliteCode(error) === SQLITE_BUSY)
      throw new ChatkeepError('in-use', inUseSentence(directory, what, holderPath), { cause: error });
    throw cannotLock(error, directory, what);
  }
  return { [Symbol.dispose]: () => database.close() };
}

/** SQLite would call it "unable to open database file", or "readonly database". */
function assertUsable(directory: string, path: string): void {
  accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK);
}

function cannotLock(error: unknown, directory: string, what: string): unknown {
  return sqliteCode(error) !== undefined
    ? new ChatkeepError('storage', `Could not lock the ${what} ${directory}: ${errorMessage(error)}.`, { cause: error })
    : asStorageError(error, `lock the ${what}`, directory);
}

function inUseSentence(directory: string, what: string, holderPath: string): string {
  try {
    const holder = holderSchema.parse(JSON.parse(readFileSync(holderPath, 'utf8')));
    return `The ${what} ${directory} is in use by another Chatkeep (process ${holder.pid} on ${holder.host}, since ${formatMoment(holder.since)}).`;
  } catch {
    return `The ${what} ${directory} is in use by another Chatkeep.`;
  }
}
