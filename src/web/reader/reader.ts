import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as z from 'zod';
import { programFiles, startApart } from '../../lib/apart.ts';
import { SECOND_MS } from '../../lib/clock.ts';
import { Mutex } from '../../lib/mutex.ts';
import { programBeside } from '../../lib/program-beside.ts';
import { TimeLimit } from '../../lib/signals.ts';
import type { Dialogue } from './questions.ts';

/** Enough for the largest conversation that can be indexed. */
const HEAP_MEGABYTES = 1024;
/** Longer than the largest conversations take on a slow machine. */
const TIME_LIMIT_MS = 30 * SECOND_MS;

export interface ReaderOptions {
  readonly backupDir: string;
  readonly catalogDirectory: string;
  readonly timeLimitMs?: number;
}

/** It could not be read: it takes too long, or more memory than there is. */
export class ReaderFailure extends Error {
  override readonly name = 'ReaderFailure';
}

class EndedIdle extends Error {}

/**
 * Reads, searches and renders conversations in a process of its own, which may read the backup directory and nothing
 * else: a conversation may be of any size and any malice, and the service has exports to fetch. One question is
 * answered at a time; a process that dies is started anew for the next one.
 */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #turn = new Mutex();
  #child: ChildProcess | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /**
   * @throws ReaderFailure; the signal's reason, when its turn has come, or the answer
   */
  ask<K extends keyof Dialogue>(
    kind: K,
    question: Dialogue[K]['question'],
    signal: AbortSignal,
  ): Promise<Dialogue[K]['answer']> {
    return this.#turn.run(async () => {
      signal.throwIfAborted();
      const answer = await this.#exchange({ kind, question });
      signal.throwIfAborted();
      // The program answers each question by its kind.
      return answer as Dialogue[K]['answer'];
    });
  }

  async #exchange(message: object): Promise<unknown> {
    try {
      return await this.#attempt(message);
    } catch (error) {
      // It had nothing to do, and ended while the question was on its way.
      if (error instanceof EndedIdle) return this.#attempt(message);
      throw error;
    }
  }

  async #attempt(message: object): Promise<unknown> {
    const child = await this.#process();
    child.ref();
    child.channel?.ref();
    const settled = new AbortController();
    using limit = new TimeLimit(
      this.#options.timeLimitMs ?? TIME_LIMIT_MS,
      'It takes too long to read.',
      settled.signal,
    );
    const either = { signal: limit.signal };
    const answered = once(child, 'message', either);
    const died = once(child, 'exit', either).then(([code]) => {
      throw code === 0 ? new EndedIdle() : new ReaderFailure('The process that reads conversations has died.');
    });
    let reply: readonly unknown[];
    try {
      child.send(message);
      reply = await Promise.race([answered, died]);
    } catch (error) {
      this.#child = undefined;
      child.kill('SIGKILL');
      throw limit.isOver ? new ReaderFailure('It takes too long to read.') : error;
    } finally {
      settled.abort();
      answered.catch(() => {});
      died.catch(() => {});
      child.unref();
      child.channel?.unref();
    }
    return answerIn(reply);
  }

  async #process(): Promise<ChildProcess> {
    if (this.#child?.connected === true) return this.#child;
    const { backupDir, catalogDirectory } = this.#options;
    this.#child = await startApart({
      file: programBeside(import.meta.url, './process'),
      args: [catalogDirectory],
      heapMegabytes: HEAP_MEGABYTES,
      mayOnlyRead: [backupDir, catalogDirectory, ...programFiles()],
    });
    return this.#child;
  }
}

const messageSchema = z.union([z.object({ answer: z.unknown() }).strict(), z.object({ error: z.string() }).strict()]);

function answerIn([message]: readonly unknown[]): unknown {
  const parsed = messageSchema.parse(message);
  if ('error' in parsed) throw new ReaderFailure(parsed.error);
  return parsed.answer;
}
