import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { LoginConfig } from '../../../src/config/index.ts';
import { createLogins, type LoginHealth } from '../../../src/download/index.ts';
import { askBearer, askSession } from '../../../src/download/logins/questions.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/lib/clock.ts';
import { type FakeAnswer, FakeTransport } from '../../support/fake-transport.ts';
import type { AccountFault } from '../../support/openai/server.ts';
import { TEST_START_MS as NOW, VirtualClock } from '../../support/virtual-clock.ts';
import { openScene, type Scene, SESSION, TOKEN } from '../scene.ts';
import { cookieLine, SESSION_COOKIE } from './cookie-line.ts';
import { jwt } from './jwt.ts';

const ACCOUNT = 'ada@example.com';

/** The three logins of a person who is signed in. */
async function loginsIn(stage: Scene, { token = TOKEN, session = SESSION, sessionEnds = 0 } = {}) {
  const cookies = join(stage.directory, 'cookies.txt');
  const expires = String(Math.round(sessionEnds / 1000));
  const line = { domain: 'localhost', subdomains: 'FALSE', name: SESSION_COOKIE, value: session, expires };
  await Promise.all([writeFile(cookies, cookieLine(line)), writeFile(stage.tokenFile, token)]);
  return {
    bearer: { type: 'bearer', tokenFile: stage.tokenFile },
    cookies: { type: 'cookies', file: cookies },
    'token command': { type: 'command', command: ['/bin/echo', `Authorization: Bearer ${token}`] },
    'cookie command': { type: 'command', command: ['/bin/echo', `Cookie: ${SESSION_COOKIE}=${session}`] },
  } as const satisfies Record<string, LoginConfig>;
}

async function check(
  stage: Scene,
  config: LoginConfig,
  now = NOW,
  origin = new URL(stage.server.origin),
): Promise<LoginHealth> {
  const [login] = createLogins([config], stage);
  assert.ok(login !== undefined);
  return login.check(origin, { now, signal: new AbortController().signal });
}

const scene = () => openScene({ now: () => NOW });
const hostOf = (stage: Scene) => new URL(stage.server.origin).host;

describe('A check', () => {
  for (const kind of ['bearer', 'cookies', 'token command', 'cookie command'] as const) {
    describe(`of ${kind}`, () => {
      it('finds a login good, and tells whose it is', async () => {
        await using stage = await scene();
        const health = await check(stage, (await loginsIn(stage))[kind]);
        const until = kind === 'cookies' ? NOW + 90 * DAY_MS : undefined;
        assert.deepEqual(health, { kind: 'good', until, account: ACCOUNT });
      });

      it('finds a login dead that was revoked', async () => {
        await using stage = await scene();
        stage.server.bearerTokens.clear();
        stage.server.sessionTokens.clear();
        const health = await check(stage, (await loginsIn(stage))[kind]);
        assert.ok(health.kind === 'dead');
        assert.match(health.detail, /does not accept it \(401\)|as it does to somebody who is signed out\.$/);
      });

      const faults: Readonly<Record<Exclude<AccountFault, 'silence'>, RegExp>> = {
        challenge: /asked for a browser check/,
        'login-page': /sent a web page instead of an answer \(200\)/,
        redirect: /answered with a redirect, which was not followed/,
        'not-found': /answered 404/,
        unavailable: /answered 503/,
        flood: /sent far more than an answer/,
      };
      for (const [fault, detail] of Object.entries(faults)) {
        it(`finds out nothing where the server has a fault (${fault})`, async () => {
          await using stage = await scene();
          stage.server.accountFault = fault as AccountFault;
          const health = await check(stage, (await loginsIn(stage))[kind]);
          assert.ok(health.kind === 'unknown', JSON.stringify(health));
          assert.match(health.detail, detail);
          assert.ok(health.detail.includes(hostOf(stage)));
          assert.equal(stage.server.requests.length, 1);
        });
      }

      it('finds out nothing where the network is down', async () => {
        await using stage = await scene();
        const logins = await loginsIn(stage);
        const origin = new URL(stage.server.origin);
        await stage.server.close();
        assert.deepEqual(await check(stage, logins[kind], NOW, origin), {
          kind: 'unknown',
          detail: `${origin.host} refuses connections.`,
        });
      });

      it('stops with whoever waits for it', async () => {
        await using stage = await scene();
        stage.server.accountFault = 'silence';
        const [login] = createLogins([(await loginsIn(stage))[kind]], stage);
        const controller = new AbortController();
        const checking = login?.check(new URL(stage.server.origin), { now: NOW, signal: controller.signal });
        setTimeout(() => controller.abort(new Error('stopped')), 200);
        await assert.rejects(checking ?? Promise.resolve(), /stopped/);
      });
    });
  }

  it('asks nobody where a file says enough', async () => {
    await using stage = await scene();
    const logins = await loginsIn(stage, { sessionEnds: NOW - HOUR_MS, token: jwt({ exp: NOW - HOUR_MS }) });
    assert.deepEqual(await check(stage, logins.bearer), {
      kind: 'dead',
      detail: 'The token has expired, at 2026-11-21 18:05 UTC.',
    });
    assert.deepEqual(await check(stage, logins.cookies), {
      kind: 'dead',
      detail: `The session cookie in ${logins.cookies.file} has expired, at 2026-11-21 18:05 UTC.`,
    });
    const missing = join(stage.directory, 'missing');
    const detail = `The file ${missing} does not exist.`;
    assert.deepEqual(await check(stage, { type: 'bearer', tokenFile: missing }), { kind: 'dead', detail });
    assert.deepEqual(await check(stage, { type: 'cookies', file: missing }), { kind: 'dead', detail });
    const failing: LoginConfig = { type: 'command', command: ['/bin/false'] };
    assert.deepEqual(await check(stage, failing), {
      kind: 'dead',
      detail: 'The login command false ended with exit code 1.',
    });
    assert.deepEqual(stage.server.requests, []);
  });

  it('foresees the end of a token by its own word, and of cookies by that of the session cookie', async () => {
    await using stage = await scene();
    const soon = NOW + 2 * DAY_MS;
    const token = jwt({ exp: soon, iat: NOW - 8 * DAY_MS });
    stage.server.bearerTokens.add(token);
    const logins = await loginsIn(stage, { token, sessionEnds: soon });
    for (const kind of ['bearer', 'cookies'] as const) {
      const until = kind === 'cookies' ? Math.round(soon / 1000) * 1000 : soon;
      assert.deepEqual(await check(stage, logins[kind]), { kind: 'dying', until, account: ACCOUNT });
    }
  });

  it('foresees it also where nobody answers', async () => {
    await using stage = await scene();
    stage.server.accountFault = 'challenge';
    const soon = NOW + 2 * DAY_MS;
    const logins = await loginsIn(stage, { token: jwt({ exp: soon }), sessionEnds: soon });
    assert.equal((await check(stage, logins.bearer)).kind, 'dying');
    assert.equal((await check(stage, logins.cookies)).kind, 'dying');
  });

  it('is not alarmed by a token that was made to live for hours: somebody renews it', async () => {
    await using stage = await scene();
    const token = jwt({ iat: NOW - 10 * MINUTE_MS, exp: NOW + 50 * MINUTE_MS });
    stage.server.bearerTokens.add(token);
    const logins = await loginsIn(stage, { token });
    assert.equal((await check(stage, logins.bearer)).kind, 'good');
    assert.equal((await check(stage, logins.bearer, NOW + 40 * MINUTE_MS)).kind, 'dying');
    assert.equal((await check(stage, logins['token command'], NOW + 40 * MINUTE_MS)).kind, 'good');
  });

  it('sends the login to its own host alone', async () => {
    await using stage = await scene();
    await using elsewhere = await openScene();
    const logins = await loginsIn(stage);
    const origin = new URL(elsewhere.server.origin.replace('localhost', '127.0.0.1'));
    const [login] = createLogins([logins.cookies], elsewhere);
    const health = await login?.check(origin, { now: NOW, signal: new AbortController().signal });
    assert.equal(health?.kind, 'dead');
    assert.deepEqual(elsewhere.server.requests, []);
  });
});

describe('A question to the server', () => {
  it('has a time limit', async () => {
    await using stage = await scene();
    stage.server.accountFault = 'silence';
    const { transport } = stage;
    const { signal } = new AbortController();
    const origin = new URL(stage.server.origin);
    const detail = `${origin.host} did not answer within 0.2 s.`;
    const asking = { transport, headers: {}, signal, timeoutMs: 200 };
    assert.deepEqual(await askSession(origin, asking), { kind: 'unreached', detail });
    assert.deepEqual(await askBearer(origin, asking), { kind: 'unknown', detail });
  });

  const answers: readonly { body: string; session: string; bearer: string; status?: number }[] = [
    { body: '{}', session: 'signed-out', bearer: 'unknown' },
    { body: '{"WARNING_BANNER":"!"}', session: 'signed-out', bearer: 'unknown' },
    { body: '{"accessToken":"t","error":"RefreshAccessTokenError"}', session: 'signed-out', bearer: 'unknown' },
    { body: '{"accessToken":"t"}', session: 'signed-in', bearer: 'unknown' },
    { body: '{"accessToken":"t","user":null,"expires":"soon"}', session: 'signed-in', bearer: 'unknown' },
    { body: '{"accessToken":"a\\r\\nb","user":{}}', session: 'unknown', bearer: 'unknown' },
    { body: '{"user":{"email":"ada@example.com"}}', session: 'unknown', bearer: 'unknown' },
    { body: '{"id":"user-1","email":"ada@example.com"}', session: 'signed-out', bearer: 'accepted' },
    { body: '{"id":"user-1","email":"\\u001b[2J"}', session: 'signed-out', bearer: 'accepted' },
    { body: '[]', session: 'unknown', bearer: 'unknown' },
    { body: 'null', session: 'unknown', bearer: 'unknown' },
    { body: '', session: 'unknown', bearer: 'unknown' },
    { body: '{', session: 'unknown', bearer: 'unknown' },
    { body: '{"detail":"Unauthorized"}', session: 'unknown', bearer: 'refused', status: 401 },
    { body: '{"detail":"Forbidden"}', session: 'unknown', bearer: 'unknown', status: 403 },
  ];
  for (const { body, session, bearer, status = 200 } of answers) {
    it(`takes ${status} ${body} for ${session} (session) and ${bearer} (bearer)`, async () => {
      const answer: FakeAnswer = { kind: 'answer', status, headers: {}, text: body };
      const transport = new FakeTransport(new VirtualClock(), Buffer.alloc(0), [answer, answer]);
      const asking = { transport, headers: {}, signal: new AbortController().signal };
      const origin = new URL('https://chatgpt.com');
      const [s, b] = [await askSession(origin, asking), await askBearer(origin, asking)];
      assert.deepEqual([s.kind, b.kind], [session, bearer]);
      if ('account' in b) assert.ok(b.account === undefined || b.account === ACCOUNT);
    });
  }
});
