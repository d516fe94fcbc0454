/**
 * The stand-in for OpenAI's side in a container of its own. Run there with its options as the argument, it answers one
 * JSON line for each that it is told; {@link Simulator} is the other end.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createAccount } from '../openai/exports/index.ts';
import { startOpenAi } from '../openai/index.ts';
import type { RequestRecord } from '../openai/request-log.ts';
import type { OpenAiServerOptions, PublishedExport } from '../openai/server.ts';

/** An export to be made and put up for download. */
export interface ExportOrder {
  readonly seed: string;
  readonly assetBytes: number;
  readonly conversationsBytes?: number;
}

export interface Ordered {
  readonly link: string;
  readonly bytes: number;
  /** The mail that says it is ready, base64. */
  readonly mail: string;
}

interface SimulatorOptions {
  readonly server: OpenAiServerOptions;
  /** Where exports, and the authority's certificate, are put. */
  readonly directory: string;
}

type Errand = { readonly order: ExportOrder } | 'requests';

/** A simulator in a container, seen from the test. */
export class Simulator implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  /** With which a service trusts it. */
  readonly settings: Readonly<Record<string, string>>;

  private constructor(
    process: ChildProcessByStdio<Writable, Readable, null>,
    lines: AsyncIterator<string>,
    settings: Readonly<Record<string, string>>,
  ) {
    this.#process = process;
    this.#lines = lines;
    this.settings = settings;
  }

  /** @param command what the command line begins with, up to the container's image */
  static async start([program = '', ...args]: readonly string[], options: SimulatorOptions): Promise<Simulator> {
    const file = fileURLToPath(import.meta.url);
    const child = spawn(
      program,
      [...args, 'node', '--disable-warning=ExperimentalWarning', file, JSON.stringify(options)],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return new Simulator(child, lines, await nextLine(lines));
  }

  order(order: ExportOrder): Promise<Ordered> {
    return this.#run({ order });
  }

  /** Every request for an export so far. */
  requests(): Promise<readonly RequestRecord[]> {
    return this.#run('requests');
  }

  async #run<T>(errand: Errand): Promise<T> {
    this.#process.stdin.write(`${JSON.stringify(errand)}\n`);
    return nextLine<T>(this.#lines);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
  }
}

/** Both ends are ours: what one writes is what the other expects. */
async function nextLine<T>(lines: AsyncIterator<string>): Promise<T> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error('The simulator has ended.');
  return JSON.parse(value) as T;
}

async function serve({ server, directory }: SimulatorOptions): Promise<void> {
  await using openai = await startOpenAi(directory, server);
  const published: PublishedExport[] = [];
  const answer = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
  answer(openai.settings);
  for await (const line of createInterface({ input: process.stdin })) {
    const errand = JSON.parse(line) as Errand;
    if (errand === 'requests') {
      answer(published.flatMap(({ requests }) => requests));
      continue;
    }
    const { seed, ...size } = errand.order;
    const account = createAccount({ seed, email: 'ada@example.test', conversations: 10 });
    const made = await openai.publishExport(account, { directory, form: 'estuary', ...size });
    published.push(made.published);
    const mail = (await openai.readyMail(made.published)).toString('base64');
    answer({ link: made.published.link, bytes: made.facts.bytes, mail } satisfies Ordered);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await serve(JSON.parse(process.argv[2] ?? '{}') as SimulatorOptions);
}
