import { z } from 'zod';

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
export const ACCOUNT_FILE_MOST_BYTES = 1024 * 1024;

const text = z.string().min(1).optional().catch(undefined);
const userSchema = z.object({
  id: text,
  email: text,
  phone_number: text,
  birth_year: z.int().optional().catch(undefined),
  chatgpt_plus_user: z.boolean().optional().catch(undefined),
});

/** Reads `user.json`. Undefined where it is not what it was when this was written: the format changes without notice. */
export function readAccount(userJson: Uint8Array): AccountInformation | undefined {
  try {
    const user = userSchema.parse(JSON.parse(Buffer.from(userJson).toString('utf8')));
    return {
      id: user.id,
      email: user.email,
      phone: user.phone_number,
      birthYear: user.birth_year,
      plus: user.chatgpt_plus_user,
    };
  } catch {
    return undefined;
  }
}
