import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { SECOND_MS } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { withTimeout } from '../lib/signals.ts';
import { authservIdOf, type MethodResult, parseAuthenticationResults } from './authentication-results.ts';
import { type HeaderField, valuesOf } from './headers.ts';
import type { ResolveTxt } from './resolver.ts';

/** Whether a message comes from whom it says. */
export type Authenticity =
  | {
      readonly kind: 'proved';
      /** For the record: `DKIM d=tm.openai.com`. */
      readonly proof: string;
    }
  /** `why` is half a sentence for the user. */
  | { readonly kind: 'unproved'; readonly why: string }
  /** The DNS could not tell: to be asked again. */
  | { readonly kind: 'undecided'; readonly why: string };

export interface Claim {
  readonly source: Buffer;
  readonly fields: readonly HeaderField[];
  /** The domain of the only address in the only From field. */
  readonly domain: string;
  /** The domains whose signature is taken for the sender's own (DKIM `d=`): the domain itself and its organisation's. */
  readonly signingDomains: readonly string[];
  /** When it was received, ms UTC: a signature has to have been valid then. */
  readonly receivedAt: number;
  /** Whose Authentication-Results are believed; nobody's unless set. */
  readonly authservId: string | undefined;
  readonly resolveTxt: ResolveTxt;
}

/** Fields of which a message has one at most. A second one, above the signed one, would change what people see. */
const SINGLE_FIELDS = ['from', 'subject', 'mime-version', 'content-type', 'content-transfer-encoding'];
/** Honest messages carry two or three; each one costs a hash over the whole body. */
const MOST_SIGNATURES = 10;
const TIME_LIMIT_MS = 30 * SECOND_MS;
/** RFC 8301 section 3.2. */
const LEAST_KEY_BITS = 1024;

/**
 * Proves a sender: by an aligned DKIM signature over the whole body, verified here (RFC 6376); else by what the user's
 * own mail server found when it received the message (RFC 8601).
 */
export async function authenticate(claim: Claim): Promise<Authenticity> {
  const doubled = SINGLE_FIELDS.find((name) => valuesOf(claim.fields, name).length > 1);
  if (doubled !== undefined) return { kind: 'unproved', why: `its header field ${doubled} is there more than once` };
  const signed = await byDkim(claim);
  if (signed.kind === 'proved') return signed;
  return byReceivingServer(claim) ?? signed;
}

async function byDkim(claim: Claim): Promise<Authenticity> {
  const signatures = valuesOf(claim.fields, 'dkim-signature').length;
  if (signatures === 0) return { kind: 'unproved', why: 'it carries no DKIM signature' };
  if (signatures > MOST_SIGNATURES) return { kind: 'unproved', why: `it carries ${signatures} DKIM signatures` };
  try {
    return await withTimeout('Checking the DKIM signature', TIME_LIMIT_MS, undefined, () => verifyDkim(claim));
  } catch (error) {
    return { kind: 'undecided', why: `its DKIM signature could not be checked (${errorMessage(error)})` };
  }
}

async function verifyDkim({ source, domain, signingDomains, receivedAt, resolveTxt }: Claim): Promise<Authenticity> {
  const { results, fromFields, headerFrom } = await dkimVerify(source, {
    resolver: keysOf(signingDomains, resolveTxt),
    minBitLength: LEAST_KEY_BITS,
    rejectRsaSha1: true,
    curTime: new Date(receivedAt),
  });
  // The verifier reads From by itself: it must have read what we did.
  if (fromFields !== 1 || headerFrom.length !== 1 || domainOf(headerFrom[0]) !== domain) {
    return { kind: 'unproved', why: 'its From field is ambiguous' };
  }
  const aligned = results.filter(({ signingDomain }) => signingDomains.includes(signingDomain?.toLowerCase() ?? ''));
  if (aligned.length === 0) return { kind: 'unproved', why: `it is not signed by ${signingDomains.join(' or ')}` };
  const passing = aligned.filter(({ status }) => status.result === 'pass' && status.testing !== true);
  const whole = passing.find(({ canonBodyLengthLimited }) => canonBodyLengthLimited !== true);
  if (whole !== undefined) return { kind: 'proved', proof: `DKIM d=${whole.signingDomain?.toLowerCase()}` };
  if (passing.length > 0) return { kind: 'unproved', why: 'its DKIM signature covers only a part of the body (l=)' };
  const unanswered = aligned.find(({ status }) => status.result === 'temperror');
  if (unanswered !== undefined) {
    return { kind: 'undecided', why: `its DKIM key could not be looked up (${unanswered.status.comment ?? 'DNS'})` };
  }
  const [{ status } = { status: { comment: undefined } }] = aligned;
  return { kind: 'unproved', why: `its DKIM signature does not verify (${status.comment ?? 'no reason given'})` };
}

/** Looks up keys of these domains alone: a message must not make us ask the DNS for names of its choice. */
function keysOf(domains: readonly string[], resolveTxt: ResolveTxt): (name: string) => Promise<string[][]> {
  return async (name) => {
    if (domains.some((domain) => name.toLowerCase().endsWith(`._domainkey.${domain}`))) return resolveTxt(name);
    throw Object.assign(new Error('not looked up'), { code: 'ENOTFOUND' });
  };
}

function domainOf(address: string | undefined): string | undefined {
  return address?.slice(address.lastIndexOf('@') + 1).toLowerCase();
}

/** The proof by the top-most field of the user's own server; fields below it may be forged. Undefined if it proves nothing. */
function byReceivingServer({ fields, domain, signingDomains, authservId }: Claim): Authenticity | undefined {
  const wanted = authservId?.toLowerCase();
  if (wanted === undefined) return undefined;
  for (const value of valuesOf(fields, 'authentication-results')) {
    const id = authservIdOf(value);
    if (id !== undefined && id !== wanted) continue;
    const proof = proofIn(parseAuthenticationResults(value)?.results ?? [], domain, signingDomains);
    return proof === undefined ? undefined : { kind: 'proved', proof: `Authentication-Results of ${wanted}: ${proof}` };
  }
  return undefined;
}

function proofIn(
  results: readonly MethodResult[],
  domain: string,
  signingDomains: readonly string[],
): string | undefined {
  const dmarc = results.filter(({ method }) => method === 'dmarc');
  if (dmarc.some(({ result }) => result !== 'pass' && result !== 'none')) return undefined;
  const passed = dmarc.filter(({ result }) => result === 'pass');
  if (passed.length > 0) {
    const ours = passed.every((result) => allAre(result, 'header.from', (from) => from === domain));
    return ours ? `dmarc=pass header.from=${domain}` : undefined;
  }
  const isAligned = (signer: string) => signingDomains.includes(signer);
  const dkim = results.find(
    (result) => result.method === 'dkim' && result.result === 'pass' && allAre(result, 'header.d', isAligned),
  );
  return dkim === undefined ? undefined : 'dkim=pass, aligned';
}

/** Whether the property is there, and `test` holds for its value (in lower case), or for all where it is there repeatedly. */
function allAre({ properties }: MethodResult, name: string, test: (value: string) => boolean): boolean {
  const values = properties.filter((property) => property.name === name).map(({ value }) => value.toLowerCase());
  return values.length > 0 && values.every(test);
}
