import { createHash, randomBytes } from 'node:crypto';
import { Secret } from '../../lib/secret.ts';

/** 32 bytes make a verifier of 43 characters (RFC 7636 section 4.1). */
const RANDOM_BYTES = 32;

/** The proof that who redeems a code is who asked for it. */
export interface Pkce {
  readonly verifier: Secret;
  /** S256 of the verifier (RFC 7636 section 4.2); this is what the browser carries. */
  readonly challenge: string;
}

/** A new verifier and its challenge. */
export function createPkce(): Pkce {
  const verifier = randomText();
  return { verifier: new Secret(verifier), challenge: challengeOf(verifier) };
}

export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier, 'ascii').digest('base64url');
}

/** A text that nobody guesses, fit for an address. */
export function randomText(): string {
  return randomBytes(RANDOM_BYTES).toString('base64url');
}
