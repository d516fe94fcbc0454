import { join } from 'node:path';
import * as z from 'zod';
import type { RcloneConfig } from '../config/index.ts';
import { readEnvironment } from './environment.ts';
import { parseLine, sentenceOf } from './lines.ts';
import { runTool, type ToolEnd } from './run-tool.ts';
import { type LocalExport, OffsiteError, type OffsiteTool, type RunContext } from './tool.ts';

/** The file that makes a directory a snapshot, here and there: it is copied last. */
const MARK = '.chatkeep/snapshot.json';
/** Where the records of unchanged exports lie. */
const RECORDS = '/*/.chatkeep/unchanged/*.json';
const README = 'README.txt';

/** rclone(1): the directory, or the file, is not there. */
const EXIT_NOT_THERE: readonly number[] = [3, 4];

const statsLine = z.object({ stats: z.object({ bytes: z.number(), totalBytes: z.number() }) });

/**
 * Each snapshot as it is, in a remote of the user's rclone configuration (https://rclone.org), so that the remote is a
 * backup directory itself; so are the records of unchanged exports. Nothing of a snapshot that is there is changed or
 * deleted; one that lacks its mark was broken off, and is completed.
 */
export function createRclone(
  config: RcloneConfig,
  { backups }: { readonly backups: string },
  { timeLimitMs, checkPercent }: { readonly timeLimitMs: number; readonly checkPercent: number },
): OffsiteTool {
  const there = (path: string) =>
    `${config.remote.replace(/(?<=[^/:])\/+$/, '')}${/[:/]$/.test(config.remote) ? '' : '/'}${path}`;

  async function rclone(
    args: readonly string[],
    { signal, onProgress }: RunContext,
    onOutput?: (line: string) => void,
  ): Promise<ToolEnd> {
    const { variables, secrets } = await readEnvironment(config.environmentFile);
    return runTool({
      program: 'rclone',
      args: ['--use-json-log', '--stats=5s', '--stats-log-level=NOTICE', '--ask-password=false', ...args],
      variables: { ...variables, ...(config.configFile === undefined ? {} : { RCLONE_CONFIG: config.configFile }) },
      secrets,
      signal,
      timeLimitMs,
      onOutput,
      onError: (line) => {
        const progress = parseLine(line, statsLine);
        if (progress !== undefined) onProgress(progress.stats.bytes, progress.stats.totalBytes);
      },
    });
  }

  /** @throws OffsiteError unless it ended well */
  async function done(args: readonly string[], context: RunContext): Promise<void> {
    const end = await rclone(args, context);
    if (end.exitCode !== 0) throw new OffsiteError(faultOf(args[0] ?? '', end));
  }

  /** The ids of the exports that are whole there. */
  async function marked(context: RunContext): Promise<Set<string>> {
    const wanted = ['--include', `/*/*/${MARK}`, '--include', RECORDS];
    const whole = new Set<string>();
    const list = ['lsf', '--recursive', '--files-only', ...wanted, '--', config.remote];
    const end = await rclone(list, context, (path) => {
      whole.add(path.endsWith(`/${MARK}`) ? path.slice(0, -MARK.length - 1) : path);
    });
    if (EXIT_NOT_THERE.includes(end.exitCode)) return new Set();
    if (end.exitCode !== 0) throw new OffsiteError(faultOf('lsf', end));
    return whole;
  }

  async function copyOne({ kind, id }: LocalExport, context: RunContext): Promise<void> {
    const from = join(backups, id);
    if (kind === 'unchanged') return done(['copyto', '--immutable', '--', from, there(id)], context);
    await done(['copy', '--create-empty-src-dirs', '--exclude', `/${MARK}`, '--', from, there(id)], context);
    await done(['copyto', '--immutable', '--', join(from, MARK), there(`${id}/${MARK}`)], context);
  }

  return {
    async init(context) {
      await done(['mkdir', '--', config.remote], context);
    },

    async copy(exports, context) {
      const whole = await marked(context);
      // What is new matters most.
      for (const one of exports.toReversed().filter(({ id }) => !whole.has(id))) {
        await copyOne(one, context);
        whole.add(one.id);
      }
      await done(['copyto', '--ignore-existing', '--', join(backups, README), there(README)], context);
      return exports.map(({ id }) => id).filter((id) => whole.has(id));
    },

    async check(copied, context) {
      const whole = await marked(context);
      const problems = copied.filter(({ id }) => !whole.has(id)).map(({ id }) => `${id} is not there any more.`);
      for (const { id } of sample(
        copied.filter(({ kind, id }) => kind === 'snapshot' && whole.has(id)),
        checkPercent,
      )) {
        const end = await rclone(['check', '--one-way', '--', join(backups, id), there(id)], context);
        if (end.exitCode === 0) continue;
        if (!/differences found/i.test(end.errors.join('\n'))) {
          throw new OffsiteError(faultOf('check', end));
        }
        problems.push(`${id} is not there as it is here. ${sentenceOf(end)}`);
      }
      return problems;
    },
  };
}

/** The newest one, and others by chance, at least one; in all about `percent` of them. */
function sample(snapshots: readonly LocalExport[], percent: number): LocalExport[] {
  const [newest, ...others] = snapshots.toReversed();
  if (newest === undefined) return [];
  const most = Math.max(1, Math.ceil((snapshots.length * percent) / 100) - 1);
  const shuffled = others.map((snapshot) => ({ snapshot, at: Math.random() })).sort((a, b) => a.at - b.at);
  return [newest, ...shuffled.slice(0, most).map(({ snapshot }) => snapshot)];
}

function faultOf(command: string, end: ToolEnd): string {
  return `rclone ${command} ended with exit code ${end.exitCode}. ${sentenceOf(end)}`;
}
