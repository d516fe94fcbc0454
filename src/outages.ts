import type { Recorder } from './capture/index.ts';
import type { Clock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { Mutex } from './lib/mutex.ts';
import { formatDuration, formatMoment } from './lib/text.ts';
import { type MailboxState, type OutageNews, OutageTracker } from './mailbox/index.ts';
import type { Message } from './notify/index.ts';

export interface OutageReporterOptions {
  /** The mailbox's name. */
  readonly mailbox: string;
  readonly recorder: Pick<Recorder, 'record'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells people when a mailbox cannot be used, and when it can be again. */
export class OutageReporter {
  readonly #options: OutageReporterOptions;
  readonly #tracker = new OutageTracker();
  readonly #recording = new Mutex();
  /** What could not be recorded yet, in order. */
  readonly #pending: Message[] = [];

  constructor(options: OutageReporterOptions) {
    this.#options = options;
  }

  /** Takes notice of a state. Never throws: what cannot be recorded is tried again the next time. */
  look(state: MailboxState): void {
    const { mailbox, clock } = this.#options;
    const news = this.#tracker.look(state, clock.now());
    if (news !== undefined) this.#pending.push(outageMessage(mailbox, news, clock.now()));
    if (this.#pending.length > 0) void this.#recording.run(() => this.#record());
  }

  async #record(): Promise<void> {
    const { recorder, logger } = this.#options;
    try {
      for (let [message] = this.#pending; message !== undefined; [message] = this.#pending) {
        await recorder.record({ messages: [message] });
        this.#pending.shift();
      }
    } catch (error) {
      logger.warn({ err: error }, 'what is to be told of a mailbox could not be recorded; it is tried again');
    }
  }
}

const MISSED = 'The link of an export lives for 24 hours, so an export that is ready now may be lost';

/** What people are told: what happened, what it means for the backup, what to do, by when. */
export function outageMessage(mailbox: string, news: OutageNews, now: number): Message {
  const { since } = news;
  switch (news.kind) {
    case 'sign-in-refused':
      return {
        event: 'trouble',
        level: 'failure',
        title: 'A mailbox refuses Chatkeep the sign-in',
        body: `${news.trouble.detail}\nUntil that is mended, no export is found in the mailbox "${mailbox}". ${MISSED} unless it is mended by tomorrow. Check the user and the password (or app password) in the configuration, or the consent with \`chatkeep login mail\`.`,
        at: now,
        data: { mailbox, since, reason: news.trouble.detail },
      };
    case 'unreachable':
      return {
        event: 'trouble',
        level: 'warning',
        title: 'A mailbox has been out of reach for an hour',
        body: `The mailbox "${mailbox}" has not been readable since ${formatMoment(since)}. ${news.trouble.detail}\nChatkeep goes on trying, and finds what has arrived meanwhile. ${MISSED} if this lasts for a day. If other programs reach the mailbox, look at \`chatkeep status\`.`,
        at: now,
        data: { mailbox, since, reason: news.trouble.detail },
      };
    case 'recovered':
      return {
        event: 'recovered',
        level: 'info',
        title: 'A mailbox is back',
        body: `The mailbox "${mailbox}" can be read again, after ${formatDuration(now - since)}. What has arrived meanwhile was looked through. Nothing is left to do.`,
        at: now,
        data: { mailbox, since },
      };
  }
}
