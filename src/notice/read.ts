import { errorMessage } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { formatBytes, formatMoment } from '../lib/text.ts';
import { authenticate } from './authenticity.ts';
import type { MessageBody, WrittenLink } from './body.ts';
import { type HeaderField, readHeaders, readSender, type Sender } from './headers.ts';
import { type FollowRedirect, uncover } from './hidden-links.ts';
import { type ExportLink, type LinkContext, type LinkReading, readUncertainLink } from './links.ts';
import type { Notice, RefusalReason, RefusedNotice, UndecidedNotice, UnrelatedNotice } from './notice.ts';
import { PROVIDERS } from './providers/index.ts';
import type { Provider } from './providers/provider.ts';
import type { ResolveTxt } from './resolver.ts';

/** What is asked of a message before its link is followed: a proof, a word in the record, or nothing. */
export type AuthenticityPolicy = 'require' | 'warn' | 'off';

export interface ReadOptions {
  /** `https://host[:port]`: where links may lead beside the provider's own places. */
  readonly extraOrigins: readonly string[];
  readonly authenticity: AuthenticityPolicy;
  /**
   * Name by which the user's own mail server signs its Authentication-Results; `microsoft` for Microsoft's servers,
   * which leave theirs out.
   */
  readonly authservId?: string | undefined;
  readonly resolveTxt: ResolveTxt;
  /** How to ask where a hidden link leads; unless given, a notice whose link is hidden is refused. */
  readonly followRedirect?: FollowRedirect | undefined;
  /** ms UTC. */
  readonly now: number;
  /** Whose notices are known; all of the registry unless given. */
  readonly providers?: readonly Provider[];
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
  const { providers = PROVIDERS } = options;
  const sender = readSender(fields);
  const domain = sender.kind === 'one' ? sender.domain : undefined;
  const provider = providers.find((each) => each.sender.domain === domain);
  if (source.length > NOTICE_MOST_BYTES) {
    const size = formatBytes(source.length);
    return provider === undefined
      ? unrelated(`it has ${size}`)
      : refused('too-large', `It has ${size}; an honest notice has a few kilobytes.`);
  }
  let body: MessageBody;
  try {
    // What reads mail takes memory, and a service may wait for weeks before there is some to read.
    const { readBody } = await import('./body.ts');
    body = await readBody(source);
  } catch (error) {
    const why = errorMessage(error);
    return provider === undefined
      ? unrelated(`it cannot be read (${why})`)
      : refused('no-link', `It cannot be read: ${why}.`);
  }
  // A server's clock that is ahead must not lengthen a deadline.
  const received = Math.min(receivedAt, options.now);
  if (provider === undefined || sender.kind !== 'one') return judgeStranger(sender, body, received, options);
  return judgeProvider({ source, fields, address: sender.address, body, provider, received }, options);
}

/** A message of anybody but a provider: refused if it passes itself off as a notice. */
function judgeStranger(sender: Sender, body: MessageBody, received: number, options: ReadOptions): Notice {
  const { providers = PROVIDERS, extraOrigins } = options;
  const impersonated = providers.find((provider) => {
    const links = read(body.links, { provider, receivedAt: received, extraOrigins });
    return (
      links.some(({ kind }) => kind === 'export' || kind === 'suspicious' || kind === 'malformed') ||
      provider.subjectKind(body.subject) === 'ready'
    );
  });
  const domains = providers.map(({ sender: { domain } }) => domain).join(' or ');
  if (impersonated === undefined) return unrelated(`its sender is not ${domains}`);
  switch (sender.kind) {
    case 'several':
      return refused('several-senders', 'It names several senders.');
    case 'none':
      return refused('sender-not-trusted', 'It names no sender.');
    case 'one': {
      const honest = impersonated.sender.domain;
      return refused('sender-not-trusted', `It comes from ${shown(sender.domain)} and not from ${honest}.`);
    }
  }
}

/** A message that says it is a provider's. */
interface ProviderMail {
  readonly source: Buffer;
  readonly fields: readonly HeaderField[];
  /** Of the sender, in lower case. */
  readonly address: string;
  readonly body: MessageBody;
  readonly provider: Provider;
  /** ms UTC. */
  readonly received: number;
}

async function judgeProvider(mail: ProviderMail, options: ReadOptions): Promise<Notice> {
  const { body, provider, received } = mail;
  const context = { provider, receivedAt: received, extraOrigins: options.extraOrigins };
  const links = read(body.links, context);
  const suspicious = links.find(({ kind }) => kind === 'suspicious');
  if (suspicious?.kind === 'suspicious') return refusedLink(suspicious.why);
  const exports = exportsAmong(links);
  const found = exports.length > 0 ? exports : exportsAmong(read(body.shown, context));
  if (new Set(found.map(({ exportId }) => exportId)).size > 1) {
    return refused('link-not-trusted', 'It holds links to different exports; an honest notice holds one.');
  }
  const link = found.find(({ whole }) => whole) ?? found[0];
  if (link === undefined) return judgeLinkless(mail, links, context, options);
  const proof = await prove(mail, link.deadline, options);
  return proof.kind === 'accepted' ? ready(link, proof, provider) : proof;
}

/** A message of a provider that holds no link which is known to be an export's. */
async function judgeLinkless(
  mail: ProviderMail,
  links: readonly LinkReading[],
  context: LinkContext,
  options: ReadOptions,
): Promise<Notice> {
  const { provider, body, received, address } = mail;
  if (links.some(({ kind }) => kind === 'malformed')) return refusedLink('is not formed as an export’s link is');
  const kind = provider.subjectKind(body.subject);
  const isOther = links.some((link) => meaning(link, provider) === 'other-mail');
  const isNoticeSender = provider.sender.addresses.includes(address);
  if (kind === undefined || isOther || (kind !== 'ready' && !isNoticeSender)) {
    return unrelated('it is another mail of the provider');
  }
  const until = received + provider.linkLifeMs;
  const proof = await prove(mail, until, options);
  if (proof.kind !== 'accepted') return proof;
  if (kind === 'started') return { kind: 'started', provider: provider.id };
  const notice = await judgeHidden(kind, links, until, context, proof, options);
  return notice.kind === 'refused' ? { ...notice, provider: provider.id } : notice;
}

/** A proved message that may be a ready notice, and whose link is not to be seen. */
async function judgeHidden(
  kind: 'ready' | 'export',
  links: readonly LinkReading[],
  until: number,
  context: LinkContext,
  proof: Accepted,
  options: ReadOptions,
): Promise<Notice> {
  const { provider } = context;
  const hidden = links.filter((link) => link.kind === 'hidden').map(({ href }) => href);
  const uncovered = await uncover(hidden, options.followRedirect, context);
  switch (uncovered.kind) {
    case 'export':
      return ready(uncovered.link, proof, provider);
    case 'suspicious':
      return refusedLink(uncovered.why);
    case 'unasked':
      return refused('link-hidden', 'Its link is hidden behind a click counter, which was not asked where it leads.');
    case 'unanswered': {
      const what = `Its link is hidden behind a click counter: ${uncovered.why}.`;
      return until > options.now ? undecided(what, until) : refused('link-hidden', what);
    }
    case 'nothing': {
      const others = links.filter((link) => link.kind !== 'hidden');
      return judgeByTargets(kind, [...others, ...uncovered.readings], provider);
    }
  }
}

/** In words of any language: a ready notice has a button, whose link would lead to no plain page. */
function judgeByTargets(kind: 'ready' | 'export', targets: readonly LinkReading[], provider: Provider): Notice {
  const isPlain = targets.every((link) => meaning(link, provider) === 'plain');
  if (kind === 'export' && isPlain) return { kind: 'started', provider: provider.id };
  return refused('no-link', 'It speaks of an export, and holds no download link that Chatkeep knows.');
}

function read(links: readonly WrittenLink[], context: LinkContext): LinkReading[] {
  return links.map((link) => readUncertainLink(link, context));
}

function exportsAmong(links: readonly LinkReading[]): ExportLink[] {
  return links.filter((link) => link.kind === 'export');
}

function meaning(link: LinkReading, provider: Provider): ReturnType<Provider['linkMeaning']> {
  if (link.kind !== 'other') return 'unknown';
  return link.url === undefined ? 'plain' : provider.linkMeaning(link.url);
}

function ready(link: ExportLink, { proof, warning }: Accepted, provider: Provider): Notice {
  const { exportId, exportTime, deadline, href } = link;
  return {
    kind: 'ready',
    provider: provider.id,
    exportId,
    link: new Secret(href),
    exportTime,
    deadline,
    proof,
    ...(warning === undefined ? {} : { warning }),
  };
}

interface Accepted {
  readonly kind: 'accepted';
  readonly proof: string;
  readonly warning?: string;
}

/**
 * What the policy makes of the proof, or of its lack.
 *
 * @param until when waiting for a proof has become useless, ms UTC
 */
async function prove(
  { source, fields, provider, received }: ProviderMail,
  until: number,
  { authenticity: policy, authservId, resolveTxt, now }: ReadOptions,
): Promise<Accepted | RefusedNotice | UndecidedNotice> {
  const { domain, signingDomains } = provider.sender;
  const unasked = 'Nobody checked who sent this notice: the policy "off" asks for no proof.';
  if (policy === 'off') {
    return { kind: 'accepted', proof: 'none: not asked for (authenticity: off)', warning: unasked };
  }
  const found = await authenticate({
    source,
    fields,
    domain,
    signingDomains,
    receivedAt: received,
    authservId,
    resolveTxt,
  });
  if (found.kind === 'proved') return { kind: 'accepted', proof: found.proof };
  if (policy === 'warn') {
    return {
      kind: 'accepted',
      proof: `none: ${found.why} (authenticity: warn)`,
      warning: `It is not proved that ${domain} sent this notice: ${found.why}.`,
    };
  }
  if (found.kind === 'undecided' && until > now) {
    return undecided(`The sender could not be proved just now: ${found.why}.`, until);
  }
  return refused('not-authentic', `It cannot be shown to come from ${domain}: ${found.why}.`);
}

const ADVICE = 'If it is honest, download the export in a browser and hand the ZIP to Chatkeep within its 24 hours.';
/** Some providers change what they deliver, so that no signature verifies any more (Outlook.com, Proton Bridge). */
const SERVER_ADVICE = 'If this happens to honest messages, set authserv_id of the mailbox.';

function refused(reason: RefusalReason, what: string): RefusedNotice {
  const advice = reason === 'not-authentic' ? `${ADVICE} ${SERVER_ADVICE}` : ADVICE;
  return { kind: 'refused', reason, detail: `A message claims to be about an export. ${what} ${advice}` };
}

function refusedLink(why: string): RefusedNotice {
  return refused('link-not-trusted', `Its download link ${why}.`);
}

function undecided(what: string, until: number): UndecidedNotice {
  const next = `It is read again until ${formatMoment(until)}, when the link dies. ${ADVICE}`;
  return { kind: 'undecided', detail: `A message claims to be about an export. ${what} ${next}`, until };
}

function unrelated(why: string): UnrelatedNotice {
  return { kind: 'unrelated', why };
}

/** Text of a stranger, cut and without anything but what host names are made of. */
function shown(domain: string): string {
  return domain.replace(/[^a-z0-9.-]+/g, '?').slice(0, 100);
}
