import type { Command } from 'commander';
import { DEFAULT_CONFIG_PATH } from '../config/index.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { exists } from '../lib/files.ts';
import { optionsOf } from './context.ts';

/** What the image sets by itself. */
const SET_BY_THE_IMAGE = ['CHATKEEP_BACKUP_DIR', 'CHATKEEP_STATE_DIR'];

const WHAT_TO_SET = `nothing is set yet. These variables are enough for one mailbox:
  CHATKEEP_IMAP_HOST              the mail server, imap.example.com
  CHATKEEP_IMAP_USER              the name to log in with, you@example.com
  CHATKEEP_IMAP_PASSWORD_FILE     a file with the (app) password, /run/secrets/imap_password
  CHATKEEP_BACKUP_DIR             where snapshots are kept (the container image has set it)
  CHATKEEP_DOWNLOAD_COOKIES_FILE  your ChatGPT login, as exported by a browser: docs/login.md
  CHATKEEP_NOTIFY                 who is told when a backup is done, ntfy://ntfy.sh/your-secret-topic
All others, and several mailboxes, can be set in a YAML file: config/chatkeep.example.yaml explains them.`;

/**
 * On a first start without any configuration, what to set is told, instead of what is wrong.
 * @throws ChatkeepError `config` if nothing is set at all
 */
export async function explainFirstStart(command: Command): Promise<void> {
  if (await isAnythingSet(optionsOf(command).config)) return;
  throw new ChatkeepError('config', WHAT_TO_SET, {
    next: 'In Docker: set them in compose.yaml, then `docker compose up -d`. Else: `chatkeep config check`, then `chatkeep run`.',
  });
}

async function isAnythingSet(path: string | undefined): Promise<boolean> {
  const names = Object.keys(process.env).filter((name) => name.startsWith('CHATKEEP_') && process.env[name] !== '');
  if (path !== undefined || names.some((name) => !SET_BY_THE_IMAGE.includes(name))) return true;
  // What cannot be looked at is there, and is told when it is read.
  return exists(DEFAULT_CONFIG_PATH).catch(() => true);
}
