import { errorCode } from '../../lib/errors.ts';
import { jsonOf } from '../../lib/json.ts';
import { textWithin } from '../../lib/limited-text.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { TimeoutError, withTimeout } from '../../lib/signals.ts';
import { MailboxError } from '../trouble.ts';

const TIMEOUT_MS = 30_000;
/** Tokens of Microsoft have a few kilobytes. */
const MOST_ANSWER_BYTES = 256 * 1024;

export interface FormAnswer {
  readonly status: number;
  /** The body as JSON; undefined where it is none. */
  readonly body: unknown;
}

/** Posts a form, as the token endpoint takes it (RFC 6749 section 4.1.3). A port, so that tests can stand in. */
export type PostForm = (
  url: string,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<FormAnswer>;

/** @throws MailboxError `unreachable`; its text holds nothing of what was sent */
export const postForm: PostForm = async (url, form, signal) => {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && !isLoopback(hostname)) {
    throw new MailboxError('protocol', `The sign-in service ${hostname} is not asked without encryption.`);
  }
  try {
    return await withTimeout('The answer', TIMEOUT_MS, signal, async (limited) => {
      // Loaded when it is needed first: most mailboxes never do.
      const { request } = await import('undici');
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams(form).toString(),
        signal: limited,
      });
      return { status: statusCode, body: jsonOf(await textWithin(body, MOST_ANSWER_BYTES)) };
    });
  } catch (error) {
    signal.throwIfAborted();
    // The library's own message is not passed on: it could hold what was sent. A code never does.
    throw new MailboxError('unreachable', `The sign-in service ${hostname} ${whyUnreachable(error)}.`);
  }
};

function whyUnreachable(error: unknown): string {
  if (error instanceof TimeoutError) return `did not answer within ${TIMEOUT_MS / 1000} s`;
  if (error instanceof RangeError) return 'sent far more than an answer';
  const code = errorCode(error);
  return `could not be reached${code === undefined ? '' : ` (${code})`}`;
}
