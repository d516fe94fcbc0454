import { basename, dirname } from 'node:path';
import { asStorageError } from '../../lib/errors.ts';
import { makePrivateDirectory, writeFileDurably } from '../../lib/files.ts';
import type { Secret } from '../../lib/secret.ts';
import { parseAccessToken } from './access-token.ts';
import { type BearerSettings, CODEX_FILE, checkToken } from './bearer.ts';
import { checkCookies } from './cookies.ts';
import { cookieIsFor, formatCookiesTxt, hasExpired, parseCookiesTxt } from './cookies-txt.ts';
import { readLoginFile } from './files.ts';
import type { LoginHealth } from './health.ts';
import type { LoginContext, LoginParts } from './login.ts';

/** What became of a login that was handed over. Every `detail` is a sentence for people, without secrets. */
export type Stored =
  /** It is in its file, which only the user can read; how it was found before that. */
  | { readonly kind: 'stored'; readonly health: Exclude<LoginHealth, { readonly kind: 'dead' }> }
  /** The file is as it was: what was handed over is no such login, or one that is not let in. */
  | { readonly kind: 'malformed' | 'dead'; readonly detail: string };

/** Where logins are tried out, and with what. */
export interface Trial extends LoginContext, LoginParts {
  readonly origin: URL;
}

/**
 * Puts an access token into its file, by itself, once it was tried out.
 *
 * @param text as {@link parseAccessToken} takes it
 * @throws ChatkeepError `storage`; the signal's reason
 */
export async function storeToken(
  text: Secret,
  { tokenFile, accountId }: BearerSettings,
  { origin, transport, now, signal }: Trial,
): Promise<Stored> {
  if (await isOfCodex(tokenFile)) {
    return {
      kind: 'malformed',
      detail: `The file ${tokenFile} is the Codex CLI's own, and is never written: run \`codex\` to renew it.`,
    };
  }
  const token = parseAccessToken(text.reveal());
  if (token === undefined) {
    return { kind: 'malformed', detail: 'That is no access token: not one by itself, and no page that holds one.' };
  }
  const tried = { ...token, accountId: accountId ?? token.accountId };
  const health = await checkToken(tried, origin, { transport }, { now, signal });
  if (health.kind === 'dead') return health;
  await write(tokenFile, `${token.token.reveal()}\n`);
  return { kind: 'stored', health };
}

/**
 * Puts the cookies for the login's host into their file, and no others, once they were tried out.
 *
 * @param text of a cookies.txt
 * @throws ChatkeepError `storage`; the signal's reason
 */
export async function storeCookies(
  text: Secret,
  path: string,
  { origin, transport, now, signal }: Trial,
): Promise<Stored> {
  const all = parseCookiesTxt(text.reveal());
  if (all.length === 0) return { kind: 'malformed', detail: 'That is not a cookies.txt in Netscape format.' };
  const needed = all.filter((cookie) => cookieIsFor(cookie, origin.hostname) && !hasExpired(cookie, now));
  if (needed.length === 0) {
    return { kind: 'malformed', detail: `That holds no cookie for ${origin.hostname} that is still valid.` };
  }
  const health = await checkCookies(needed, path, origin, { transport }, { now, signal });
  if (health.kind === 'dead') return health;
  await write(path, formatCookiesTxt(needed));
  return { kind: 'stored', health };
}

async function isOfCodex(path: string): Promise<boolean> {
  if (basename(path) === CODEX_FILE) return true;
  const file = await readLoginFile(path);
  return file.kind === 'text' && parseAccessToken(file.text)?.kind === 'codex';
}

async function write(path: string, content: string): Promise<void> {
  try {
    await makePrivateDirectory(dirname(path));
    await writeFileDurably(path, content);
  } catch (error) {
    throw asStorageError(error, 'write', path);
  }
}
