import { join } from 'node:path';
import type { OAuth2Config } from '../../../src/config/index.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { TokenStore } from '../../../src/mailbox/oauth/token-store.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  startAuthorizationServer,
} from '../../support/authorization-server.ts';
import { tempDir } from '../../support/temp-dir.ts';

export interface OAuthScene extends AsyncDisposable {
  readonly authority: AuthorizationServer;
  readonly oauth2: OAuth2Config;
  readonly store: TokenStore;
  /** The user has given consent, and it is stored. */
  giveConsent(): Promise<string>;
}

/** An authorization server, a directory for tokens, and the settings that lead to both. */
export async function oauthScene(
  options: AuthorizationServerOptions & { readonly provider?: OAuth2Config['provider'] } = {},
): Promise<OAuthScene> {
  const { provider = 'microsoft', ...serverOptions } = options;
  const directory = await tempDir();
  const authority = await startAuthorizationServer(serverOptions);
  const { authorizationEndpoint, tokenEndpoint, deviceEndpoint } = authority;
  const { clientSecret } = serverOptions;
  const oauth2: OAuth2Config = {
    provider,
    clientId: 'chatkeep-test',
    ...(clientSecret === undefined ? {} : { clientSecret: new Secret(clientSecret) }),
    tokenFile: join(directory.path, 'state', 'oauth', 'ada.json'),
    authorizationEndpoint,
    tokenEndpoint,
    deviceEndpoint,
  };
  const store = new TokenStore(oauth2.tokenFile);
  return {
    authority,
    oauth2,
    store,
    async giveConsent() {
      const token = authority.consent();
      await store.write({
        provider,
        clientId: oauth2.clientId,
        user: 'ada@example.test',
        refreshToken: new Secret(token),
      });
      return token;
    },
    async [Symbol.asyncDispose]() {
      await authority[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}
