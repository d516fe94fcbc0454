/**
 * The stand-in for OpenAI's server with one export, in a process of its own, so that it takes no time of the one that is
 * looked at. Forked with the options as its argument; told `report`, it tells what was asked for; it ends with its parent.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RequestRecord } from './request-log.ts';
import { type Fault, type OpenAiServerOptions, startOpenAiServer } from './server.ts';

export interface ServerProcessOptions {
  readonly server?: Pick<OpenAiServerOptions, 'host' | 'port' | 'bearerTokens' | 'bytesPerSecond' | 'latencyMs'>;
  /** The export's size. */
  readonly bytes: number;
  /** What befalls every request. */
  readonly always?: Fault;
}

/** What the process tells its parent first. */
export interface ServerFacts {
  readonly link: string;
  readonly origin: string;
  readonly exportId: string;
  readonly certPem: string;
}

/** The server, seen from its parent. */
export class ServerProcess {
  readonly facts: ServerFacts;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, facts: ServerFacts) {
    this.#child = child;
    this.facts = facts;
  }

  /** @param command what the command line begins with: a network namespace's */
  static async start(options: ServerProcessOptions, command: readonly string[] = []): Promise<ServerProcess> {
    const [execPath = process.execPath, ...before] = [...command, process.execPath];
    const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(options)], {
      execPath,
      execArgv: [...before, '--disable-warning=ExperimentalWarning'],
    });
    return new ServerProcess(child, await nextMessage<ServerFacts>(child));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The requests so far. */
  async requests(): Promise<readonly RequestRecord[]> {
    this.#child.send('report');
    return nextMessage<readonly RequestRecord[]>(this.#child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }
}

/** Both ends are ours: what one sends is what the other expects. */
async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('The server process has ended.');
  });
  ended.catch(() => {});
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [T];
  return message;
}

async function serve({ server: options, bytes, always }: ServerProcessOptions): Promise<void> {
  const server = await startOpenAiServer(options);
  const published = server.publish({ form: 'estuary', body: { generated: bytes } });
  published.always = always;
  const { link, exportId } = published;
  process.on('message', () => process.send?.(published.requests));
  process.on('disconnect', () => process.exit());
  process.send?.({ link, origin: server.origin, exportId, certPem: server.authority.certPem } satisfies ServerFacts);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send !== undefined) {
  await serve(JSON.parse(process.argv[2] ?? '{}') as ServerProcessOptions);
}
