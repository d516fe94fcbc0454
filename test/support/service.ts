import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Enough for a busy machine; what takes longer than this hangs. */
const PATIENCE_MS = 60_000;

export type Environment = Readonly<Record<string, string>>;

/** How a command ended, and what it printed. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one `chatkeep` command to its end. Nothing of this process's own CHATKEEP_ settings reaches it. */
export async function chatkeep(args: readonly string[], env: Environment, program = MAIN): Promise<CliResult> {
  const child = start(program, args, env);
  const [stdout, stderr, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

async function textOf(stream: Readable | null): Promise<string> {
  return stream === null ? '' : text(stream);
}

/** A running `chatkeep run`, or what runs one for itself, as users run it: a process of its own. */
export class Service {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #watchers = new Set<() => void>();
  #output = '';

  /** @param program that of the sources, unless told: one that npm has installed */
  constructor(env: Environment, program = MAIN, args: readonly string[] = ['run']) {
    this.#child = start(program, args, env);
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        resolve(code);
        this.#notify();
      });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
        this.#notify();
      });
    }
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Everything it has printed. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The exit code; null if a signal ended it. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  /** Calls `listener` with what was printed so far, and then with everything that comes. */
  onOutput(listener: (text: string) => void): void {
    let told = 0;
    const tell = () => {
      if (this.#output.length > told) listener(this.#output.slice(told));
      told = this.#output.length;
    };
    this.#watchers.add(tell);
    tell();
  }

  /** Resolves when the output holds `expected`; rejects with the output if the service ends before, or it takes too long. */
  async printed(expected: string | RegExp, patienceMs = PATIENCE_MS): Promise<void> {
    const holds = () => (typeof expected === 'string' ? this.#output.includes(expected) : expected.test(this.#output));
    const deadline = AbortSignal.timeout(patienceMs);
    while (!holds()) {
      if (deadline.aborted || !this.running) throw new Error(`The service did not print ${expected}:\n${this.#output}`);
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#watchers.delete(done);
          deadline.removeEventListener('abort', done);
          resolve();
        };
        this.#watchers.add(done);
        deadline.addEventListener('abort', done);
      });
    }
  }

  /** SIGTERM, as `docker stop` sends, or SIGINT, as Ctrl-C does; gives the exit code and how long it took, ms. */
  async stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<{ code: number | null; tookMs: number }> {
    const from = performance.now();
    this.#child.kill(signal);
    const code = await this.#ended;
    return { code, tookMs: performance.now() - from };
  }

  /** SIGKILL: what a power cut looks like to the process. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.kill();
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

function start(program: string, args: readonly string[], env: Environment): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('CHATKEEP_'));
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
  // By its first line, as npm installs it.
  return spawn(program, args, {
    env: { ...Object.fromEntries(inherited), PATH: path, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
