import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { answerOf } from '../lib/ask-thread.ts';
import { Mutex } from '../lib/mutex.ts';
import { programBeside } from '../lib/program-beside.ts';
import { catalogFile } from './database.ts';
import type { Activity, ActivityQuestion } from './reading/activity.ts';

const ANSWERS_KEPT = 8;

/**
 * Counts activity in a thread, so that nobody waits for it but who asks, and keeps the last answers for as long as the
 * catalog stays what it was.
 */
export class ActivityReader {
  readonly #directory: string;
  readonly #signal: AbortSignal;
  readonly #answers = new Map<string, Promise<Activity | undefined>>();
  readonly #oneAtATime = new Mutex();

  /** @param signal ends what is being counted */
  constructor(directory: string, signal: AbortSignal) {
    this.#directory = directory;
    this.#signal = signal;
  }

  /**
   * Undefined where there is no catalog yet.
   * @throws what SQLite says; RangeError for a time zone that is not known; the signal's reason
   */
  async read(question: ActivityQuestion): Promise<Activity | undefined> {
    const name = JSON.stringify([await this.#state(), question.account, question.zone]);
    const answer = this.#answers.get(name) ?? this.#oneAtATime.run(() => this.#count(question));
    this.#answers.delete(name);
    this.#answers.set(name, answer);
    for (const oldest of this.#answers.keys()) if (this.#answers.size > ANSWERS_KEPT) this.#answers.delete(oldest);
    try {
      return await answer;
    } catch (error) {
      this.#answers.delete(name);
      throw error;
    }
  }

  /** Changes whenever something is written to the catalog. */
  async #state(): Promise<string> {
    const path = catalogFile(this.#directory);
    const states = [path, `${path}-wal`].map(async (file) => {
      const stats = await stat(file).catch(() => undefined);
      return stats === undefined ? '' : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
    });
    return (await Promise.all(states)).join(' ');
  }

  async #count(question: ActivityQuestion): Promise<Activity | undefined> {
    const file = programBeside(import.meta.url, './activity-thread');
    const thread = new Worker(file, { workerData: { directory: this.#directory, question }, env: {} });
    try {
      // Our own thread has made it.
      return (await answerOf(thread, this.#signal)) as Activity | undefined;
    } finally {
      await thread.terminate();
    }
  }
}
