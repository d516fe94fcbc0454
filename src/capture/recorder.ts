import type { Message } from '../notify/index.ts';
import type { Journal, JournalEntry } from './journal.ts';

/** What is recorded, with the messages to people that go with it. */
export type Record = Omit<JournalEntry, 'notifications'> & { readonly messages?: readonly Message[] };

export interface RecorderOptions {
  readonly journal: Journal;
  /** The ids of the services that an event is for. */
  readonly recipientsOf: (message: Message) => readonly string[];
  /** Called after something was recorded, with that: there may be work, or something to deliver. */
  readonly onRecorded: (recorded: Omit<JournalEntry, 'notifications'>) => void;
}

/** Writes into the journal, and sees to it that each message reaches the outbox in the same transaction. */
export class Recorder {
  readonly #options: RecorderOptions;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  async record({ messages = [], ...entry }: Record): Promise<void> {
    const { journal, recipientsOf, onRecorded } = this.#options;
    await journal.record({
      ...entry,
      notifications: messages.map((message) => ({ message, recipients: recipientsOf(message) })),
    });
    onRecorded(entry);
  }
}
