import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Linux reports CPU time in ticks of 10 ms (sysconf _SC_CLK_TCK). */
const TICK_MS = 10;

export interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** Runs a program to its end and tells what it took, by GNU time, and what it printed. */
export async function measured(
  command: string,
  args: readonly string[],
  cwd?: string,
): Promise<Usage & { readonly output: string }> {
  const from = performance.now();
  const { stdout, stderr } = await run('/usr/bin/time', ['-f', USAGE_FORMAT, command, ...args], {
    maxBuffer: 64 * 1024 * 1024,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const wallMs = performance.now() - from;
  return { wallMs, ...usageOf(stderr), output: stdout };
}

/** What GNU time is to print when the program has ended: user and system time in seconds, peak resident set in KiB. */
export const USAGE_FORMAT = 'usage %U %S %M';

/** What GNU time has printed as {@link USAGE_FORMAT}, last of all. */
export function usageOf(stderr: string): Omit<Usage, 'wallMs'> {
  const [, user, system, rssKib] = /usage ([\d.]+) ([\d.]+) (\d+)\s*$/.exec(stderr) ?? [];
  return { cpuMs: Math.round((Number(user) + Number(system)) * 1000), rssBytes: Number(rssKib) * 1024 };
}

/** CPU time that a running process has used so far, ms. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field, the name in parentheses, may hold spaces (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The highest resident set a running process has had, bytes. */
export function peakRssOf(pid: number): Promise<number> {
  return statusOf(pid, 'VmHWM');
}

/** The resident set of a running process, bytes. */
export function rssOf(pid: number): Promise<number> {
  return statusOf(pid, 'VmRSS');
}

/** A size in /proc/PID/status (proc_pid_status(5)), bytes. */
async function statusOf(pid: number, name: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}
