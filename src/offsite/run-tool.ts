import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import { HOUR_MS, SECOND_MS } from '../lib/clock.ts';
import { errorCode } from '../lib/errors.ts';
import { redactText, type Secret, withoutSecrets } from '../lib/secret.ts';
import { TimeLimit } from '../lib/signals.ts';
import { OffsiteError } from './tool.ts';

export interface ToolRun {
  readonly program: string;
  readonly args: readonly string[];
  /** Beside the few variables that every program gets. */
  readonly variables: Readonly<Record<string, string>>;
  /** Cut out of whatever the program says. */
  readonly secrets: readonly Secret[];
  readonly signal: AbortSignal;
  readonly timeLimitMs: number;
  /** Get each line on standard output, and on standard error, as it is. */
  readonly onOutput?: ((line: string) => void) | undefined;
  readonly onError?: (line: string) => void;
}

export interface ToolEnd {
  readonly exitCode: number;
  /** The last lines on standard output. */
  readonly output: readonly string[];
  /** The last lines on standard error; nothing in them is secret. */
  readonly errors: readonly string[];
}

/** The last lines say what was wrong. */
const MOST_LINES = 200;
const MOST_LINE_CHARACTERS = 2_000;
/** restic gives its lock back on SIGINT, and rclone takes away the half of a file. */
const STOPS_WITHIN_MS = 3 * SECOND_MS;
/** What of our own environment a program needs: where programs, keys, temporary files and the proxy are. */
const INHERITED = [
  'PATH',
  'HOME',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
];

/**
 * Runs a program with low priority to its end. Its secrets come by files and variables, never by arguments, which
 * everybody on the machine may read. No shell is involved, and there is nobody to answer a question.
 *
 * @throws OffsiteError if it cannot be run, or takes too long; the signal's reason
 */
export async function runTool(run: ToolRun): Promise<ToolEnd> {
  const { program, args, variables, signal, timeLimitMs } = run;
  signal.throwIfAborted();
  const child = spawn('nice', ['-n', '15', program, ...args], {
    env: { ...inherited(), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  using limit = new TimeLimit(timeLimitMs, `${program} took too long`, signal);
  let kill: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill('SIGINT');
    kill ??= setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS);
  };
  limit.signal.addEventListener('abort', stop, { once: true });
  try {
    const output = linesOf(child.stdout, run.secrets, run.onOutput);
    const errors = linesOf(child.stderr, run.secrets, run.onError);
    const { code, name } = await ended(child);
    signal.throwIfAborted();
    if (limit.isOver) {
      throw new OffsiteError(
        `${program} did not come to its end within ${timeLimitMs / HOUR_MS} hours and was stopped. What it has copied stays there, and the next run goes on from it.`,
      );
    }
    if (code === null) throw new OffsiteError(`${program} was ended by ${name ?? 'a signal'}.`);
    return { exitCode: code, output: await output, errors: await errors };
  } finally {
    limit.signal.removeEventListener('abort', stop);
    clearTimeout(kill);
  }
}

function inherited(): NodeJS.ProcessEnv {
  const known = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { HOME: homedir(), LC_ALL: 'C', ...Object.fromEntries(known) };
}

async function linesOf(
  stream: NodeJS.ReadableStream,
  secrets: readonly Secret[],
  onLine?: (line: string) => void,
): Promise<string[]> {
  const last: string[] = [];
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    onLine?.(line);
    last.push(withoutSecrets(redactText(line.slice(0, MOST_LINE_CHARACTERS)), secrets));
    if (last.length > MOST_LINES) last.shift();
  }
  return last;
}

function ended(child: ReturnType<typeof spawn>): Promise<{ code: number | null; name: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) =>
      reject(new OffsiteError(`The program could not be started (${errorCode(error) ?? 'no reason given'}).`)),
    );
    child.on('close', (code, name) => resolve({ code, name }));
  });
}
