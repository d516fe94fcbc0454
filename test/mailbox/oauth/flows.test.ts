import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { request } from 'undici';
import { MINUTE_MS, SECOND_MS } from '../../../src/lib/clock.ts';
import { type LoginDialogue, logInToMailbox, MailboxError } from '../../../src/mailbox/index.ts';
import type { DevicePrompt } from '../../../src/mailbox/oauth/device-flow.ts';
import { type PostForm, postForm } from '../../../src/mailbox/oauth/http.ts';
import type { BrowserPrompt } from '../../../src/mailbox/oauth/loopback-flow.ts';
import { challengeOf, createPkce } from '../../../src/mailbox/oauth/pkce.ts';
import { eventually } from '../../support/eventually.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';
import { mailboxConfig } from '../fake-server.ts';
import { type OAuthScene, oauthScene } from './scene.ts';

/** A login that is going on, and what it has shown to the user. */
function logIn({ oauth2 }: OAuthScene, clock: VirtualClock) {
  const shown: { code?: DevicePrompt; browser?: BrowserPrompt } = {};
  const complaints: string[] = [];
  const lines: string[] = [];
  const abort = new AbortController();
  const dialogue: LoginDialogue = {
    showCode(prompt) {
      shown.code = prompt;
    },
    showAddress(prompt) {
      shown.browser = prompt;
    },
    complain: (sentence) => void complaints.push(sentence),
    async nextLine(signal) {
      while (lines.length === 0) {
        signal.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return lines.shift();
    },
  };
  const config = { ...mailboxConfig(), password: undefined, passwordCommand: undefined, oauth2 };
  let asking = 0;
  const post: PostForm = async (...question) => {
    asking += 1;
    try {
      return await postForm(...question);
    } finally {
      asking -= 1;
    }
  };
  const done = logInToMailbox(config, { dialogue, signal: abort.signal, clock, post });
  const ended = done.then(
    () => 'done',
    (error: unknown) => error,
  );
  /** Lets virtual time pass second by second; it stands still while the authority is asked. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += SECOND_MS) {
      await clock.advance(SECOND_MS);
      await eventually(() => asking === 0);
      await settle();
    }
  };
  const browserPrompt = async (): Promise<BrowserPrompt> => {
    await eventually(() => shown.browser !== undefined);
    if (shown.browser === undefined) throw new Error('No address was shown.');
    return shown.browser;
  };
  return { shown, complaints, lines, abort, done, ended, pass, browserPrompt };
}

async function sentenceOf(ended: Promise<unknown>): Promise<string> {
  const error = await ended;
  assert.ok(error instanceof MailboxError, String(error));
  return error.message;
}

describe('PKCE', () => {
  it('has the challenge of RFC 7636 appendix B', () => {
    const challenge = challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
    assert.equal(challenge, 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
  });

  it('has a verifier of 43 characters, another one each time', () => {
    const [one, two] = [createPkce(), createPkce()];
    assert.match(one.verifier.reveal(), /^[A-Za-z0-9_-]{43}$/);
    assert.notEqual(one.verifier.reveal(), two.verifier.reveal());
  });
});

describe('A login with a code that is typed in elsewhere', () => {
  it('shows address and code, and stores the consent once it is given', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now });
    const login = logIn(scene, clock);
    await eventually(() => login.shown.code !== undefined);
    assert.match(login.shown.code?.code ?? '', /^[0-9A-F]{8}$/);
    assert.match(login.shown.code?.address ?? '', /\/device$/);
    await login.pass(12 * SECOND_MS);
    scene.authority.answerDevice('approve');
    await login.pass(5 * SECOND_MS);
    await login.done;
    const consent = await scene.store.read();
    assert.equal(consent?.user, 'ada@example.test');
    assert.match(consent.refreshToken.reveal(), /^refresh-/);
    assert.deepEqual(
      scene.authority.requests.map(({ outcome }) => outcome),
      ['authorization_pending', 'authorization_pending', 'ok'],
    );
  });

  it('asks five seconds more slowly each time it is told to slow down', async () => {
    const clock = new VirtualClock();
    let skew = 0;
    // The authority's clock lags once, so that the second question comes too soon by it.
    await using scene = await oauthScene({ now: () => clock.now() - skew });
    const login = logIn(scene, clock);
    await eventually(() => login.shown.code !== undefined);
    await login.pass(5 * SECOND_MS);
    skew = 2 * SECOND_MS;
    await login.pass(5 * SECOND_MS);
    await login.pass(20 * SECOND_MS);
    const { requests } = scene.authority;
    assert.deepEqual(
      requests.map(({ outcome }) => outcome),
      ['authorization_pending', 'slow_down', 'authorization_pending', 'authorization_pending'],
    );
    const gaps = requests.slice(2).map(({ at }, index) => at - (requests[index + 1]?.at ?? 0));
    assert.deepEqual(gaps, [10 * SECOND_MS, 10 * SECOND_MS]);
    login.abort.abort(new Error('stop'));
    await login.ended;
  });

  it('ends when the user declines', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now });
    const login = logIn(scene, clock);
    await eventually(() => login.shown.code !== undefined);
    scene.authority.answerDevice('deny');
    await login.pass(6 * SECOND_MS);
    assert.equal(await sentenceOf(login.ended), 'Consent was not given, and nothing was stored.');
    assert.equal(await scene.store.read(), undefined);
  });

  it('ends when the code has expired', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now, deviceCodeSeconds: 12 });
    const login = logIn(scene, clock);
    await eventually(() => login.shown.code !== undefined);
    await login.pass(20 * SECOND_MS);
    assert.match(await sentenceOf(login.ended), /^Nobody gave consent in time/);
  });

  it('ends when the authority says that the code has expired, before it should have', async () => {
    const clock = new VirtualClock();
    let skew = 0;
    await using scene = await oauthScene({ now: () => clock.now() + skew });
    const login = logIn(scene, clock);
    await eventually(() => login.shown.code !== undefined);
    skew = 20 * MINUTE_MS;
    await login.pass(6 * SECOND_MS);
    assert.match(await sentenceOf(login.ended), /^Nobody gave consent in time/);
    assert.deepEqual(
      scene.authority.requests.map(({ outcome }) => outcome),
      ['expired_token'],
    );
    assert.equal(await scene.store.read(), undefined);
  });

  it('goes on, ever more slowly, while the authority cannot answer', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now });
    const login = logIn(scene, clock);
    await eventually(() => login.shown.code !== undefined);
    scene.authority.failNext(2, 502);
    scene.authority.answerDevice('approve');
    await login.pass(40 * SECOND_MS);
    await login.done;
    const { requests } = scene.authority;
    assert.deepEqual(
      requests.map(({ outcome }) => outcome),
      ['502', '502', 'ok'],
    );
    const [first = 0, second = 0, third = 0] = requests.map(({ at }) => at);
    assert.deepEqual([second - first, third - second], [10 * SECOND_MS, 20 * SECOND_MS]);
  });

  it('ends when the authority does not know the client', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now });
    const login = logIn({ ...scene, oauth2: { ...scene.oauth2, clientId: 'unknown' } }, clock);
    assert.match(await sentenceOf(login.ended), /^Microsoft refused the login \(invalid_client\)/);
  });

  it('is refused without a refresh token, since it would last for an hour', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now, offline: false });
    const login = logIn(scene, clock);
    await eventually(() => login.shown.code !== undefined);
    scene.authority.answerDevice('approve');
    await login.pass(6 * SECOND_MS);
    assert.match(await sentenceOf(login.ended), /for an hour only/);
  });
});

describe('A login in a browser', () => {
  const google = (clock: VirtualClock) =>
    oauthScene({ now: clock.now, provider: 'google', clientSecret: 'a client secret' });

  it('on the same machine comes back by itself', async () => {
    const clock = new VirtualClock();
    await using scene = await google(clock);
    const login = logIn(scene, clock);
    const { address, redirect } = await login.browserPrompt();
    assert.match(redirect, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const asked = new URL(address).searchParams;
    assert.equal(asked.get('scope'), 'https://mail.google.com/');
    assert.equal(asked.get('access_type'), 'offline');
    assert.equal(asked.get('code_challenge_method'), 'S256');
    const page = await request(scene.authority.answerBrowser(address, 'approve'));
    assert.match(await page.body.text(), /You can close this page/);
    assert.equal(page.headers['referrer-policy'], 'no-referrer');
    await login.done;
    assert.match((await scene.store.read())?.refreshToken.reveal() ?? '', /^refresh-/);
  });

  it('on another machine ends with the address pasted', async () => {
    const clock = new VirtualClock();
    await using scene = await google(clock);
    const login = logIn(scene, clock);
    const { address } = await login.browserPrompt();
    login.lines.push(` ${scene.authority.answerBrowser(address, 'approve').replace('http://', '')} `);
    await login.done;
    assert.notEqual(await scene.store.read(), undefined);
  });

  it('does not take an answer that belongs to another login', async () => {
    const clock = new VirtualClock();
    await using scene = await google(clock);
    const login = logIn(scene, clock);
    const { address, redirect } = await login.browserPrompt();
    const foreign = new URL(scene.authority.answerBrowser(address, 'approve'));
    foreign.searchParams.set('state', 'another');
    for (const wrong of [foreign.href, redirect, `${redirect}?error=access_denied`, `${redirect}favicon.ico`]) {
      const { statusCode, body } = await request(wrong);
      await body.dump();
      assert.equal(statusCode, 400, wrong);
    }
    login.lines.push(foreign.href, 'a code', '');
    await eventually(() => login.complaints.length === 2);
    assert.match(login.complaints[0] ?? '', /not the answer to this login/);
    assert.match(login.complaints[1] ?? '', /the address begins with http:\/\/127/);
    assert.equal(scene.authority.requests.length, 0);
    login.lines.push(scene.authority.answerBrowser(address, 'approve'));
    await login.done;
  });

  it('ends when the user declines', async () => {
    const clock = new VirtualClock();
    await using scene = await google(clock);
    const login = logIn(scene, clock);
    const { address } = await login.browserPrompt();
    await (await request(scene.authority.answerBrowser(address, 'deny'))).body.dump();
    assert.equal(await sentenceOf(login.ended), 'Consent was not given, and nothing was stored.');
  });

  it('is worth nothing to whoever has seen the code alone: the authority asks for the verifier (RFC 7636)', async () => {
    const clock = new VirtualClock();
    await using scene = await google(clock);
    const login = logIn(scene, clock);
    const { address, redirect } = await login.browserPrompt();
    const code = new URL(scene.authority.answerBrowser(address, 'approve')).searchParams.get('code') ?? '';
    const grant = { grant_type: 'authorization_code', code, redirect_uri: redirect };
    const thief = { client_id: 'chatkeep-test', client_secret: 'a client secret', code_verifier: 'v'.repeat(43) };
    const { body } = await postForm(scene.oauth2.tokenEndpoint ?? '', { ...grant, ...thief }, login.abort.signal);
    assert.deepEqual(body, { error: 'invalid_grant', error_description: 'The code_verifier is wrong.' });
    login.abort.abort(new Error('stop'));
    await login.ended;
  });

  it('ends when nobody answers for a quarter of an hour', async () => {
    const clock = new VirtualClock();
    await using scene = await google(clock);
    const login = logIn(scene, clock);
    await login.browserPrompt();
    await clock.advance(16 * MINUTE_MS);
    assert.match(await sentenceOf(login.ended), /^Nobody gave consent in time/);
  });

  it('leaves no server behind when it is interrupted', async () => {
    const clock = new VirtualClock();
    await using scene = await google(clock);
    const login = logIn(scene, clock);
    const { redirect } = await login.browserPrompt();
    login.abort.abort(new Error('stop'));
    assert.match(String(await login.ended), /stop/);
    await assert.rejects(request(redirect), /ECONNREFUSED/);
  });
});
