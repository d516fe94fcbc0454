import { basename } from 'node:path';
import { formatMoment } from '../../lib/text.ts';
import { type AccessToken, lifetimeOf, parseAccessToken } from './access-token.ts';
import { fileFingerprint, readLoginFile } from './files.ts';
import { type LoginHealth, letIn, notAsked } from './health.ts';
import type { Login, LoginAnswer, LoginContext, LoginHeaders, LoginParts } from './login.ts';
import { askBearer } from './questions.ts';

/** The Codex CLI keeps its tokens in a file of this name, and renews them when it runs. */
export const CODEX_FILE = 'auth.json';

export interface BearerSettings {
  readonly tokenFile: string;
  /** Of a workspace account; else the one that the file names, if it does. */
  readonly accountId?: string | undefined;
}

/**
 * An access token of the account, in a file of its own or in the Codex CLI's auth.json, which is read and never written
 * (shared facts: "With `Authorization: Bearer`…").
 */
export function bearerLogin({ tokenFile, accountId }: BearerSettings, parts: LoginParts): Login {
  const read = () => readToken(tokenFile, accountId);
  return {
    label: `the token in ${tokenFile}`,
    howToRenew:
      basename(tokenFile) === CODEX_FILE
        ? 'Run `codex` once, signed in as the account that asks for the exports: it renews the file.'
        : `Hand a fresh access token to \`chatkeep login chatgpt --token\` (or put it into ${tokenFile}).`,
    async *waysIn() {
      const file = await read();
      yield file.kind === 'unusable' ? file : { kind: 'headers', headers: bearerHeaders(file.token) };
    },
    async check(origin, context) {
      const file = await read();
      return file.kind === 'unusable'
        ? { kind: 'dead', detail: file.detail }
        : checkToken(file.token, origin, parts, context);
    },
    fingerprint: () => fileFingerprint(tokenFile),
  };
}

/** The header fields that a token goes in. */
export function bearerHeaders({ token, accountId }: AccessToken): LoginHeaders {
  return {
    authorization: `Bearer ${token.reveal()}`,
    ...(accountId === undefined ? {} : { 'chatgpt-account-id': accountId }),
  };
}

/**
 * What is found of an access token: by its own word on when it ends, then by whose it is at `origin`.
 * @throws the signal's reason
 */
export async function checkToken(
  token: AccessToken,
  origin: URL,
  { transport }: LoginParts,
  { now, signal }: LoginContext,
): Promise<LoginHealth> {
  const lifetime = lifetimeOf(token.token);
  if (lifetime.until !== undefined && lifetime.until <= now) {
    return { kind: 'dead', detail: `The token has expired, at ${formatMoment(lifetime.until)}.` };
  }
  const answer = await askBearer(origin, { transport, headers: bearerHeaders(token), signal });
  switch (answer.kind) {
    case 'accepted':
      return letIn(lifetime, answer.account, now);
    case 'refused':
      return { kind: 'dead', detail: answer.detail };
    case 'unknown':
      return notAsked(lifetime, answer.detail, now);
  }
}

type TokenFile =
  | { readonly kind: 'token'; readonly token: AccessToken }
  | Extract<LoginAnswer, { readonly kind: 'unusable' }>;

async function readToken(path: string, accountId: string | undefined): Promise<TokenFile> {
  const file = await readLoginFile(path);
  if (file.kind === 'unusable') return file;
  const token = parseAccessToken(file.text);
  return token === undefined
    ? { kind: 'unusable', detail: `The file ${path} ${whatIsWrong(file.text)}.` }
    : { kind: 'token', token: { ...token, accountId: accountId ?? token.accountId } };
}

function whatIsWrong(text: string): string {
  return text.trim().startsWith('{')
    ? 'is JSON without the access token of a ChatGPT account (a Codex CLI that works with an API key has none)'
    : 'does not hold one access token and nothing else';
}
