import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ResticConfig } from '../config/index.ts';
import { Secret } from '../lib/secret.ts';
import { readEnvironment } from './environment.ts';
import { parseLine, sentenceOf } from './lines.ts';
import { runTool, type ToolEnd } from './run-tool.ts';
import { OffsiteError, type OffsiteTool, type RunContext } from './tool.ts';

const TAG = 'chatkeep';
/** What is not a backup: snapshots in the making, and the lock. */
const LEFT_OUT = ['staging', 'trash', 'lock', 'lock-journal', 'lock.json'];

/** restic(1): some source files could not be read. */
const EXIT_INCOMPLETE = 3;
/** Since restic 0.17 there is an exit code for each; before, the words tell. */
const EXIT_NO_REPOSITORY = 10;
const EXIT_LOCKED = 11;
const EXIT_WRONG_PASSWORD = 12;

const progressLine = z.object({
  message_type: z.literal('status'),
  bytes_done: z.number().default(0),
  total_bytes: z.number().default(0),
});

/**
 * The whole backup directory as a snapshot of restic's, in a repository of the user's (https://restic.readthedocs.io).
 *
 * A file of ours never changes, so restic is told not to look at the inode and its change time: a file that a new
 * snapshot shares has one more link and another change time, and restic would read all of it again each time.
 */
export function createRestic(
  config: ResticConfig,
  { backups, scratch }: { readonly backups: string; readonly scratch: string },
  { timeLimitMs, checkPercent }: { readonly timeLimitMs: number; readonly checkPercent: number },
): OffsiteTool {
  async function restic(args: readonly string[], { signal, onProgress }: RunContext): Promise<ToolEnd> {
    const { variables, secrets } = await readEnvironment(config.environmentFile);
    return runTool({
      program: 'restic',
      args,
      variables: {
        ...variables,
        ...(config.repository === undefined
          ? { RESTIC_REPOSITORY_FILE: config.repositoryFile ?? '' }
          : { RESTIC_REPOSITORY: config.repository }),
        RESTIC_PASSWORD_FILE: config.passwordFile,
        RESTIC_CACHE_DIR: join(scratch, 'cache'),
        // Without a terminal it says how far it is only if it is told how often.
        RESTIC_PROGRESS_FPS: '0.2',
      },
      secrets: [...secrets, ...(await secretsIn(config.passwordFile, config.repositoryFile))],
      signal,
      timeLimitMs,
      onOutput: (line) => {
        const progress = parseLine(line, progressLine);
        if (progress !== undefined) onProgress(progress.bytes_done, progress.total_bytes);
      },
    });
  }

  /** Waits for nobody: a lock of a process that is gone is taken away (by restic, which knows), and no other. */
  async function unlocked(args: readonly string[], context: RunContext): Promise<ToolEnd> {
    const end = await restic(args, context);
    if (!isLocked(end)) return end;
    await restic(['unlock'], context);
    return restic(args, context);
  }

  /** @throws OffsiteError unless it ended well */
  async function done(args: readonly string[], context: RunContext): Promise<void> {
    const end = await unlocked(args, context);
    if (end.exitCode !== 0) throw new OffsiteError(faultOf(args[0] ?? '', end));
  }

  return {
    async init(context) {
      const end = await restic(['cat', 'config'], context);
      if (end.exitCode === 0) return;
      if (!hasNoRepository(end)) throw new OffsiteError(faultOf('cat', end));
      await done(['init'], context);
    },

    async copy(exports, context) {
      const excluded = LEFT_OUT.flatMap((name) => ['--exclude', literally(join(backups, '.chatkeep', name))]);
      const same = ['--ignore-inode', '--ignore-ctime'];
      await done(
        ['backup', '--json', '--host', config.host, '--tag', TAG, ...same, ...excluded, '--', backups],
        context,
      );
      const keep = Object.entries(config.keep ?? {}).flatMap(([period, n]) => [`--keep-${period}`, String(n)]);
      if (keep.length > 0) {
        await done(['forget', '--host', config.host, '--tag', TAG, '--path', backups, ...keep, '--prune'], context);
      }
      return exports.map(({ id }) => id);
    },

    async check(_copied, context) {
      const end = await unlocked(['check', `--read-data-subset=${checkPercent}%`], context);
      if (end.exitCode === 0) return [];
      if (!SIGN_OF_DAMAGE.test(said(end))) throw new OffsiteError(faultOf('check', end));
      return [`restic check found errors in the repository. ${sentenceOf(end)}`];
    },
  };
}

const SIGN_OF_DAMAGE = /contains errors|LoadIndex returned errors|does not match|verification failed/i;

function said({ errors, output }: ToolEnd): string {
  return [...output, ...errors].join('\n');
}

function isLocked(end: ToolEnd): boolean {
  return end.exitCode === EXIT_LOCKED || (end.exitCode !== 0 && /repository is already locked/i.test(said(end)));
}

function hasNoRepository(end: ToolEnd): boolean {
  return (
    end.exitCode === EXIT_NO_REPOSITORY ||
    (end.exitCode !== 0 && /unable to open config file|repository does not exist/i.test(said(end)))
  );
}

function faultOf(command: string, end: ToolEnd): string {
  if (end.exitCode === EXIT_WRONG_PASSWORD || /wrong password|no key found/i.test(said(end))) {
    return 'restic does not accept the password for this repository: look at password_file.';
  }
  if (hasNoRepository(end)) {
    return `There is no restic repository at that place, or it cannot be reached: is it mounted and switched on? A new one is made, once, with \`chatkeep offsite init\`. ${sentenceOf(end)}`;
  }
  if (isLocked(end)) {
    return 'Another process has locked the restic repository. It is tried again; a lock that was left behind by another machine is taken away by restic half an hour later.';
  }
  if (end.exitCode === EXIT_INCOMPLETE) {
    return `restic could not read every file of the backup directory. ${sentenceOf(end)}`;
  }
  return `restic ${command} ended with exit code ${end.exitCode}. ${sentenceOf(end)}`;
}

/** Files whose text must not be shown, as far as they can be read: restic says what is wrong with them. */
async function secretsIn(...paths: readonly (string | undefined)[]): Promise<Secret[]> {
  const texts = await Promise.all(
    paths.map((path) => (path === undefined ? '' : readFile(path, 'utf8').catch(() => ''))),
  );
  return texts.map((text) => text.trim()).flatMap((text) => (text === '' ? [] : [new Secret(text)]));
}

/** As a pattern of restic's (Go's filepath.Match) that stands for itself. */
function literally(path: string): string {
  return path.replace(/[\\*?[\]]/g, '\\$&');
}
