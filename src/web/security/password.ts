import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** 16 MB and some 40 ms; guesses are few (attempts.ts), and the machine may be a small one. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const HASH_BYTES = 32;
/** Nobody types more; hashing it would only take time. */
export const LONGEST_PASSWORD = 1_000;

/** A password as it can be lain down: it tells whether another one is the same, and not what it is. */
export interface PasswordHash {
  /** Both base64url. */
  readonly salt: string;
  readonly hash: string;
}

/** Hashes with a salt of its own. */
export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16);
  return { salt: salt.toString('base64url'), hash: (await derive(password, salt)).toString('base64url') };
}

/** Takes as long whatever is wrong. */
export async function isPassword(attempt: string, { salt, hash }: PasswordHash): Promise<boolean> {
  const expected = Buffer.from(hash, 'base64url');
  const actual = await derive(attempt.slice(0, LONGEST_PASSWORD), Buffer.from(salt, 'base64url'));
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** As it was typed, whatever keyboard composed its letters. */
function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(password.normalize('NFKC'), salt, HASH_BYTES, COST, (error, key) => {
    if (error === null) resolve(key);
    else reject(error);
  });
  return promise;
}
