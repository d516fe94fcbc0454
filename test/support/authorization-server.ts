import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface AuthorizationServerOptions {
  /** Its clock, ms UTC. */
  readonly now?: () => number;
  readonly clientId?: string;
  /** Asked for in every request, if set. */
  readonly clientSecret?: string;
  /** The user whose mailbox the tokens are for. */
  readonly user?: string;
  readonly accessTokenSeconds?: number;
  readonly deviceCodeSeconds?: number;
  readonly intervalSeconds?: number;
  /** Whether each refresh brings a new refresh token, and voids the one before (RFC 6749 section 6). */
  readonly rotates?: boolean;
  /** Whether a consent brings a refresh token at all. */
  readonly offline?: boolean;
}

export interface TokenRequest {
  readonly at: number;
  readonly form: Readonly<Record<string, string>>;
  /** `ok`, or the error code that was answered. */
  readonly outcome: string;
}

export interface AuthorizationServer extends AsyncDisposable {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly deviceEndpoint: string;
  /** Where a mail server asks whose a token is: the token is to be added at the end. */
  readonly tokenInfo: string;
  /** What came to the token endpoint. */
  readonly requests: readonly TokenRequest[];
  /** Answers the user's code: what the page at the verification address is for. */
  answerDevice(answer: 'approve' | 'deny'): void;
  /** What a browser is sent back to when the user answers at this address. */
  answerBrowser(address: string, answer: 'approve' | 'deny'): string;
  /** A refresh token of a consent given otherwise. */
  consent(): string;
  /** The user takes consent away: refresh tokens are void from now on, access tokens too. */
  withdrawConsent(): void;
  /** Voids the access tokens given so far, as a changed password does, and leaves the consent. */
  voidAccessTokens(): void;
  /** The next requests to the token endpoint end with this status and no JSON. */
  failNext(count: number, status: number): void;
}

interface Device {
  readonly userCode: string;
  readonly expiresAt: number;
  intervalMs: number;
  askedAt: number;
  answer: 'approve' | 'deny' | undefined;
}

interface Code {
  readonly challenge: string;
  readonly redirect: string;
}

/**
 * An authorization server that keeps to the standards: device grant (RFC 8628), authorization code with PKCE (RFC 6749,
 * RFC 7636), refresh with or without rotation. It is spoken to over HTTP on this machine.
 */
export async function startAuthorizationServer({
  now = Date.now,
  clientId = 'chatkeep-test',
  clientSecret,
  user = 'ada@example.test',
  accessTokenSeconds = 3600,
  deviceCodeSeconds = 900,
  intervalSeconds = 5,
  rotates = false,
  offline = true,
}: AuthorizationServerOptions = {}): Promise<AuthorizationServer> {
  const devices = new Map<string, Device>();
  const codes = new Map<string, Code>();
  const refreshTokens = new Set<string>();
  const accessTokens = new Map<string, number>();
  const requests: TokenRequest[] = [];
  const failures: number[] = [];

  const issue = (kind: string) => `${kind}-${randomBytes(24).toString('base64url')}`;

  function issueTokens(refreshToken: string | undefined): Answer {
    const accessToken = issue('access');
    accessTokens.set(accessToken, now() + accessTokenSeconds * 1000);
    if (refreshToken !== undefined) refreshTokens.add(refreshToken);
    return {
      status: 200,
      body: {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: accessTokenSeconds,
        ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      },
    };
  }

  function byDevice(form: Record<string, string>): Answer {
    const device = devices.get(form.device_code ?? '');
    if (device === undefined) return refusal('invalid_grant', 'The device code is unknown.');
    if (now() >= device.expiresAt) return refusal('expired_token', 'The code has expired.');
    const tooSoon = now() - device.askedAt < device.intervalMs;
    device.askedAt = now();
    if (tooSoon) {
      device.intervalMs += 5000;
      return refusal('slow_down');
    }
    if (device.answer === undefined) return refusal('authorization_pending');
    devices.delete(form.device_code ?? '');
    if (device.answer === 'deny') return refusal('access_denied');
    return issueTokens(offline ? issue('refresh') : undefined);
  }

  function byCode(form: Record<string, string>): Answer {
    const code = codes.get(form.code ?? '');
    codes.delete(form.code ?? '');
    const challenge = createHash('sha256')
      .update(form.code_verifier ?? '')
      .digest('base64url');
    if (code === undefined) return refusal('invalid_grant', 'The code is unknown, or was used before.');
    if (code.redirect !== form.redirect_uri) return refusal('invalid_grant', 'The redirect_uri is another one.');
    if (code.challenge !== challenge) return refusal('invalid_grant', 'The code_verifier is wrong.');
    return issueTokens(offline ? issue('refresh') : undefined);
  }

  function byRefreshToken(form: Record<string, string>): Answer {
    const token = form.refresh_token ?? '';
    if (!refreshTokens.has(token)) {
      return refusal('invalid_grant', `Token ${token} has been expired or revoked.`);
    }
    if (!rotates) return issueTokens(undefined);
    refreshTokens.delete(token);
    return issueTokens(issue('refresh'));
  }

  function answerToken(form: Record<string, string>): Answer {
    const failure = failures.shift();
    if (failure !== undefined) return { status: failure, body: undefined };
    if (form.client_id !== clientId || (clientSecret !== undefined && form.client_secret !== clientSecret)) {
      return refusal('invalid_client', 'The client is unknown, or its secret is wrong.', 401);
    }
    switch (form.grant_type) {
      case 'urn:ietf:params:oauth:grant-type:device_code':
        return byDevice(form);
      case 'authorization_code':
        return byCode(form);
      case 'refresh_token':
        return byRefreshToken(form);
      default:
        return refusal('unsupported_grant_type');
    }
  }

  function answerDeviceRequest(form: Record<string, string>): Answer {
    if (form.client_id !== clientId) return refusal('invalid_client', 'The client is unknown.', 401);
    if ((form.scope ?? '') === '') return refusal('invalid_scope');
    const deviceCode = issue('device');
    const userCode = randomBytes(4).toString('hex').toUpperCase();
    devices.set(deviceCode, {
      userCode,
      expiresAt: now() + deviceCodeSeconds * 1000,
      intervalMs: intervalSeconds * 1000,
      askedAt: now(),
      answer: undefined,
    });
    const body = {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: `${base}/device`,
      expires_in: deviceCodeSeconds,
      interval: intervalSeconds,
    };
    return { status: 200, body };
  }

  function answerTokenInfo(token: string): Answer {
    const expiresAt = accessTokens.get(token);
    return expiresAt === undefined || expiresAt <= now()
      ? refusal('invalid_token')
      : { status: 200, body: { email: user, active: true } };
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url ?? '/', base);
    if (pathname === '/tokeninfo') return answerTokenInfo(searchParams.get('access_token') ?? '');
    const form = Object.fromEntries(new URLSearchParams(await text(request)));
    if (request.headers['content-type'] !== 'application/x-www-form-urlencoded') return refusal('invalid_request');
    if (pathname === '/device') return answerDeviceRequest(form);
    if (pathname !== '/token') return { status: 404, body: undefined };
    const result = answerToken(form);
    requests.push({ at: now(), form, outcome: outcomeOf(result) });
    return result;
  }

  const server = createServer((request, response) => {
    void answer(request).then((result) => respond(response, result));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    authorizationEndpoint: `${base}/authorize`,
    tokenEndpoint: `${base}/token`,
    deviceEndpoint: `${base}/device`,
    tokenInfo: `${base}/tokeninfo?access_token=`,
    requests,
    answerDevice(given) {
      for (const device of devices.values()) device.answer = given;
    },
    answerBrowser(address, given) {
      const { searchParams } = new URL(address);
      const redirect = new URL(searchParams.get('redirect_uri') ?? '');
      redirect.searchParams.set('state', searchParams.get('state') ?? '');
      if (given === 'deny') redirect.searchParams.set('error', 'access_denied');
      else {
        const code = issue('code');
        if (searchParams.get('code_challenge_method') !== 'S256') throw new Error('No S256 challenge.');
        codes.set(code, { challenge: searchParams.get('code_challenge') ?? '', redirect: `${redirect.origin}/` });
        redirect.searchParams.set('code', code);
      }
      return redirect.href;
    },
    consent() {
      const token = issue('refresh');
      refreshTokens.add(token);
      return token;
    },
    withdrawConsent() {
      refreshTokens.clear();
      accessTokens.clear();
    },
    voidAccessTokens: () => accessTokens.clear(),
    failNext: (count, status) => void failures.push(...Array<number>(count).fill(status)),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

function refusal(error: string, description?: string, status = 400): Answer {
  return { status, body: { error, ...(description === undefined ? {} : { error_description: description }) } };
}

function outcomeOf({ status, body }: Answer): string {
  if (status === 200) return 'ok';
  return typeof body?.error === 'string' ? body.error : String(status);
}

function respond(response: ServerResponse, { status, body }: Answer): void {
  const content = body === undefined ? '<html>no JSON</html>' : JSON.stringify(body);
  response.writeHead(status, { 'content-type': body === undefined ? 'text/html' : 'application/json' });
  response.end(content);
}
