import type { MailboxConfig, OAuth2Config } from '../config/index.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { consentByDevice, type DevicePrompt } from './oauth/device-flow.ts';
import { type PostForm, postForm } from './oauth/http.ts';
import { type BrowserPrompt, consentByBrowser, type PasteBack } from './oauth/loopback-flow.ts';
import { authorityOf } from './oauth/providers.ts';
import { OAuthRefusal, type Tokens } from './oauth/token-request.ts';
import { TokenStore } from './oauth/token-store.ts';
import { MailboxError } from './trouble.ts';

/** How a login speaks with its user. */
export interface LoginDialogue extends PasteBack {
  readonly showCode: (prompt: DevicePrompt) => void;
  readonly showAddress: (prompt: BrowserPrompt) => void;
}

export interface LoginOptions {
  readonly dialogue: LoginDialogue;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly post?: PostForm;
}

/**
 * Asks the owner of a mailbox for consent to read it, and stores what proves it, so that the service can go on without
 * them.
 *
 * @throws MailboxError `sign-in-refused` if consent was not given; `unreachable`; ChatkeepError `storage`
 */
export async function logInToMailbox(
  { name, user, oauth2 }: MailboxConfig & { readonly oauth2: OAuth2Config },
  { dialogue, signal, clock = systemClock, post = postForm }: LoginOptions,
): Promise<void> {
  const context = { oauth2, user, post, clock, signal };
  const { label, flow } = authorityOf(oauth2);
  let tokens: Tokens;
  try {
    tokens =
      flow === 'device'
        ? await consentByDevice(context, dialogue.showCode)
        : await consentByBrowser(context, dialogue.showAddress, dialogue);
  } catch (error) {
    throw error instanceof OAuthRefusal ? new MailboxError('sign-in-refused', sentenceFor(error, label)) : error;
  }
  if (tokens.refreshToken === undefined) {
    throw new MailboxError(
      'sign-in-refused',
      `${label} gave access to the mailbox "${name}" for an hour only, without a refresh token. Take Chatkeep off the list of connected applications of the account, and run the login again.`,
    );
  }
  const { provider, clientId } = oauth2;
  await new TokenStore(oauth2.tokenFile).write({ provider, clientId, user, refreshToken: tokens.refreshToken });
}

function sentenceFor({ code, message }: OAuthRefusal, label: string): string {
  switch (code) {
    case 'access_denied':
    case 'authorization_declined':
      return 'Consent was not given, and nothing was stored.';
    case 'expired_token':
      return 'Nobody gave consent in time, and nothing was stored. Run the login again.';
    default:
      return `${label} refused the login (${code}): ${message}`;
  }
}
