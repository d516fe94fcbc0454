import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { MINUTE_MS, SECOND_MS } from '../../../src/lib/clock.ts';
import { MailboxError } from '../../../src/mailbox/index.ts';
import { type PostForm, postForm } from '../../../src/mailbox/oauth/http.ts';
import { TokenSource } from '../../../src/mailbox/oauth/token-source.ts';
import { TokenStore } from '../../../src/mailbox/oauth/token-store.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { type OAuthScene, oauthScene } from './scene.ts';

const { signal } = new AbortController();

function sourceOf({ oauth2, store }: OAuthScene, clock: VirtualClock, post: PostForm = postForm): TokenSource {
  return new TokenSource({ mailbox: 'ada', oauth2, store, clock, post });
}

async function troubleOf(work: Promise<unknown>): Promise<{ kind: string; detail: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof MailboxError) return error.trouble;
    throw error;
  }
  throw new Error('Nothing went wrong.');
}

describe('An access token', () => {
  it('is got by the stored consent, and used again until a minute before it expires', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now, accessTokenSeconds: 600 });
    await scene.giveConsent();
    const source = sourceOf(scene, clock);
    const first = await source.accessToken(signal);
    await clock.advance(9 * MINUTE_MS - SECOND_MS);
    const second = await source.accessToken(signal);
    await clock.advance(SECOND_MS);
    const third = await source.accessToken(signal);
    assert.deepEqual([first.isUsed, second.isUsed, third.isUsed], [false, true, false]);
    assert.equal(first.secret.reveal(), second.secret.reveal());
    assert.notEqual(first.secret.reveal(), third.secret.reveal());
  });

  it('is renewed once, however many ask for it at the same time', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now, rotates: true });
    await scene.giveConsent();
    const source = sourceOf(scene, clock);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => source.accessToken(signal)));
    assert.equal(new Set(tokens.map(({ secret }) => secret.reveal())).size, 1);
    assert.equal(scene.authority.requests.length, 1);
  });

  it('that a server has refused is replaced', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now });
    await scene.giveConsent();
    const source = sourceOf(scene, clock);
    const refused = await source.accessToken(signal);
    const fresh = await source.accessToken(signal, true);
    assert.equal(fresh.isUsed, false);
    assert.notEqual(fresh.secret.reveal(), refused.secret.reveal());
  });

  it('is not that of a consent which has been given anew since', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now });
    await scene.giveConsent();
    const source = sourceOf(scene, clock);
    await source.accessToken(signal);
    const token = await scene.giveConsent();
    await source.accessToken(signal);
    assert.equal(scene.authority.requests.at(-1)?.form.refresh_token, token);
  });

  it('is asked for with the client’s secret, where there is one', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now, clientSecret: 'a client secret' });
    await scene.giveConsent();
    await sourceOf(scene, clock).accessToken(signal);
    assert.deepEqual(
      scene.authority.requests.map(({ outcome }) => outcome),
      ['ok'],
    );
  });
});

describe('A refresh token', () => {
  it('lies in a file that only its owner can read', async () => {
    await using scene = await oauthScene();
    await scene.giveConsent();
    assert.equal((await stat(scene.oauth2.tokenFile)).mode & 0o777, 0o600);
    assert.equal((await stat(dirname(scene.oauth2.tokenFile))).mode & 0o777, 0o700);
  });

  it('that was replaced is stored before the access token that came with it is used', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now, rotates: true });
    const first = await scene.giveConsent();
    await sourceOf(scene, clock).accessToken(signal);
    const stored = (await scene.store.read())?.refreshToken.reveal() ?? '';
    assert.notEqual(stored, first);
    await sourceOf(scene, clock).accessToken(signal);
    assert.deepEqual(
      scene.authority.requests.map(({ form }) => form.refresh_token),
      [first, stored],
    );
  });

  it('that was replaced and could not be stored is not lost, and stored with the next try', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now, rotates: true });
    await scene.giveConsent();
    const source = sourceOf(scene, clock);
    const write = scene.store.write.bind(scene.store);
    scene.store.write = async () => {
      throw new Error('the disk is full');
    };
    await assert.rejects(source.accessToken(signal), /the disk is full/);
    scene.store.write = write;
    await source.accessToken(signal);
    await sourceOf(scene, clock).accessToken(signal);
    assert.deepEqual(
      scene.authority.requests.map(({ outcome }) => outcome),
      ['ok', 'ok', 'ok'],
    );
  });

  it('that was replaced as the process died is asked for anew: an authority that voids the old one is told of', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now, rotates: true });
    const first = await scene.giveConsent();
    scene.store.write = () => Promise.reject(new Error('the process died'));
    await assert.rejects(sourceOf(scene, clock).accessToken(signal), /the process died/);
    assert.equal((await scene.store.read())?.refreshToken.reveal(), first);
    const restarted = sourceOf({ ...scene, store: new TokenStore(scene.oauth2.tokenFile) }, clock);
    const trouble = await troubleOf(restarted.accessToken(signal));
    assert.equal(trouble.kind, 'sign-in-refused');
    assert.match(trouble.detail, /let it lapse.*`chatkeep login mail ada`/);
    assert.deepEqual(
      scene.authority.requests.map(({ outcome }) => outcome),
      ['ok', 'invalid_grant'],
    );
  });

  it('that the user has withdrawn is told with what to do', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now });
    const token = await scene.giveConsent();
    scene.authority.withdrawConsent();
    const trouble = await troubleOf(sourceOf(scene, clock).accessToken(signal));
    assert.equal(trouble.kind, 'sign-in-refused');
    assert.match(trouble.detail, /withdrawn the consent/);
    assert.match(trouble.detail, /`chatkeep login mail ada`/);
    assert.ok(!trouble.detail.includes(token), trouble.detail);
  });

  it('that was never given is told with what to do', async () => {
    await using scene = await oauthScene();
    const trouble = await troubleOf(sourceOf(scene, new VirtualClock()).accessToken(signal));
    assert.equal(trouble.kind, 'sign-in-refused');
    assert.match(trouble.detail, /has not given Chatkeep consent.*`chatkeep login mail ada`/);
  });

  it('of another client is not tried', async () => {
    await using scene = await oauthScene();
    await scene.giveConsent();
    const other = { ...scene, oauth2: { ...scene.oauth2, clientId: 'another' } };
    const trouble = await troubleOf(sourceOf(other, new VirtualClock()).accessToken(signal));
    assert.match(trouble.detail, /another client_id/);
    assert.equal(scene.authority.requests.length, 0);
  });

  it('in a file that holds something else counts as never given', async () => {
    await using scene = await oauthScene();
    await mkdir(dirname(scene.oauth2.tokenFile), { recursive: true });
    for (const content of ['', '{', '[]', '{"format":1}', '\u0000']) {
      await writeFile(scene.oauth2.tokenFile, content);
      assert.equal(await scene.store.read(), undefined);
    }
    assert.equal(await readFile(scene.oauth2.tokenFile, 'utf8'), '\u0000');
  });
});

describe('An authority that cannot answer', () => {
  it('is asked again later, and the consent is kept', async () => {
    const clock = new VirtualClock();
    await using scene = await oauthScene({ now: clock.now });
    await scene.giveConsent();
    const source = sourceOf(scene, clock);
    scene.authority.failNext(1, 503);
    const trouble = await troubleOf(source.accessToken(signal));
    assert.deepEqual(trouble, {
      kind: 'unreachable',
      detail: 'The sign-in service 127.0.0.1 answered with status 503.',
    });
    await source.accessToken(signal);
  });

  it('is told from one that refuses, by what it answers (RFC 6749 section 5.2)', async () => {
    await using scene = await oauthScene();
    await scene.giveConsent();
    const kindOf = async (status: number, error: string) => {
      const post: PostForm = async () => ({ status, body: { error } });
      return (await troubleOf(sourceOf(scene, new VirtualClock(), post).accessToken(signal))).kind;
    };
    for (const [status, error] of [
      [400, 'temporarily_unavailable'],
      [400, 'server_error'],
      [429, 'slow_down'],
      [500, 'invalid_grant'],
      [200, 'no token'],
    ] as const) {
      assert.equal(await kindOf(status, error), 'unreachable', error);
    }
    for (const error of [
      ...['invalid_request', 'invalid_client', 'invalid_grant', 'invalid_scope'],
      ...['unauthorized_client', 'unsupported_grant_type'],
    ]) {
      assert.equal(await kindOf(400, error), 'sign-in-refused', error);
    }
  });

  it('is told from one that refuses the client', async () => {
    await using scene = await oauthScene({ clientSecret: 'right' });
    await scene.giveConsent();
    const { clientSecret: _secret, ...withoutSecret } = scene.oauth2;
    const trouble = await troubleOf(
      sourceOf({ ...scene, oauth2: withoutSecret }, new VirtualClock()).accessToken(signal),
    );
    assert.equal(trouble.kind, 'sign-in-refused');
    assert.match(trouble.detail, /invalid_client/);
  });

  it('may be away altogether', async () => {
    await using scene = await oauthScene();
    await scene.giveConsent();
    const oauth2 = { ...scene.oauth2, tokenEndpoint: 'http://127.0.0.1:9/token' };
    const trouble = await troubleOf(sourceOf({ ...scene, oauth2 }, new VirtualClock()).accessToken(signal));
    assert.equal(trouble.kind, 'unreachable');
    assert.match(trouble.detail, /could not be reached \(ECONNREFUSED\)/);
  });

  it('is never sent a secret without encryption', async () => {
    const sent = postForm('http://login.example.org/token', { refresh_token: 'secret' }, signal);
    const trouble = await troubleOf(sent);
    assert.match(trouble.detail, /not asked without encryption/);
  });
});
