import { errorMessage } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { formatBytes } from '../lib/text.ts';
import { type Authenticity, authenticate } from './authenticity.ts';
import { type MessageBody, readBody } from './body.ts';
import { type HeaderField, readHeaders, readSender, type Sender } from './headers.ts';
import type { Notice, RefusalReason, RefusedNotice } from './notice.ts';
import {
  type LinkReading,
  PROVIDER,
  readLink,
  SENDER_DOMAIN,
  SIGNING_DOMAINS,
  subjectKind,
} from './providers/openai.ts';
import type { ResolveTxt } from './resolver.ts';

/** What is asked of a message before its link is followed: a proof, a word in the record, or nothing. */
export type AuthenticityPolicy = 'require' | 'warn' | 'off';

export interface ReadOptions {
  /** `https://host[:port]`: where links may lead beside the provider's own places. */
  readonly extraOrigins: readonly string[];
  readonly authenticity: AuthenticityPolicy;
  /** Name by which the user's own mail server signs its Authentication-Results. */
  readonly authservId?: string | undefined;
  readonly resolveTxt: ResolveTxt;
  /** ms UTC. */
  readonly now: number;
}

/** A message to read. */
export interface Message {
  /** The whole message, or undefined where it was too large to be fetched. */
  readonly source: Buffer | undefined;
  /** When the server received it, ms UTC. */
  readonly receivedAt: number;
}

/** Honest notices have tens of kilobytes; larger messages are judged by their header alone. */
export const NOTICE_MOST_BYTES = 500_000;

type ExportLink = Extract<LinkReading, { kind: 'export' }>;

/**
 * Decides what a message is. Who sent it and where its link leads decide, not its words: those only tell a notice that
 * has started from other mail, and make an impostor known as one.
 *
 * Never throws, and takes bounded time, whatever the bytes are.
 */
export async function readNotice(message: Message, options: ReadOptions): Promise<Notice> {
  try {
    return await judge(message, options);
  } catch (error) {
    return unrelated(`it cannot be read as an email (${errorMessage(error)})`);
  }
}

async function judge({ source, receivedAt }: Message, options: ReadOptions): Promise<Notice> {
  if (source === undefined) return refused('too-large', 'It is too large to be fetched.');
  const fields = readHeaders(source);
  if (fields === undefined) return unrelated('its header is too long');
  const sender = readSender(fields);
  const isTrusted = sender.kind === 'one' && sender.domain === SENDER_DOMAIN;
  if (source.length > NOTICE_MOST_BYTES) {
    const size = formatBytes(source.length);
    return isTrusted
      ? refused('too-large', `It has ${size}; an honest notice has a few kilobytes.`)
      : unrelated(`it has ${size}`);
  }
  // A server's clock that is ahead must not lengthen a deadline.
  const received = Math.min(receivedAt, options.now);
  let body: MessageBody;
  try {
    body = await readBody(source);
  } catch (error) {
    const why = errorMessage(error);
    return isTrusted ? refused('no-link', `It cannot be read: ${why}.`) : unrelated(`it cannot be read (${why})`);
  }
  const links = body.links.map((link) => readLink(link, received, options.extraOrigins));
  if (!isTrusted) return judgeStranger(sender, body.subject, links);
  const prove = () => proveSender({ source, fields, received }, options);
  return judgeProvider(body.subject, links, prove, options.authenticity);
}

/** A message of anybody but the provider: refused if it passes itself off as a notice. */
function judgeStranger(sender: Sender, subject: string, links: readonly LinkReading[]): Notice {
  const claims = links.some(({ kind }) => kind !== 'other') || subjectKind(subject) === 'ready';
  if (!claims) return unrelated(`its sender is not ${SENDER_DOMAIN}`);
  switch (sender.kind) {
    case 'several':
      return refused('several-senders', 'It names several senders.');
    case 'none':
      return refused('sender-not-trusted', 'It names no sender.');
    case 'one':
      return refused('sender-not-trusted', `It comes from ${shown(sender.domain)} and not from ${SENDER_DOMAIN}.`);
  }
}

/** A message that says it is the provider's. */
async function judgeProvider(
  subject: string,
  links: readonly LinkReading[],
  prove: () => Promise<Authenticity>,
  policy: AuthenticityPolicy,
): Promise<Notice> {
  const suspicious = links.find(({ kind }) => kind === 'suspicious');
  if (suspicious?.kind === 'suspicious') {
    return refused('link-not-trusted', `Its download link ${suspicious.why}.`);
  }
  const exports = links.filter((link): link is ExportLink => link.kind === 'export');
  const [first] = exports;
  if (new Set(exports.map(({ exportId }) => exportId)).size > 1) {
    return refused('link-not-trusted', 'It holds links to different exports; an honest notice holds one.');
  }
  if (first === undefined && links.some(({ kind }) => kind === 'malformed')) {
    return refused('link-not-trusted', 'Its download link is not formed as an export’s link is.');
  }
  const kind = subjectKind(subject);
  if (first === undefined && kind === undefined) return unrelated('it is another mail of the provider');
  const proof = accepted(policy === 'off' ? undefined : await prove(), policy);
  if (proof.kind !== 'accepted') return proof;
  if (first !== undefined) {
    const { exportId, exportTime, deadline, href } = first;
    return {
      kind: 'ready',
      provider: PROVIDER,
      exportId,
      link: new Secret(href),
      exportTime,
      deadline,
      proof: proof.proof,
    };
  }
  if (kind === 'started') return { kind: 'started', provider: PROVIDER };
  return refused('no-link', 'It says that an export is ready, and holds no download link that Chatkeep knows.');
}

function proveSender(
  { source, fields, received }: { source: Buffer; fields: readonly HeaderField[]; received: number },
  { authservId, resolveTxt }: ReadOptions,
): Promise<Authenticity> {
  return authenticate({
    source,
    fields,
    domain: SENDER_DOMAIN,
    signingDomains: SIGNING_DOMAINS,
    receivedAt: received,
    authservId,
    resolveTxt,
  });
}

/** What the policy makes of the proof, or of its lack. */
function accepted(
  authenticity: Authenticity | undefined,
  policy: AuthenticityPolicy,
): { readonly kind: 'accepted'; readonly proof: string } | RefusedNotice | Extract<Notice, { kind: 'undecided' }> {
  if (authenticity === undefined) return { kind: 'accepted', proof: 'none: not asked for (authenticity: off)' };
  if (authenticity.kind === 'proved') return { kind: 'accepted', proof: authenticity.proof };
  if (policy === 'warn') {
    return { kind: 'accepted', proof: `none: ${authenticity.why} (authenticity: warn)` };
  }
  if (authenticity.kind === 'undecided') {
    return { kind: 'undecided', detail: `The sender could not be proved just now: ${authenticity.why}.` };
  }
  return refused('not-authentic', `It cannot be shown to come from ${SENDER_DOMAIN}: ${authenticity.why}.`);
}

const ADVICE = 'If it is honest, download the export in a browser and hand the ZIP to Chatkeep within its 24 hours.';
/** Some providers change what they deliver, so that no signature verifies any more (Outlook.com, Proton Bridge). */
const SERVER_ADVICE = 'If this happens to honest messages, set authserv_id of the mailbox.';

function refused(reason: RefusalReason, what: string): RefusedNotice {
  const advice = reason === 'not-authentic' ? `${ADVICE} ${SERVER_ADVICE}` : ADVICE;
  return { kind: 'refused', reason, detail: `A message claims to be about an export. ${what} ${advice}` };
}

function unrelated(why: string): Notice {
  return { kind: 'unrelated', why };
}

/** Text of a stranger, cut and without anything but what host names are made of. */
function shown(domain: string): string {
  return domain.replace(/[^a-z0-9.-]+/g, '?').slice(0, 100);
}
