import * as z from 'zod';
import type { OAuth2Config } from '../../config/index.ts';
import { HOUR_MS, SECOND_MS } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';
import { MailboxError, words } from '../trouble.ts';
import type { FormAnswer, PostForm } from './http.ts';
import { authorityOf } from './providers.ts';

/** Where an authority does not say how long a token lives. */
const USUAL_LIFE_MS = HOUR_MS;

/** RFC 6749 section 5.1. Some authorities send numbers as texts. */
const tokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().optional().catch(undefined),
  refresh_token: z.string().min(1).optional(),
});

/** RFC 6749 section 5.2. */
const errorAnswer = z.object({
  error: z.string().regex(/^[\w.-]{1,100}$/),
  error_description: z.string().optional().catch(undefined),
});

/** Error codes that mean: not now. */
const TRANSIENT_CODES = new Set(['server_error', 'temporarily_unavailable']);

export interface Tokens {
  readonly accessToken: Secret;
  /** How long it lives from now on, ms. */
  readonly livesMs: number;
  /** Where the authority has given one, it counts from now on, and the one before does not (RFC 6749 section 6). */
  readonly refreshToken: Secret | undefined;
}

/** The authority has answered with an error code. */
export class OAuthRefusal extends Error {
  override readonly name = 'OAuthRefusal';
  /** `invalid_grant`, `authorization_pending`… */
  readonly code: string;

  constructor(code: string, description: string) {
    super(description);
    this.code = code;
  }
}

/**
 * Asks the token endpoint.
 * @throws OAuthRefusal if it refuses; MailboxError `unreachable` if it cannot answer just now
 */
export async function requestTokens(
  oauth2: OAuth2Config,
  grant: Readonly<Record<string, string>>,
  { post, signal }: { readonly post: PostForm; readonly signal: AbortSignal },
): Promise<Tokens> {
  const endpoint = authorityOf(oauth2).tokenEndpoint;
  const form = { ...clientFields(oauth2), ...grant };
  const answer = await post(endpoint, form, signal);
  const tokens = tokenAnswer.safeParse(answer.body).data;
  if (answer.status !== 200 || tokens === undefined) throw refusalOf(endpoint, answer, Object.values(form));
  return {
    accessToken: new Secret(tokens.access_token),
    livesMs: tokens.expires_in === undefined ? USUAL_LIFE_MS : tokens.expires_in * SECOND_MS,
    refreshToken: tokens.refresh_token === undefined ? undefined : new Secret(tokens.refresh_token),
  };
}

/** How the client names itself (RFC 6749 section 2.3.1). */
export function clientFields({ clientId, clientSecret }: OAuth2Config): Record<string, string> {
  return { client_id: clientId, ...(clientSecret === undefined ? {} : { client_secret: clientSecret.reveal() }) };
}

/** What an answer that is none of the wanted ones means. Nothing of `sent` is repeated. */
export function refusalOf(endpoint: string, { status, body }: FormAnswer, sent: readonly string[]): Error {
  const said = errorAnswer.safeParse(body).data;
  if (said === undefined || status >= 500 || status === 429 || TRANSIENT_CODES.has(said.error)) {
    const { hostname } = new URL(endpoint);
    return new MailboxError('unreachable', `The sign-in service ${hostname} answered with status ${status}.`);
  }
  const description = sent
    .filter((value) => value.length > 7)
    .reduce((text, value) => text.replaceAll(value, '…'), said.error_description ?? said.error);
  return new OAuthRefusal(said.error, words(description));
}
