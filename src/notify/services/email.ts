import wellKnown from 'nodemailer/lib/well-known';
import { SECOND_MS } from '../../lib/clock.ts';
import { errorCode } from '../../lib/errors.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { TimeoutError, withTimeout } from '../../lib/signals.ts';
import { formatMoment } from '../../lib/text.ts';
import { type Address, addressError, hostOf, parametersOf } from '../address.ts';
import type { Message } from '../message.ts';
import { DeliveryError, type Destination } from '../service.ts';

const NAME = 'e-mail';

/** For the whole way, from the connection to the server's last word: mail servers are allowed to think. */
const TIMEOUT_MS = 30 * SECOND_MS;
/** For the connection, and for any silence on it. */
const SILENCE_MS = 10 * SECOND_MS;
const CLOSE_MS = SECOND_MS;

const SUBMISSION_PORT = 587;
const IMPLICIT_TLS_PORT = 465;

export const email = {
  name: NAME,
  schemes: ['smtp', 'smtps', 'mailto', 'mailtos'],
  open(address: Address): Destination {
    const server = serverOf(address);
    const envelope = envelopeOf(address);
    const label = `${NAME} through ${hostOf({ hostname: server.host, port: address.port })}`;
    return { label, send: (message, { signal }) => sendMail(label, server, mailOf(envelope, message), signal) };
  },
};

interface Server {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; else STARTTLS when the server offers it. */
  readonly secure: boolean;
  /** Without TLS, nothing is sent. */
  readonly requireTLS: boolean;
  readonly auth: { user: string; pass: string } | undefined;
}

interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
}

/**
 * Where mail is handed in. A password never goes over the network in clear text. The domain of a well-known provider
 * (Apprise: `mailto://me:password@gmail.com`) stands for its mail server.
 */
function serverOf(address: Address): Server {
  const { scheme, user, password } = address;
  if (address.path !== '' && address.path !== '/') {
    throw addressError(NAME, 'has a path: write special characters of user and password in percent form (/ is %2F)');
  }
  if ((user === '') !== (password === '')) throw addressError(NAME, 'has only one of user and password');
  const mayBeKnown = isMailto(address) && address.port === undefined && address.hostname.includes('.');
  const known = (mayBeKnown && wellKnown(address.hostname)) || { host: undefined, port: undefined };
  const host = known.host ?? address.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = address.port ?? Number(known.port ?? (scheme === 'smtps' ? IMPLICIT_TLS_PORT : SUBMISSION_PORT));
  const secret = password !== '';
  return {
    host,
    port,
    secure: scheme === 'smtps' || port === IMPLICIT_TLS_PORT,
    requireTLS: scheme === 'mailtos' || (secret && !isLoopback(host)),
    auth: secret ? { user, pass: password } : undefined,
  };
}

function isMailto({ scheme }: Address): boolean {
  return scheme === 'mailto' || scheme === 'mailtos';
}

function envelopeOf(address: Address): Envelope {
  const parameters = parametersOf(NAME, address, ['from', 'fromaddress', 'to', 'toaddresses']);
  const { user, hostname } = address;
  const own = user.includes('@') ? user : isMailto(address) && user !== '' ? `${user}@${hostname}` : undefined;
  const from = parameters.get('from') ?? parameters.get('fromaddress') ?? own;
  const to = parameters.get('to') ?? parameters.get('toaddresses') ?? (isMailto(address) ? own : undefined);
  if (from === undefined) throw addressError(NAME, 'names no sender: add ?from=chatkeep@example.org');
  if (to === undefined) throw addressError(NAME, 'names no recipient: add ?to=me@example.org (or &to= after ?from=)');
  const recipients = to.split(',').map((part) => part.trim());
  if (![from, ...recipients].every(isMailAddress)) {
    throw addressError(NAME, 'has a sender or recipient that is not an e-mail address such as me@example.org');
  }
  return { from, to: recipients };
}

/** A bare address: what could break out of a header, or add a second address, is refused. */
function isMailAddress(text: string): boolean {
  return /^[^\s\p{Cc}@<>()[\]\\,;:"]{1,64}@[^\s\p{Cc}@<>()[\]\\,;:"]{1,255}$/u.test(text);
}

function mailOf({ from, to }: Envelope, message: Message) {
  return {
    from: { name: 'Chatkeep', address: from },
    to: [...to],
    subject: message.title,
    text: `${message.body}\n\n-- \nChatkeep, ${formatMoment(message.at)}\n`,
    html: htmlOf(message),
    // RFC 3834 section 5: no out-of-office answers, please.
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function htmlOf({ title, body, at }: Message): string {
  const paragraphs = body.split(/\n{2,}/).map((text) => `<p>${escaped(text).replaceAll('\n', '<br>')}</p>`);
  return [
    '<!doctype html>',
    '<html lang="en"><body style="font-family: sans-serif">',
    `<h2>${escaped(title)}</h2>`,
    ...paragraphs,
    `<p style="color: #666">Chatkeep, ${formatMoment(at)}</p>`,
    '</body></html>',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

async function sendMail(
  label: string,
  server: Server,
  mail: ReturnType<typeof mailOf>,
  parent: AbortSignal,
): Promise<void> {
  // Loaded when the first message is sent: most commands never send one.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    ...server,
    connectionTimeout: SILENCE_MS,
    greetingTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    socketCloseTimeout: CLOSE_MS,
  });
  try {
    await withTimeout(label, TIMEOUT_MS, parent, (signal) => transport.sendMail({ ...mail, signal }));
  } catch (error) {
    parent.throwIfAborted();
    throw new DeliveryError(`${label} ${whyRefused(error)}`);
  } finally {
    transport.close();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EAUTH: 'does not accept the user and password of the address',
  EENVELOPE: 'does not accept the sender or a recipient of the address',
  EMESSAGE: 'does not accept the message',
  ETLS: 'cannot encrypt the connection',
  ETIMEDOUT: 'did not answer in time',
};

/** The server's own words are not passed on: they may repeat the address. Codes never do. */
function whyRefused(error: unknown): string {
  if (error instanceof TimeoutError) return `took longer than ${TIMEOUT_MS / SECOND_MS} s`;
  const code = errorCode(error);
  const status = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0;
  if (error instanceof Error && /certificate/i.test(error.message)) return 'has a certificate that cannot be trusted';
  const reason = REASONS[code ?? ''] ?? `could not be reached${code === undefined ? '' : ` (${code})`}`;
  return status > 0 ? `${reason} (${status})` : reason;
}
