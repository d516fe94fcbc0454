import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Calls that change what a file system holds, or make it durable, by the names that Linux and strace give them. */
const CHANGING: readonly string[] = [
  ...['creat', 'write', 'pwrite64', 'writev', 'pwritev', 'copy_file_range', 'sendfile', 'ftruncate', 'truncate'],
  ...['fallocate', 'fsync', 'fdatasync', 'sync_file_range', 'rename', 'renameat', 'renameat2', 'link', 'linkat'],
  ...['symlink', 'symlinkat', 'unlink', 'unlinkat', 'rmdir', 'mkdir', 'mkdirat', 'chmod', 'fchmod', 'fchmodat'],
  ...['chown', 'fchown', 'fchownat', 'utimensat'],
];
/** Calls that only ask. SQLite's locks (fcntl) are left out: their number depends on how often it is looked. */
const ASKING: readonly string[] = [
  ...['close', 'read', 'pread64', 'readv', 'preadv', 'stat', 'lstat', 'fstat', 'newfstatat', 'statx', 'statfs'],
  ...['fstatfs', 'access', 'faccessat', 'faccessat2', 'readlink', 'readlinkat', 'getdents64', 'mmap', 'lseek'],
];
/** Some of them make a file. */
const OPENING: readonly string[] = ['open', 'openat', 'openat2'];

/** One call of one run: the how-many-eth of its kind that concerns a path. */
export interface Site {
  readonly call: string;
  /** Absolute. */
  readonly path: string;
  /** From 1. */
  readonly nth: number;
  /** It changes what the file system holds, or makes it durable. */
  readonly changes: boolean;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is done to a call instead of it. */
export type Fault = 'KILL' | 'ENOSPC' | 'EIO';

/**
 * All calls of a run that concern what lies below `directories`, each once, in the order in which they began.
 *
 * Not with `--seccomp-bpf`, which would be faster: strace 6.1 then lets calls pass that were to fail.
 */
export async function recordCalls(command: Command, directories: readonly string[], log: string): Promise<Site[]> {
  const { code, stderr } = await strace(['-f', '-y', '-o', log, '-e', `trace=${existing()}`], command);
  if (code !== 0) throw new Error(`The run to be recorded ended with exit code ${code}: ${stderr}`);
  return distinct(sitesIn(await readFile(log, 'utf8'), directories));
}

/**
 * Runs the command again with a fault at one call, which is not made. With `KILL` the process dies there.
 * @returns how it ended, and whether the fault came to pass
 */
export async function runWithFault(
  command: Command,
  { call, path, nth }: Site,
  fault: Fault,
  log: string,
): Promise<Ended & { readonly hit: boolean }> {
  const how = fault === 'KILL' ? 'signal=KILL' : `error=${fault}`;
  const options = ['-f', '-y', '-o', log, '-P', path, '-e', `trace=${call}`, '-e', `inject=${call}:${how}:when=${nth}`];
  const ended = await strace(options, command);
  const said = await readFile(log, 'utf8');
  // strace ends as what it traces has ended.
  return { ...ended, hit: fault === 'KILL' ? ended.code === null : said.includes('(INJECTED)') };
}

async function strace(options: readonly string[], { program, args, env }: Command): Promise<Ended> {
  try {
    const { stdout, stderr } = await run('strace', ['-qq', ...options, program, ...args], { env });
    return { code: 0, stdout, stderr };
  } catch (error) {
    if (typeof error !== 'object' || error === null || !('stdout' in error && 'stderr' in error)) throw error;
    const code = 'code' in error && typeof error.code === 'number' ? error.code : null;
    return { code, stdout: String(error.stdout), stderr: String(error.stderr) };
  }
}

/** A question mark lets strace pass over calls that this kind of machine does not have. */
function existing(): string {
  return [...CHANGING, ...ASKING, ...OPENING].map((call) => `?${call}`).join(',');
}

/** `1234  openat(AT_FDCWD</cwd>, "/path", O_RDONLY) = 3</path>`; of calls that were interrupted, the first half. */
const LINE = /^(\d+) +([a-z0-9_]+)\((.*)$/;

function sitesIn(log: string, directories: readonly string[]): Site[] {
  const seen = new Map<string, number>();
  return log.split('\n').flatMap((line): Site[] => {
    const [, thread = '', call = '', rest = ''] = LINE.exec(line) ?? [];
    // What stands behind the sign of equality is the result: the file that was opened has been named before.
    const given = rest.replace(/\) += .*$/, '');
    const paths = [...given.matchAll(/(?<=["<])\/[^">]*(?=[">])/g)].map(([path]) => path);
    const concerned = [...new Set(paths)].filter((path) =>
      directories.some((directory) => path === directory || path.startsWith(`${directory}/`)),
    );
    const changes = CHANGING.includes(call) || (OPENING.includes(call) && given.includes('O_CREAT'));
    const counted = concerned.map((path) => {
      // strace counts by thread, too.
      const key = `${thread} ${call} ${path}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      return { call, path, nth: seen.get(key) ?? 0, changes };
    });
    return counted.slice(0, 1);
  });
}

/** The process that counts what is in the export reads the same files afterwards: its calls are not told apart. */
function distinct(sites: readonly Site[]): Site[] {
  return [...new Map(sites.map((site) => [`${site.call} ${site.nth} ${site.path}`, site])).values()];
}
