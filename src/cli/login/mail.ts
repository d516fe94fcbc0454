import { stdin } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import type { Config, MailboxConfig, OAuth2Config } from '../../config/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { ChatkeepError } from '../../lib/errors.ts';
import { formatMoment } from '../../lib/text.ts';
import { imapConnector, type LoginDialogue, logInToMailbox, MailboxError } from '../../mailbox/index.ts';
import { loadForCommand, stopSignal } from '../context.ts';
import { printLine } from '../output.ts';

type MailboxWithConsent = MailboxConfig & { readonly oauth2: OAuth2Config };

/** `chatkeep login mail [MAILBOX]`: consent to read a mailbox, given once. */
export function loginMailCommand(): Command {
  return new Command('mail')
    .description('ask the owner of a mailbox for consent to read it (OAuth2), and keep that for the service')
    .argument('[mailbox]', 'the mailbox as the configuration names it; needed if several sign in with consent')
    .action(async (name: string | undefined, _options: unknown, command: Command) => {
      const { config } = await loadForCommand(command);
      const mailbox = choose(config, name);
      const signal = stopSignal();
      await logIn(mailbox, signal);
      printLine('Consent is stored. Trying it out …');
      await tryOut(mailbox, signal);
      printLine(`Done: Chatkeep can read the mailbox "${mailbox.name}". A service that runs goes on by itself.`);
    });
}

function choose({ mailboxes }: Config, name: string | undefined): MailboxWithConsent {
  const withConsent = mailboxes.filter((mailbox): mailbox is MailboxWithConsent => mailbox.oauth2 !== undefined);
  const names = withConsent.map((mailbox) => mailbox.name).join(', ');
  if (withConsent.length === 0) {
    throw new ChatkeepError('config', 'No mailbox signs in with consent.', {
      next: 'Put `oauth2` into the mailbox’s settings first; config/chatkeep.example.yaml shows how.',
    });
  }
  const [only] = withConsent;
  if (name === undefined && withConsent.length === 1 && only !== undefined) return only;
  const found = withConsent.find((mailbox) => mailbox.name === name);
  if (found !== undefined) return found;
  throw name === undefined
    ? new ChatkeepError('usage', `Several mailboxes sign in with consent: ${names}.`, { next: 'Name one of them.' })
    : new ChatkeepError('not-found', `No mailbox "${name}" signs in with consent; there is ${names}.`, {
        next: 'Name one of these.',
      });
}

async function logIn(mailbox: MailboxWithConsent, signal: AbortSignal): Promise<void> {
  const lines = createInterface({ input: stdin });
  try {
    await logInToMailbox(mailbox, { dialogue: dialogueOver(lines, mailbox), signal });
  } catch (error) {
    signal.throwIfAborted();
    throw asCommandError(error);
  } finally {
    lines.close();
    // A terminal that is read from keeps the process alive.
    stdin.destroy();
  }
}

function dialogueOver(lines: ReturnType<typeof createInterface>, { user }: MailboxConfig): LoginDialogue {
  const iterator = lines[Symbol.asyncIterator]();
  return {
    showCode({ address, code, expiresAt }) {
      printLine(`Open ${address} in any browser, sign in as ${user}, and type in this code: ${code}`);
      printLine(`It is good until ${formatMoment(expiresAt)}. Waiting …`);
    },
    showAddress({ address, redirect }) {
      printLine(`Open this address in a browser, and sign in as ${user}:`);
      printLine(`\n${address}\n`);
      printLine(
        'If the browser runs on this machine, that is all. If it runs on another one, it ends with a page that',
      );
      printLine(`cannot be opened, at an address that begins with ${redirect}. Paste that whole address here:`);
    },
    async nextLine() {
      const { value, done } = await iterator.next();
      return done === true ? undefined : value;
    },
    complain: printLine,
  };
}

/** Whoever gave consent may be another one than the owner of the mailbox, or the mailbox may not be open to IMAP. */
async function tryOut(mailbox: MailboxConfig, signal: AbortSignal): Promise<void> {
  try {
    const connection = await imapConnector(mailbox)({ clock: systemClock, signal });
    await connection.close();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof MailboxError && error.trouble.kind === 'sign-in-refused') {
      throw new ChatkeepError('unhealthy', error.message, {
        cause: error,
        next: `Sign in as ${mailbox.user}, see to it that IMAP is switched on for that account, and run this again.`,
      });
    }
    throw asCommandError(error);
  }
}

function asCommandError(error: unknown): unknown {
  if (!(error instanceof MailboxError)) return error;
  return new ChatkeepError('unhealthy', error.message, { cause: error, next: 'Run this again.' });
}
