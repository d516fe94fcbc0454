import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SCHEMA, SCHEMA_VERSION } from './schema.ts';

/** Readers and the writer may be several processes. */
const BUSY_TIMEOUT_MS = 10_000;
const PAGE_BYTES = 8192;
const WRITER_CACHE_KIB = 64 * 1024;
const READER_CACHE_KIB = 8 * 1024;
/**
 * So that the log does not grow with the work: after that many pages it is written back, most of which were written
 * several times by then.
 */
const CHECKPOINT_PAGES = 16_000;

/** Where the catalog lies in its directory. */
export function catalogFile(directory: string): string {
  return join(directory, 'catalog.sqlite');
}

/**
 * Opens the catalog for the one process that writes; makes it if there is none, or one of another form, or something
 * that is no database.
 *
 * @throws what SQLite and the file system say
 */
export function openForWriting(directory: string): DatabaseSync {
  const path = catalogFile(directory);
  if (!isOfThisForm(path)) removeCatalog(directory);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  database.exec(`
    PRAGMA page_size = ${PAGE_BYTES};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -${WRITER_CACHE_KIB};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
  `);
  if (formOf(database) === 0) database.exec(`BEGIN; ${SCHEMA} COMMIT`);
  return database;
}

/** Writes the log back and empties it: somebody who reads on would keep what it takes of the disk. */
export function giveBackLog(database: DatabaseSync): void {
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

/** Opens it for reading; undefined where there is none of this form. */
export function openForReading(directory: string): DatabaseSync | undefined {
  try {
    const database = new DatabaseSync(catalogFile(directory), { timeout: BUSY_TIMEOUT_MS, readOnly: true });
    if (formOf(database) === SCHEMA_VERSION) {
      database.exec(`PRAGMA cache_size = -${READER_CACHE_KIB}`);
      return database;
    }
    database.close();
  } catch {
    // Not there, or no database: there is no catalog.
  }
  return undefined;
}

/** The inode of the file that it is now; undefined where there is none. */
export function numberOfFile(directory: string): number | undefined {
  return statSync(catalogFile(directory), { throwIfNoEntry: false })?.ino;
}

/** Removes it. Whoever has it open goes on reading what it was. */
export function removeCatalog(directory: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${catalogFile(directory)}${suffix}`, { force: true });
}

function isOfThisForm(path: string): boolean {
  try {
    using database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    return formOf(database) === SCHEMA_VERSION;
  } catch {
    return false;
  }
}

function formOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version);
}
