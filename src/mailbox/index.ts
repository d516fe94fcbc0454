/** The room of mailboxes: IMAP folders are watched, and messages that may be notices handed on. */
export { type MarkOptions, markMessage } from './actions.ts';
export type {
  ConnectEditor,
  ConnectMailbox,
  MailboxConnection,
  MailboxEditor,
  MessageMeta,
  OpenFolder,
} from './connection.ts';
export type { ConnectorOptions, ImapLimits } from './driver.ts';
export { foldersToWatch, type ListedFolder } from './folders.ts';
export { imapConnector, imapEditorConnector } from './imap.ts';
export { type LoginDialogue, type LoginOptions, logInToMailbox } from './login.ts';
export { MESSAGE_MOST_BYTES, type MessageHandler, type RawMessage, type SeenMessages } from './message.ts';
export { type OutageNews, OutageTracker } from './outage.ts';
export { createSignIn, type SignIn } from './sign-in.ts';
export { MailboxError, type MailboxTrouble } from './trouble.ts';
export { type MailboxState, MailboxWatcher, type MailboxWatcherOptions } from './watcher.ts';
