import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HOUR_MS } from '../../src/lib/clock.ts';
import type { BackupDirectory } from '../../src/snapshot/index.ts';
import { DAY_MS, EXPORT_TIME, open, take, takeNew } from '../snapshot/support.ts';
import { tempDir } from '../support/temp-dir.ts';

export const run = promisify(execFile);

export const LIMITS = { timeLimitMs: HOUR_MS, checkPercent: 100 };

/** Nobody waits, nobody watches. */
export const CONTEXT = { signal: new AbortController().signal, onProgress: () => {} };

/** A backup directory and room beside it. */
export interface Home extends AsyncDisposable {
  readonly path: string;
  readonly backups: string;
  readonly directory: BackupDirectory;
  /** A file with this content, for its owner alone; gives its path. */
  secret(name: string, content: string): Promise<string>;
}

export async function makeHome(): Promise<Home> {
  const temporary = await tempDir();
  const backups = join(temporary.path, 'back [ups]');
  const directory = await open(backups);
  return {
    path: temporary.path,
    backups,
    directory,
    async secret(name, content) {
      const path = join(temporary.path, name);
      await writeFile(path, content);
      await chmod(path, 0o600);
      return path;
    },
    async [Symbol.asyncDispose]() {
      await directory[Symbol.asyncDispose]();
      await temporary[Symbol.asyncDispose]();
    },
  };
}

/** Commits a snapshot, one a week; `picture` is the same in all. */
export function commit(home: Home, week: number): ReturnType<typeof takeNew> {
  return takeNew(home.directory, `c${week}`, filesOf(week), { exportTime: EXPORT_TIME + week * 7 * DAY_MS });
}

/** Takes in an export of a later week that holds what the snapshot of an earlier one does. */
export function again(home: Home, week: number, later: number): ReturnType<typeof take> {
  return take(home.directory, `c${later}`, filesOf(week), { exportTime: EXPORT_TIME + later * 7 * DAY_MS });
}

function filesOf(week: number): Readonly<Record<string, string>> {
  return { 'chat.html': `<html>${week}`, 'a folder/picture #1.png': 'picture', 'user.json': '{}' };
}
