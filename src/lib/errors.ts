import { commandThatLetsUse } from './access.ts';

/**
 * The one error table: class of trouble → exit code → what the user does next (docs/reference/exit-codes.md).
 * Exit codes are stable; a new class takes a new number.
 */
export const ERROR_TABLE = {
  internal: {
    exitCode: 1,
    next: 'This is a fault of Chatkeep. Run again with --log-level debug and report what it prints.',
  },
  config: { exitCode: 2, next: 'Mend the settings named above, then run `chatkeep config check`.' },
  usage: { exitCode: 2, next: 'See `chatkeep --help`.' },
  damaged: { exitCode: 3, next: 'Restore the files named above from another copy of the backup directory.' },
  'in-use': { exitCode: 4, next: 'Stop the other Chatkeep, or give this one directories of its own.' },
  storage: { exitCode: 5, next: 'Make room or mend the permissions; Chatkeep goes on by itself afterwards.' },
  refused: {
    exitCode: 6,
    next: 'The archive was kept. Ask for a new export, or look at the archive with the reason above in mind.',
  },
  unhealthy: { exitCode: 7, next: 'Run `chatkeep status` to see what the service waits for.' },
  'not-found': { exitCode: 8, next: 'Run `chatkeep snapshots` to see what there is.' },
  interrupted: { exitCode: 130, next: 'Run the same command again; it goes on where it stopped.' },
} as const satisfies Record<string, { exitCode: number; next: string }>;

export type ErrorClass = keyof typeof ERROR_TABLE;

/** An error that a user can act on: a class from the table, and a sentence that names the thing and the fix. */
export class ChatkeepError extends Error {
  override readonly name = 'ChatkeepError';
  readonly class: ErrorClass;
  /** What to do next; the table's sentence unless a better one was given. */
  readonly next: string;

  constructor(errorClass: ErrorClass, message: string, options: { next?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.class = errorClass;
    this.next = options.next ?? ERROR_TABLE[errorClass].next;
  }

  get exitCode(): number {
    return ERROR_TABLE[this.class].exitCode;
  }
}

/** The `code` of a Node.js or SQLite error (`ENOSPC`, `ECONNRESET`…), if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of whatever was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const STORAGE_TROUBLE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission is denied',
  EPERM: 'the operation is not permitted',
  EIO: 'the disk reports an input/output error',
  ENOTDIR: 'a part of the path is not a directory',
  EMFILE: 'too many files are open',
  EFBIG: 'the file is larger than the file system or the limits allow',
};

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html): READONLY, IOERR, FULL, CANTOPEN. */
const SQLITE_TROUBLE: Readonly<Record<number, string>> = {
  8: 'the file or its file system is read-only',
  10: 'the disk reports an input/output error',
  13: 'the disk is full',
  14: 'the file cannot be opened',
};

/**
 * What is wrong with the storage, in words, if `error` is (or was caused by) an error of the file system or of SQLite
 * that room, permissions or a mount can mend; else undefined.
 */
export function storageTrouble(error: unknown): string | undefined {
  for (let current = error, depth = 0; current !== undefined && depth < 5; depth += 1) {
    const trouble = STORAGE_TROUBLE[errorCode(current) ?? ''] ?? sqliteTrouble(current);
    if (trouble !== undefined) return trouble;
    current = current instanceof Error ? current.cause : undefined;
  }
  return undefined;
}

function sqliteTrouble(error: unknown): string | undefined {
  return SQLITE_TROUBLE[sqliteCode(error) ?? -1];
}

/** SQLite's primary result code, if it is an error of SQLite. */
export function sqliteCode(error: unknown): number | undefined {
  if (errorCode(error) !== 'ERR_SQLITE_ERROR' || !(error instanceof Error)) return undefined;
  // The low byte is the primary code; the others only say more of the same.
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** A `storage` error for a failed operation on `path`, if it is one; any other error is given back as it is. */
export function asStorageError(error: unknown, doing: string, path: string): unknown {
  const trouble = storageTrouble(error);
  if (trouble === undefined || error instanceof ChatkeepError) return error;
  const command = isDenial(error) ? commandThatLetsUse(pathOf(error) ?? path) : undefined;
  return new ChatkeepError('storage', `Could not ${doing} ${path}: ${trouble}.`, {
    cause: error,
    ...(command === undefined ? {} : { next: `Let the user that runs Chatkeep use it; ${command}` }),
  });
}

/** Whether the system refused for want of rights. */
export function isDenial(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(errorCode(error) ?? '');
}

/** What an error of the file system is about. */
export function pathOf(error: unknown): string | undefined {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : undefined;
}
