import * as z from 'zod';
import { SECOND_MS } from '../../lib/clock.ts';
import { jsonOf } from '../../lib/json.ts';
import { Secret } from '../../lib/secret.ts';
import type { Lifetime } from './health.ts';

/** RFC 6750 section 2.1: what a bearer token may be made of. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
/** What a header field can carry as an id. */
const ACCOUNT_ID = /^[A-Za-z0-9._-]{1,200}$/;

/** A token that can stand in a header field. */
export const tokenText = z
  .string()
  .max(64 * 1024)
  .regex(TOKEN);

/** The workspace (or personal) account that a request is for, as the header ChatGPT-Account-Id names it. */
export const accountIdText = z.string().regex(ACCOUNT_ID);

/** What a text says a token is; `kind` is whose form it has. */
export interface AccessToken {
  readonly kind: 'plain' | 'codex' | 'session';
  readonly token: Secret;
  readonly accountId: string | undefined;
}

/** `auth.json` of the Codex CLI, as far as it is of use here. */
const codexFile = z.object({
  tokens: z.object({ access_token: tokenText, account_id: accountIdText.nullish().catch(undefined) }),
});

/** The page `https://chatgpt.com/api/auth/session` of a browser that is signed in, saved or copied. */
const sessionPage = z.object({ accessToken: tokenText });

/**
 * The access token in a text: by itself (with or without the word Bearer), in the Codex CLI's auth.json, or in the page
 * /api/auth/session (shared facts: "The link"). Undefined where the text is none of these.
 */
export function parseAccessToken(text: string): AccessToken | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{')) {
    const token = tokenText.safeParse(trimmed.replace(/^bearer\s+/i, '')).data;
    return token === undefined ? undefined : { kind: 'plain', token: new Secret(token), accountId: undefined };
  }
  const json = jsonOf(trimmed);
  const codex = codexFile.safeParse(json).data;
  if (codex !== undefined) {
    const { access_token: token, account_id: accountId } = codex.tokens;
    return { kind: 'codex', token: new Secret(token), accountId: accountId ?? undefined };
  }
  const session = sessionPage.safeParse(json).data;
  return session && { kind: 'session', token: new Secret(session.accessToken), accountId: undefined };
}

/** Of JWT's claims (RFC 7519 section 4.1), seconds since 1970. */
const claims = z.object({
  exp: z.number().positive().max(1e11).optional().catch(undefined),
  iat: z.number().positive().max(1e11).optional().catch(undefined),
});

/**
 * When a token was made and when it ends, where it is a JWT that says so. The signature is not looked at: the server
 * judges, this only foresees.
 */
export function lifetimeOf(token: Secret): Lifetime {
  const [, payload, signature] = token.reveal().split('.');
  if (payload === undefined || signature === undefined) return { until: undefined };
  const { exp, iat } = claims.safeParse(jsonOf(Buffer.from(payload, 'base64url').toString())).data ?? {};
  return { until: inMs(exp), since: inMs(iat) };
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * SECOND_MS);
}
