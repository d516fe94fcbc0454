import type { OAuth2Config } from '../../config/index.ts';

/** What has to be known of an authority to ask for consent, and for tokens. */
export interface Authority {
  /** What messages call it. */
  readonly label: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly deviceEndpoint: string;
  /** The permission to read mail by IMAP, and to go on doing so while the user is away. */
  readonly scope: string;
  /** What the authorization request has beside that. */
  readonly authorizationParameters: Readonly<Record<string, string>>;
  /** How the user is asked: with a code that they type in anywhere, or in a browser that comes back to this machine. */
  readonly flow: 'device' | 'loopback';
}

/** The authority of a mailbox: the provider's addresses, or those that the configuration puts in their place. */
export function authorityOf(oauth2: OAuth2Config): Authority {
  const usual = oauth2.provider === 'google' ? google() : microsoft(oauth2.tenant ?? 'common');
  return {
    ...usual,
    authorizationEndpoint: oauth2.authorizationEndpoint ?? usual.authorizationEndpoint,
    tokenEndpoint: oauth2.tokenEndpoint ?? usual.tokenEndpoint,
    deviceEndpoint: oauth2.deviceEndpoint ?? usual.deviceEndpoint,
  };
}

/**
 * https://developers.google.com/identity/protocols/oauth2/native-app. Google's device flow does not give access to mail;
 * without `prompt=consent` a second login brings no refresh token.
 */
function google(): Authority {
  return {
    label: 'Google',
    authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    deviceEndpoint: 'https://oauth2.googleapis.com/device/code',
    scope: 'https://mail.google.com/',
    authorizationParameters: { access_type: 'offline', prompt: 'consent' },
    flow: 'loopback',
  };
}

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code */
function microsoft(tenant: string): Authority {
  const base = `https://login.microsoftonline.com/${tenant}/oauth2/v2.0`;
  return {
    label: 'Microsoft',
    authorizationEndpoint: `${base}/authorize`,
    tokenEndpoint: `${base}/token`,
    deviceEndpoint: `${base}/devicecode`,
    scope: 'https://outlook.office.com/IMAP.AccessAsUser.All offline_access',
    authorizationParameters: {},
    flow: 'device',
  };
}
