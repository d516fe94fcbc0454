import type { LoginConfig } from '../../config/index.ts';
import type { DownloadPlace } from '../address-guard.ts';
import { bearerLogin } from './bearer.ts';
import { browserLogin } from './browser.ts';
import { commandLogin } from './command.ts';
import { cookiesLogin } from './cookies.ts';
import type { Login, LoginParts } from './login.ts';

export { type LoginFile, readLoginFile } from './files.ts';
export type { LoginHealth } from './health.ts';
export type { Login, LoginAnswer, LoginContext, LoginHeaders, LoginParts } from './login.ts';
export { type Stored, storeCookies, storeToken, type Trial } from './store.ts';

/** The logins of the configuration, in its order. */
export function createLogins(configs: readonly LoginConfig[], parts: LoginParts): Login[] {
  return configs.map((config) => createLogin(config, parts));
}

function createLogin(config: LoginConfig, parts: LoginParts): Login {
  switch (config.type) {
    case 'bearer':
      return bearerLogin(config, parts);
    case 'cookies':
      return cookiesLogin(config.file, parts);
    case 'browser':
      return browserLogin(config, parts);
    case 'command':
      return commandLogin(config, parts);
  }
}

/** Changes when any of the logins has changed. */
export async function loginsFingerprint(logins: readonly Login[]): Promise<string> {
  return (await Promise.all(logins.map((login) => login.fingerprint()))).join('|');
}

/**
 * Where logins are tried out: the user's own extra place, since a proxy stands before the provider's, else the
 * provider's.
 *
 * @throws TypeError if no place asks for a login
 */
export function loginOrigin(places: readonly DownloadPlace[]): URL {
  const asking = places.filter(({ login }) => login);
  const place = asking.find(({ extra }) => extra) ?? asking[0];
  if (place === undefined) throw new TypeError('no place asks for a login');
  return new URL(place.origin);
}
