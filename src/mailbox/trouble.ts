import * as z from 'zod';
import { errorMessage } from '../lib/errors.ts';
import { redactText, type Secret, withoutSecrets } from '../lib/secret.ts';

/** What keeps a mailbox from being watched, or a message from being taken. `detail` is a sentence and holds no secret. */
export interface MailboxTrouble {
  readonly kind: 'unreachable' | 'sign-in-refused' | 'folder-missing' | 'handler-failed' | 'protocol';
  readonly detail: string;
}

/** An error of a connection, with what it means. */
export class MailboxError extends Error {
  override readonly name = 'MailboxError';
  readonly trouble: MailboxTrouble;

  constructor(kind: MailboxTrouble['kind'], detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.trouble = { kind, detail };
  }
}

/** What imapflow attaches to its errors, as far as it is used here; whatever has another type is left out. */
const driverError = z.object({
  code: z.string().optional().catch(undefined),
  authenticationFailed: z.boolean().optional().catch(undefined),
  responseStatus: z.string().optional().catch(undefined),
  responseText: z.string().optional().catch(undefined),
  serverResponseCode: z.string().optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
});

/** Response codes by which a server says that it cannot just now (RFC 5530 section 3; THROTTLED is Yahoo's and Gmail's). */
const TRANSIENT_CODES = new Set([
  'UNAVAILABLE',
  'INUSE',
  'LIMIT',
  'SERVERBUG',
  'THROTTLED',
  'OVERQUOTA',
  'CONTACTADMIN',
]);

/** Servers that throttle or are overloaded refuse a sign-in without a response code, and say so in words only. */
const TRANSIENT_WORDS = /too many|temporar|try again|throttl|rate limit|overload|unavailable|not connected/i;

/** Driver errors that tell of bytes the server should not have sent. */
const PROTOCOL_CODES =
  /^(ParserError|LineTooLarge|LiteralTooLarge|ResponseTooLarge|InvalidResponse|UnexpectedTag|MAX_IMAP)/;

const MOST_DETAIL_CHARACTERS = 300;

/** Which command failed; a refusal means different things. */
export type Doing = 'sign-in' | 'open-folder' | 'command';

/**
 * The meaning of whatever a driver threw.
 *
 * @param where what it is about, for the sentence: the user for a sign-in, the folder's name, or the server
 * @param told what the server was told, and may repeat
 */
export function asMailboxError(
  error: unknown,
  doing: Doing,
  where: string,
  told: readonly Secret[] = [],
): MailboxError {
  if (error instanceof MailboxError) return error;
  const fields = driverError.safeParse(error).data ?? {};
  const said = words(withoutSecrets(fields.responseText ?? fields.reason ?? errorMessage(error), told));
  const refused = fields.responseStatus === 'NO' && !isTransient(fields.serverResponseCode, said);
  if (doing === 'sign-in' && fields.authenticationFailed === true && refused) {
    return new MailboxError('sign-in-refused', `The mail server refused the sign-in of ${where}: ${said}`, error);
  }
  if (doing === 'open-folder' && refused) {
    return new MailboxError('folder-missing', `The folder ${where} cannot be opened: ${said}`, error);
  }
  if (PROTOCOL_CODES.test(fields.code ?? '')) {
    return new MailboxError('protocol', `The mail server sent something that cannot be read: ${said}`, error);
  }
  return new MailboxError('unreachable', `The mail server cannot be used just now: ${said}`, error);
}

function isTransient(code: string | undefined, said: string): boolean {
  return TRANSIENT_CODES.has(code?.toUpperCase() ?? '') || (code === undefined && TRANSIENT_WORDS.test(said));
}

/** Text of a server or a library, fit to be shown: one line, not too long, nothing that may be a secret. */
export function words(text: string): string {
  const line = redactText(text)
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  const short = line.length > MOST_DETAIL_CHARACTERS ? `${line.slice(0, MOST_DETAIL_CHARACTERS)}…` : line;
  return /[.!?…]$/.test(short) ? short : `${short}.`;
}
