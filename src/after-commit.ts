import { type Capture, isKept } from './capture/index.ts';
import type { MailboxConfig } from './config/index.ts';
import { backoffMs } from './lib/backoff.ts';
import { type Clock, HOUR_MS, MINUTE_MS, type Random } from './lib/clock.ts';
import { errorMessage } from './lib/errors.ts';
import type { Logger } from './lib/logger.ts';
import { Alarm } from './lib/wake.ts';
import { imapEditorConnector, markMessage, type SignIn } from './mailbox/index.ts';

export interface AfterCommitOptions {
  readonly mailboxes: readonly MailboxConfig[];
  /** By the mailbox's name. */
  readonly signIns: ReadonlyMap<string, SignIn>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Task {
  readonly mailbox: MailboxConfig;
  readonly messageId: string;
  attempt: number;
  dueAt: number;
}

const RETRY = { firstMs: MINUTE_MS, mostMs: HOUR_MS };
/** Almost a day. The snapshot is safe; a mark that is missing harms nobody. */
const MOST_ATTEMPTS = 24;
const LOOK_EVERY_MS = HOUR_MS;

/** Does to an email what the user likes once its export is in the backup (`after_commit`). */
export class AfterCommit {
  readonly #options: AfterCommitOptions;
  readonly #alarm: Alarm;
  #tasks: Task[] = [];

  constructor(options: AfterCommitOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** Takes notice of captures that have changed. */
  look(captures: readonly Capture[]): void {
    for (const capture of captures) {
      const { origin } = capture;
      if (!isKept(capture) || origin.kind !== 'notice' || origin.messageId === undefined) continue;
      const mailbox = this.#options.mailboxes.find(({ name }) => name === origin.mailbox);
      if (mailbox?.afterCommit === undefined) continue;
      this.#tasks.push({ mailbox, messageId: origin.messageId, attempt: 0, dueAt: this.#options.clock.now() });
      this.#alarm.wake();
    }
  }

  /** Does what is due until the signal aborts. What is left then is not done any more. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const now = this.#options.clock.now();
      for (const task of this.#tasks.filter(({ dueAt }) => dueAt <= now)) await this.#try(task, signal);
      const next = Math.min(now + LOOK_EVERY_MS, ...this.#tasks.map(({ dueAt }) => dueAt));
      await this.#alarm.sleep(Math.max(0, next - this.#options.clock.now()), signal);
    }
  }

  async #try(task: Task, signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#options;
    const { mailbox } = task;
    try {
      const found = await this.#mark(task, signal);
      this.#drop(task);
      logger.debug({ mailbox: mailbox.name, found }, 'the email of a snapshot was marked');
    } catch (error) {
      if (signal.aborted) return;
      task.attempt += 1;
      task.dueAt = clock.now() + backoffMs(task.attempt, RETRY, random);
      if (task.attempt >= MOST_ATTEMPTS) this.#drop(task);
      logger.warn({ mailbox: mailbox.name }, `the email of a snapshot could not be marked: ${errorMessage(error)}`);
    }
  }

  async #mark({ mailbox, messageId }: Task, signal: AbortSignal): Promise<boolean> {
    const { folders, afterCommit: actions = {}, name } = mailbox;
    const signIn = this.#options.signIns.get(name);
    const connect = imapEditorConnector(mailbox, signIn === undefined ? {} : { signIn });
    return markMessage(messageId, { connect, folders, actions, clock: this.#options.clock, signal });
  }

  #drop(done: Task): void {
    this.#tasks = this.#tasks.filter((task) => task !== done);
  }
}
