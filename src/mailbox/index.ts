/** The room of mailboxes: IMAP folders are watched, and messages that may be notices handed on. */
export type { ConnectMailbox, MailboxConnection, MessageMeta, OpenFolder } from './connection.ts';
export { imapConnector } from './imap.ts';
export { MESSAGE_MOST_BYTES, type MessageHandler, type RawMessage, type SeenMessages } from './message.ts';
export { MailboxError, type MailboxTrouble } from './trouble.ts';
export { type MailboxState, MailboxWatcher, type MailboxWatcherOptions } from './watcher.ts';
