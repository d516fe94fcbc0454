import type { MailboxConfig } from '../config/index.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Secret } from '../lib/secret.ts';
import { type PostForm, postForm } from './oauth/http.ts';
import { TokenSource } from './oauth/token-source.ts';
import { TokenStore } from './oauth/token-store.ts';
import { passwordFromCommand } from './password-command.ts';

/** What a mail server is shown. */
export type Credential =
  | { readonly kind: 'password'; readonly secret: Secret }
  | {
      readonly kind: 'access-token';
      readonly secret: Secret;
      /** It was got for an earlier sign-in; the authority may have voided it since. */
      readonly isUsed: boolean;
    };

/** The way to sign in to one mailbox. */
export interface SignIn {
  /**
   * @param isUsedRefused the server has refused a token that was got earlier: a fresh one is wanted
   * @throws MailboxError `sign-in-refused` if the user has to act, else `unreachable`
   */
  credential(signal: AbortSignal, isUsedRefused?: boolean): Promise<Credential>;
  /** Something that changes when the user has renewed the way in, so that it can be tried again at once. */
  fingerprint(): Promise<string>;
}

/** The way that is configured. There is to be one of it for each mailbox: it keeps tokens and renews them one at a time. */
export function createSignIn(
  config: MailboxConfig,
  { clock = systemClock, post = postForm }: { readonly clock?: Clock; readonly post?: PostForm } = {},
): SignIn {
  const unchanging = async () => '';
  if (config.oauth2 !== undefined) {
    const store = new TokenStore(config.oauth2.tokenFile);
    const source = new TokenSource({ mailbox: config.name, oauth2: config.oauth2, store, clock, post });
    return {
      async credential(signal, isUsedRefused = false) {
        return { kind: 'access-token', ...(await source.accessToken(signal, isUsedRefused)) };
      },
      fingerprint: () => store.fingerprint(),
    };
  }
  if (config.passwordCommand !== undefined) {
    const command = config.passwordCommand;
    return {
      credential: async (signal) => ({ kind: 'password', secret: await passwordFromCommand(command, { signal }) }),
      fingerprint: unchanging,
    };
  }
  const { password } = config;
  return { credential: async () => ({ kind: 'password', secret: password }), fingerprint: unchanging };
}
