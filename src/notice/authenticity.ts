import { SECOND_MS } from '../lib/clock.ts';
import { errorCode, errorMessage } from '../lib/errors.ts';
import { withTimeout } from '../lib/signals.ts';
import {
  authservIdOf,
  type MethodResult,
  parseAuthenticationResults,
  parseNamelessResults,
} from './authentication-results.ts';
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
  /** The DNS could not tell, or has lost the key: to be asked again. */
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
  /** Whose Authentication-Results are believed: a server's name, or {@link NAMELESS_SERVER}; nobody's unless set. */
  readonly authservId: string | undefined;
  readonly resolveTxt: ResolveTxt;
}

/** Stands for Microsoft's servers, which leave their name out of what they write. */
export const NAMELESS_SERVER = 'microsoft';

/** Fields of which a message has one at most. A second one, above the signed one, would change what people see. */
const SINGLE_FIELDS = ['from', 'subject', 'mime-version', 'content-type', 'content-transfer-encoding'];
/** Honest messages carry two or three; each one costs a hash over the whole body. */
const MOST_SIGNATURES = 10;
const TIME_LIMIT_MS = 30 * SECOND_MS;
/** RFC 8301 section 3.2. */
const LEAST_KEY_BITS = 1024;

/**
 * Proves a sender: by an aligned DKIM signature over the whole body, verified here (RFC 6376); else by what the user's
 * own mail server found when it received the message (RFC 8601). An ARC chain (RFC 8617) proves nothing: anybody can
 * seal one.
 */
export async function authenticate(claim: Claim): Promise<Authenticity> {
  const doubled = SINGLE_FIELDS.find((name) => valuesOf(claim.fields, name).length > 1);
  if (doubled !== undefined) return { kind: 'unproved', why: `its header field ${doubled} is there more than once` };
  const signed = await byDkim(claim);
  if (signed.kind === 'proved' || claim.authservId === undefined) return signed;
  // A server's "pass" does not tell that the signature stopped in the middle of the body.
  if (hasLimitedSignature(claim)) return signed.kind === 'undecided' ? signed : LIMITED;
  const found = byReceivingServer(claim, claim.authservId);
  if (found.kind === 'proved') return found;
  return { kind: signed.kind, why: `${signed.why}, and ${found.why}` };
}

const LIMITED: Authenticity = { kind: 'unproved', why: 'its DKIM signature covers only a part of the body (l=)' };

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
  const { dkimVerify } = await import('mailauth/lib/dkim/verify.js');
  const keys = new KeyLookup(signingDomains, resolveTxt);
  const { results, fromFields, headerFrom } = await dkimVerify(source, {
    resolver: (name) => keys.resolve(name),
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
  if (keys.trouble !== undefined) return { kind: 'undecided', why: keys.trouble };
  if (passing.length > 0) return LIMITED;
  const [{ status } = { status: { comment: undefined } }] = aligned;
  return { kind: 'unproved', why: `its DKIM signature does not verify (${status.comment ?? 'no reason given'})` };
}

/** Looks up keys of these domains alone: a message must not make us ask the DNS for names of its choice. */
class KeyLookup {
  readonly #domains: readonly string[];
  readonly #resolveTxt: ResolveTxt;
  /** Why a key could not be had, in half a sentence; undefined if none was missed. */
  trouble: string | undefined;

  constructor(domains: readonly string[], resolveTxt: ResolveTxt) {
    this.#domains = domains;
    this.#resolveTxt = resolveTxt;
  }

  async resolve(name: string): Promise<string[][]> {
    if (!this.#domains.some((domain) => name.toLowerCase().endsWith(`._domainkey.${domain}`))) throw new NoRecord();
    try {
      const records = await this.#resolveTxt(name);
      if (records.length === 0) throw new NoRecord();
      return records;
    } catch (error) {
      const code = errorCode(error);
      const isGone = code === 'ENOTFOUND' || code === 'ENODATA';
      this.trouble = isGone
        ? 'its DKIM key is not in the DNS'
        : `its DKIM key could not be looked up (${code ?? errorMessage(error)})`;
      throw error;
    }
  }
}

class NoRecord extends Error {
  readonly code = 'ENODATA';
}

function domainOf(address: string | undefined): string | undefined {
  return address?.slice(address.lastIndexOf('@') + 1).toLowerCase();
}

/** Whether one of the sender's own signatures stops before the end of the body (RFC 6376 section 3.5, `l=`). */
function hasLimitedSignature({ fields, signingDomains }: Claim): boolean {
  return valuesOf(fields, 'dkim-signature').some((value) => {
    const tags = new Map(value.split(';').map((tag) => splitTag(tag)));
    return tags.has('l') && signingDomains.includes(tags.get('d')?.toLowerCase() ?? '');
  });
}

function splitTag(tag: string): [name: string, value: string] {
  const equals = tag.indexOf('=');
  return [tag.slice(0, Math.max(0, equals)).trim().toLowerCase(), tag.slice(equals + 1).replace(/\s+/g, '')];
}

type Finding = Extract<Authenticity, { kind: 'proved' | 'unproved' }>;

/** The proof by the top-most field of the user's own server; fields below it may be forged. */
function byReceivingServer({ fields, domain, signingDomains }: Claim, authservId: string): Finding {
  const server = authservId.toLowerCase();
  const written = resultsOf(valuesOf(fields, 'authentication-results'), server);
  if (written === 'absent') return { kind: 'unproved', why: `there are no Authentication-Results of ${server}` };
  if (written === 'malformed') {
    return { kind: 'unproved', why: `the Authentication-Results of ${server} cannot be read` };
  }
  const proof = proofIn(written, domain, signingDomains);
  return proof === undefined
    ? { kind: 'unproved', why: `the Authentication-Results of ${server} do not show it` }
    : { kind: 'proved', proof: `Authentication-Results of ${server}: ${proof}` };
}

/** What the top-most field of this server says; a field of which not even the server's name can be read may be its. */
function resultsOf(values: readonly string[], server: string): readonly MethodResult[] | 'absent' | 'malformed' {
  if (server === NAMELESS_SERVER) {
    const [topMost] = values;
    return topMost === undefined ? 'absent' : (parseNamelessResults(topMost) ?? 'malformed');
  }
  const topMost = values.find((value) => (authservIdOf(value) ?? server) === server);
  return topMost === undefined ? 'absent' : (parseAuthenticationResults(topMost)?.results ?? 'malformed');
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
  const dkim = results.find(
    (result) => result.method === 'dkim' && result.result === 'pass' && isSignedBy(result, signingDomains),
  );
  return dkim === undefined ? undefined : 'dkim=pass, aligned';
}

/** By its `header.d`; Google writes `header.i` instead, whose domain is that of `d` or below it (RFC 6376 section 3.5). */
function isSignedBy(result: MethodResult, signingDomains: readonly string[]): boolean {
  const has = (name: string) => result.properties.some((property) => property.name === name);
  if (has('header.d')) return allAre(result, 'header.d', (signer) => signingDomains.includes(signer));
  return allAre(result, 'header.i', (identity) => signingDomains.includes(domainOf(identity) ?? ''));
}

/** Whether the property is there, and `test` holds for its value (in lower case), or for all where it is there repeatedly. */
function allAre({ properties }: MethodResult, name: string, test: (value: string) => boolean): boolean {
  const values = properties.filter((property) => property.name === name).map(({ value }) => value.toLowerCase());
  return values.length > 0 && values.every(test);
}
