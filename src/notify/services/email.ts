import wellKnown from 'nodemailer/lib/well-known';
import { SECOND_MS } from '../../lib/clock.ts';
import { errorCode } from '../../lib/errors.ts';
import { sha256 } from '../../lib/hash.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { TimeoutError, withTimeout } from '../../lib/signals.ts';
import { formatMoment } from '../../lib/text.ts';
import { type Address, addressError, hostOf, parametersOf } from '../address.ts';
import { SIGNS } from '../level.ts';
import type { Message } from '../message.ts';
import { DeliveryError, type Destination } from '../service.ts';
import { subjectOf } from '../subject.ts';

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
  open(address: Address): Destination[] {
    const server = serverOf(address);
    const envelope = envelopeOf(address);
    const label = `${NAME} through ${hostOf({ hostname: server.host, port: address.port })}`;
    return [
      { label, send: (message, { signal, key }) => sendMail(label, server, mailOf(envelope, message, key), signal) },
    ];
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

/** Of other programs: their subject, their HTML, and their ways to say how the connection is encrypted. */
const IGNORED = [
  'name',
  'fromname',
  'subject',
  'title',
  'usehtml',
  'usestarttls',
  'auth',
  'encryption',
  'clienthost',
  'mode',
];

function isMailto({ scheme }: Address): boolean {
  return scheme === 'mailto' || scheme === 'mailtos';
}

function envelopeOf(address: Address): Envelope {
  const parameters = parametersOf(NAME, address, ['from', 'fromaddress', 'to', 'toaddresses'], IGNORED);
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

function mailOf({ from, to }: Envelope, message: Message, key: string) {
  const domain = from.slice(from.lastIndexOf('@') + 1);
  const thread = threadOf(message, domain);
  return {
    from: { name: 'Chatkeep', address: from },
    to: [...to],
    subject: message.title,
    text: `${message.body}\n\n-- \nChatkeep, ${formatMoment(message.at)}\n`,
    html: htmlOf(message),
    date: new Date(message.at),
    // The same at each attempt: mail servers and programs show a message that they have already once only.
    messageId: `<${key}@${domain}>`,
    ...(thread === undefined ? {} : { inReplyTo: thread, references: thread }),
    headers: {
      // RFC 3834 section 5: no out-of-office answers, please; Microsoft's way to say so is the second.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      ...(message.level === 'failure' ? { Importance: 'high' } : {}),
    },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/**
 * The id of a message that was never sent: mail programs gather the messages that refer to it. It is the same for all
 * that is told of one capture, whatever was delivered before.
 */
function threadOf(message: Message, domain: string): string | undefined {
  const subject = subjectOf(message);
  return subject === undefined ? undefined : `<thread-${sha256(subject).slice(0, 32)}@${domain}>`;
}

const COLOURS: Readonly<Record<Message['level'], string>> = {
  info: '#3b82f6',
  success: '#16a34a',
  warning: '#d97706',
  failure: '#dc2626',
};

/**
 * No colour is set for text or background, so that each program shows it in its own, light or dark; the level's stripe
 * can be seen on both.
 */
function htmlOf({ level, title, body, at }: Message): string {
  const paragraphs = body.split(/\n{2,}/).map((text) => `<p>${escaped(text).replaceAll('\n', '<br>')}</p>`);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"></head>',
    '<body style="font-family: sans-serif; line-height: 1.5">',
    `<div style="max-width: 40em; border-left: 4px solid ${COLOURS[level]}; padding-left: 1em">`,
    `<h2 style="font-size: 1.2em">${SIGNS[level]} ${escaped(title)}</h2>`,
    ...paragraphs,
    `<p style="opacity: 0.7">Chatkeep, ${formatMoment(at)}</p>`,
    '</div></body></html>',
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
