import type { LoginConfig } from '../../config/index.ts';
import { bearerLogin } from './bearer.ts';
import { cookiesLogin } from './cookies.ts';
import type { Login } from './login.ts';

export type { Login, LoginAnswer, LoginContext, LoginHeaders } from './login.ts';

/** The logins of the configuration, in its order. */
export function createLogins(configs: readonly LoginConfig[]): Login[] {
  return configs.map(createLogin);
}

function createLogin(config: LoginConfig): Login {
  switch (config.type) {
    case 'bearer':
      return bearerLogin(config.tokenFile);
    case 'cookies':
      return cookiesLogin(config.file);
  }
}

/** Changes when any of the logins has changed. */
export async function loginsFingerprint(logins: readonly Login[]): Promise<string> {
  return (await Promise.all(logins.map((login) => login.fingerprint()))).join('|');
}
