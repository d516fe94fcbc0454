import { join } from 'node:path';
import * as z from 'zod';
import { errorCode } from '../lib/errors.ts';
import { readJson } from './json/read-json.ts';

/** What an export says of the account it is of (shared facts: `user.json`). */
export interface AccountInformation {
  readonly id: string | undefined;
  readonly email: string | undefined;
  readonly phone: string | undefined;
  readonly birthYear: number | undefined;
  /** Whether it is a paid one; undefined where the export does not say. */
  readonly plus: boolean | undefined;
}

/** The file in an export that names the account. */
export const ACCOUNT_FILE = 'user.json';
/** Real ones have a few hundred bytes. */
const ACCOUNT_FILE_MOST_BYTES = 1024 * 1024;

const text = z.string().min(1).optional().catch(undefined);
const userSchema = z.object({
  id: text,
  email: text,
  phone_number: text,
  birth_year: z.int().optional().catch(undefined),
  chatgpt_plus_user: z.boolean().optional().catch(undefined),
});

/** Undefined where it is not what it was when this was written: the format changes without notice. */
function accountIn(userJson: unknown): AccountInformation | undefined {
  const { success, data: user } = userSchema.safeParse(userJson);
  if (!success) return undefined;
  return {
    id: user.id,
    email: user.email,
    phone: user.phone_number,
    birthYear: user.birth_year,
    plus: user.chatgpt_plus_user,
  };
}

/**
 * The account that an unpacked export is of: from the topmost `user.json` that names one. An export may lie in a folder,
 * and that of the Privacy Portal in several.
 *
 * @param files all files of the export, paths relative to `directory`
 * @throws what the file system says, but that a file is not there: a disk that fails says nothing of the account
 */
export async function findAccount(
  directory: string,
  files: readonly { readonly path: string }[],
): Promise<AccountInformation | undefined> {
  const depth = (path: string) => path.split('/').length;
  const places = files
    .map(({ path }) => path)
    .filter((path) => path === ACCOUNT_FILE || path.endsWith(`/${ACCOUNT_FILE}`))
    .sort((a, b) => depth(a) - depth(b));
  for (const path of places) {
    const reading = await readJson(join(directory, path), ACCOUNT_FILE_MOST_BYTES).catch(unlessMissing);
    const account = reading?.kind === 'read' ? accountIn(reading.value) : undefined;
    if (account?.email !== undefined) return account;
  }
  return undefined;
}

function unlessMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error;
}
