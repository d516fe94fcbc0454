import type { OAuth2Config } from '../../config/index.ts';
import { type Clock, MINUTE_MS } from '../../lib/clock.ts';
import { errorMessage } from '../../lib/errors.ts';
import { Mutex } from '../../lib/mutex.ts';
import type { Secret } from '../../lib/secret.ts';
import { MailboxError } from '../trouble.ts';
import type { PostForm } from './http.ts';
import { authorityOf } from './providers.ts';
import { OAuthRefusal, requestTokens } from './token-request.ts';
import type { Consent, TokenStore } from './token-store.ts';

export interface TokenSourceOptions {
  /** The mailbox's name, for sentences. */
  readonly mailbox: string;
  readonly oauth2: OAuth2Config;
  readonly store: TokenStore;
  readonly clock: Clock;
  readonly post: PostForm;
}

/** A token is renewed this long before it expires: clocks differ, and the sign-in takes its time. */
const SKEW_MS = MINUTE_MS;

/** Gives access tokens for a consent, and renews them by its refresh token, one renewal at a time. */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  readonly #renewing = new Mutex();
  #current: { readonly token: Secret; readonly expiresAt: number; readonly consentedBy: string } | undefined;
  /** A refresh token that could not be stored; the one in the file is void. */
  #unstored: Consent | undefined;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
  }

  /**
   * A token that lives for another minute at the least.
   *
   * @param isUsedRefused a token that was got earlier was refused: a fresh one is wanted
   * @throws MailboxError `sign-in-refused` if the user has to give consent (again), else `unreachable`
   */
  accessToken(signal: AbortSignal, isUsedRefused = false): Promise<{ secret: Secret; isUsed: boolean }> {
    return this.#renewing.run(async () => {
      signal.throwIfAborted();
      const { clock, store } = this.#options;
      const current = this.#current;
      const isGood =
        current !== undefined &&
        !isUsedRefused &&
        clock.now() < current.expiresAt - SKEW_MS &&
        current.consentedBy === (await store.fingerprint());
      return isGood ? { secret: current.token, isUsed: true } : { secret: await this.#renew(signal), isUsed: false };
    });
  }

  async #renew(signal: AbortSignal): Promise<Secret> {
    const { oauth2, store, clock, post } = this.#options;
    this.#current = undefined;
    const consent = this.#unstored ?? (await this.#storedConsent());
    const grant = { grant_type: 'refresh_token', refresh_token: consent.refreshToken.reveal() };
    const askedAt = clock.now();
    const tokens = await requestTokens(oauth2, grant, { post, signal }).catch((error: unknown) => {
      // What is void is not held on to: the next attempt reads what the user has stored since.
      if (error instanceof OAuthRefusal) this.#unstored = undefined;
      throw this.#meaningOf(error);
    });
    if (tokens.refreshToken !== undefined) this.#unstored = { ...consent, refreshToken: tokens.refreshToken };
    if (this.#unstored !== undefined) {
      await store.write(this.#unstored);
      this.#unstored = undefined;
    }
    this.#current = {
      token: tokens.accessToken,
      expiresAt: askedAt + tokens.livesMs,
      consentedBy: await store.fingerprint(),
    };
    return tokens.accessToken;
  }

  async #storedConsent(): Promise<Consent> {
    const { oauth2, store } = this.#options;
    let consent: Consent | undefined;
    try {
      consent = await store.read();
    } catch (error) {
      throw new MailboxError('unreachable', `The token_file ${store.path} cannot be read: ${errorMessage(error)}.`);
    }
    if (consent === undefined) throw this.#refused('has not given Chatkeep consent to read it yet');
    if (consent.clientId !== oauth2.clientId || consent.provider !== oauth2.provider) {
      throw this.#refused('has consented to another client_id than the one that is configured');
    }
    return consent;
  }

  #meaningOf(error: unknown): unknown {
    if (!(error instanceof OAuthRefusal)) return error;
    const { label } = authorityOf(this.#options.oauth2);
    return error.code === 'invalid_grant'
      ? this.#refused(`has withdrawn the consent that Chatkeep had, or ${label} has let it lapse (${error.message})`)
      : new MailboxError('sign-in-refused', `${label} refused to renew the sign-in (${error.code}): ${error.message}`);
  }

  #refused(what: string): MailboxError {
    const { mailbox } = this.#options;
    return new MailboxError(
      'sign-in-refused',
      `The owner of the mailbox "${mailbox}" ${what}. Run \`chatkeep login mail ${mailbox}\`; Chatkeep goes on by itself afterwards.`,
    );
  }
}
