import type { AfterCommitConfig } from '../config/index.ts';
import type { ConnectContext, ConnectEditor, MailboxEditor } from './connection.ts';
import { foldersToWatch } from './folders.ts';
import { MailboxError } from './trouble.ts';

export interface MarkOptions extends ConnectContext {
  readonly connect: ConnectEditor;
  /** Where the message may be; else wherever the mailbox is watched by default. */
  readonly folders: readonly string[] | undefined;
  readonly actions: AfterCommitConfig;
}

/**
 * Marks the message of that Message-ID as read, flags it and moves it, as the user likes it, over a short connection of
 * its own. No other message is touched. Doing it again changes nothing more.
 *
 * @returns whether the message was found
 * @throws MailboxError if it could not be done; with `folder-missing` it is for the user to mend
 */
export async function markMessage(
  messageId: string,
  { connect, folders, actions, ...context }: MarkOptions,
): Promise<boolean> {
  const editor = await connect(context);
  try {
    for (const folder of folders ?? foldersToWatch(await editor.listFolders())) {
      const uid = await find(editor, folder, messageId);
      if (uid === undefined) continue;
      await mark(editor, folder, uid, actions);
      return true;
    }
    return false;
  } finally {
    await editor.close();
  }
}

async function find(editor: MailboxEditor, folder: string, messageId: string): Promise<number | undefined> {
  try {
    await editor.open(folder);
  } catch (error) {
    if (error instanceof MailboxError && error.trouble.kind === 'folder-missing') return undefined;
    throw error;
  }
  // A search takes parts of a header for the whole (RFC 9051 section 6.4.4).
  for (const uid of await editor.findMessageId(messageId)) {
    if ((await editor.fetchMeta(uid))?.messageId === messageId) return uid;
  }
  return undefined;
}

async function mark(
  editor: MailboxEditor,
  folder: string,
  uid: number,
  { seen = false, flag, moveTo }: AfterCommitConfig,
): Promise<void> {
  const flags = [...(seen ? ['\\Seen'] : []), ...(flag === undefined ? [] : [flag])];
  if (flags.length > 0 && !(await editor.addFlags(uid, flags))) {
    throw new MailboxError('protocol', `The mail server does not take the flag ${flags.join(', ')} in ${folder}.`);
  }
  if (moveTo !== undefined && moveTo !== folder && !(await editor.move(uid, moveTo))) {
    throw new MailboxError('folder-missing', `The email could not be moved to the folder ${moveTo}: is it there?`);
  }
}
