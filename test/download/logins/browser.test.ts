import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createLogins, type DownloadOutcome, filesOfDownload, type Login } from '../../../src/download/index.ts';
import { DAY_MS } from '../../../src/lib/clock.ts';
import { type Chromium, type OpenTab, startChromium } from '../../support/chromium.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import type { OpenAiServerOptions, PublishedExport } from '../../support/openai/server.ts';
import { zipLike } from '../../support/zip-like.ts';
import { openScene, type RequestOptions, type Scene, SESSION } from '../scene.ts';
import { firstWayIn, noNetwork, waysInto } from './ways-in.ts';

const SMALL = zipLike(200_000);
const STOP = { kind: 'stop', afterBytes: 50_000, framing: 'content-length' } as const;
const LARGE_BYTES = 100_000_000;

/** A server, a browser that trusts it, and the login that is tried. */
class Stage implements AsyncDisposable {
  readonly scene: Scene;
  readonly browser: Chromium;

  private constructor(scene: Scene, browser: Chromium) {
    this.scene = scene;
    this.browser = browser;
  }

  static async open(options: OpenAiServerOptions = {}): Promise<Stage> {
    const scene = await openScene(options);
    return new Stage(scene, await startChromium({ trusting: [scene.server] }));
  }

  /** As a restart of the service makes it. */
  login(): Login {
    const [login] = createLogins([{ type: 'browser', cdpUrl: this.browser.cdpUrl }], {
      transport: this.scene.transport,
    });
    assert.ok(login);
    return login;
  }

  publish(bytes = SMALL): PublishedExport {
    return this.scene.server.publish({ form: 'estuary', body: { bytes } });
  }

  download(
    { link }: PublishedExport,
    login = this.login(),
    options: Omit<RequestOptions, 'link'> = {},
  ): Promise<DownloadOutcome> {
    return this.scene.download({ ...options, link }, this.scene.downloader({ logins: [login] }));
  }

  /** Forgets what was downloaded. */
  async forget(): Promise<void> {
    await Promise.all(filesOfDownload(this.scene.target).map((path) => rm(path, { force: true })));
  }

  check(login = this.login()) {
    const context = { now: Date.now(), signal: new AbortController().signal };
    return login.check(new URL(this.scene.server.origin), context);
  }

  get sessionRequests(): number {
    return this.scene.server.requests.filter(({ path }) => path === '/api/auth/session').length;
  }

  async assertWhole(outcome: DownloadOutcome, bytes: Buffer): Promise<void> {
    assert.deepEqual(outcome, { kind: 'whole', path: this.scene.target, bytes: bytes.length });
    assert.equal(sha256(await readFile(this.scene.target)), sha256(bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser[Symbol.asyncDispose]();
    await this.scene[Symbol.asyncDispose]();
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function addresses(tabs: readonly OpenTab[]): string[] {
  return tabs.map(({ targetId, url }) => `${targetId} ${url}`);
}

function detailOf(outcome: DownloadOutcome): string {
  assert.ok('detail' in outcome, outcome.kind);
  return outcome.detail;
}

describe('a login by a browser, where cookies will do', () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open();
  });
  beforeEach(async () => {
    await stage.browser.signOut();
    await stage.forget();
  });
  after(() => stage[Symbol.asyncDispose]());

  it('lets our own client in with the cookies of the browser, under its name', async () => {
    await stage.browser.signIn(stage.scene.server.origin, SESSION);
    const published = stage.publish();
    await stage.assertWhole(await stage.download(published), SMALL);
    assert.deepEqual(
      published.requests.map(({ hasCookie, hasBearer, status }) => ({ hasCookie, hasBearer, status })),
      [{ hasCookie: true, hasBearer: false, status: 200 }],
    );
    const way = await firstWayIn(stage.login(), new URL(published.link), Date.now());
    assert.ok(way.kind === 'headers' && way.transport === undefined);
    assert.match(way.headers['user-agent'] ?? '', /Chrome\/\d+/);
  });

  it('sends the cookies of the origin, and no others', async () => {
    await stage.browser.signIn('https://elsewhere.example', 'of-elsewhere');
    await stage.browser.signIn(stage.scene.server.origin, SESSION);
    const way = await firstWayIn(stage.login(), new URL(stage.publish().link), Date.now());
    assert.ok(way.kind === 'headers');
    assert.equal(way.headers.cookie, `__Secure-next-auth.session-token=${SESSION}`);
  });

  it('in which nobody is signed in says so, and how to', async () => {
    const published = stage.publish();
    const outcome = await stage.download(published);
    assert.equal(outcome.kind, 'needs-login');
    assert.match(detailOf(outcome), /has no cookie of localhost: open https:\/\/localhost in it and sign in/);
    assert.equal(published.requests.length, 0);
  });

  it('whose session has ended elsewhere says so, and tells no cookie', async () => {
    await stage.browser.signIn(stage.scene.server.origin, 'an-old-session');
    const outcome = await stage.download(stage.publish());
    assert.equal(outcome.kind, 'needs-login');
    assert.match(detailOf(outcome), /answers as it does to somebody who is signed out/);
    assert.doesNotMatch(detailOf(outcome), /an-old-session/);
  });

  it('has a fingerprint that changes when somebody signs in, and holds no secret', async () => {
    const login = stage.login();
    const signedOut = await login.fingerprint();
    await stage.browser.signIn(stage.scene.server.origin, SESSION);
    const signedIn = await login.fingerprint();
    assert.notEqual(signedIn, signedOut);
    assert.equal(await login.fingerprint(), signedIn);
    assert.doesNotMatch(signedIn, new RegExp(SESSION));
    await stage.browser.signIn(stage.scene.server.origin, 'of-another-account');
    assert.notEqual(await login.fingerprint(), signedIn);
  });

  it('is checked by asking whose session it is, until when', async () => {
    await stage.browser.signIn(stage.scene.server.origin, SESSION);
    const health = await stage.check();
    assert.ok(health.kind === 'good');
    assert.equal(health.account, 'ada@example.com');
    assert.ok(Math.abs((health.until ?? 0) - (Date.now() + 90 * DAY_MS)) < DAY_MS);
  });

  it('is found dead when nobody is signed in, or the session has ended', async () => {
    const nobody = await stage.check();
    assert.ok(nobody.kind === 'dead');
    assert.match(nobody.detail, /has no cookie of localhost/);
    await stage.browser.signIn(stage.scene.server.origin, 'an-old-session');
    const ended = await stage.check();
    assert.ok(ended.kind === 'dead');
    assert.match(ended.detail, /signed out/);
  });

  it('of which the server shows a page for people may be good: it could not be found out', async () => {
    await stage.browser.signIn(stage.scene.server.origin, SESSION);
    stage.scene.server.accountFault = 'challenge';
    const health = await stage.check();
    stage.scene.server.accountFault = undefined;
    assert.equal(health.kind, 'unknown');
  });
});

describe('a login by a browser, where an access token is wanted beside the cookies', () => {
  it('brings that of the session, and goes on with it', async () => {
    await using stage = await Stage.open({ deniesCookieAlone: true });
    await stage.browser.signIn(stage.scene.server.origin, SESSION);
    const published = stage.publish();
    // One for the request that is denied.
    published.faults.push(STOP, STOP);
    await stage.assertWhole(await stage.download(published), SMALL);
    assert.deepEqual(
      published.requests.map(({ hasCookie, hasBearer, status }) => ({ hasCookie, hasBearer, status })),
      [
        { hasCookie: true, hasBearer: false, status: 403 },
        { hasCookie: true, hasBearer: true, status: 200 },
        { hasCookie: true, hasBearer: true, status: 206 },
      ],
    );
    assert.equal(stage.sessionRequests, 1);
  });
});

describe('a login by a browser, where programs are refused', () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open({ deniesPrograms: true, renewsSessions: true });
  });
  beforeEach(async () => {
    await stage.browser.start();
    await stage.browser.signIn(stage.scene.server.origin, SESSION);
    await stage.forget();
  });
  after(() => stage[Symbol.asyncDispose]());

  it('fetches the export in a page, byte for byte, and leaves the tabs of the user as they are', async () => {
    await stage.browser.openTab('data:text/html,<title>A letter</title>');
    await eventually(async () => (await stage.browser.tabs()).some(({ title }) => title === 'A letter'));
    const tabs = addresses(await stage.browser.tabs());
    const archive = zipLike(20_000_000);
    const published = stage.publish(archive);
    let during: Promise<OpenTab[]> | undefined;
    const outcome = await stage.download(published, stage.login(), {
      onProgress: () => {
        during ??= stage.browser.tabs();
      },
    });
    await stage.assertWhole(outcome, archive);
    assert.deepEqual(addresses((await during) ?? []), tabs);
    assert.deepEqual(addresses(await stage.browser.tabs()), tabs);
    const served = published.requests.filter(({ status }) => status !== 403);
    assert.deepEqual(
      served.map(({ range, hasCookie, hasBearer, status }) => ({ range, hasCookie, hasBearer, status })),
      [{ range: 'bytes=0-', hasCookie: true, hasBearer: false, status: 206 }],
    );
  });

  it('goes on at once with what was let in, when the line is cut', async () => {
    const published = stage.publish();
    published.faults.push(STOP);
    await stage.assertWhole(await stage.download(published), SMALL);
    assert.deepEqual(
      published.requests.map(({ range, ifRange, status }) => ({ range, ifRange, status })),
      [
        { range: undefined, ifRange: undefined, status: 403 },
        { range: 'bytes=0-', ifRange: undefined, status: 206 },
        { range: 'bytes=50000-', ifRange: published.etag, status: 206 },
      ],
    );
  });

  it('is interrupted when the browser is killed half-way, and goes on from there when it is back', async () => {
    await stage.browser.quit();
    await stage.browser.start();
    const archive = zipLike(LARGE_BYTES);
    const published = stage.publish(archive);
    const login = stage.login();
    let killed: Promise<void> | undefined;
    const outcome = await stage.download(published, login, {
      onProgress: ({ received }) => {
        if (received > LARGE_BYTES / 2) killed ??= stage.browser.kill();
      },
    });
    assert.equal(outcome.kind, 'interrupted');
    assert.match(detailOf(outcome), /the browser has gone away/);
    await killed;
    const before = (await stage.scene.partBytes()) ?? 0;
    assert.ok(before > LARGE_BYTES / 2 && before < LARGE_BYTES);
    const away = await stage.download(published, login);
    assert.equal(away.kind, 'needs-login');
    assert.match(detailOf(away), /is not running. Start it with remote debugging/);
    assert.equal(await login.fingerprint(), 'absent');

    await stage.browser.start();
    assert.notEqual(await login.fingerprint(), 'absent');
    await stage.assertWhole(await stage.download(published, login), archive);
    const [first, ...later] = published.requests.filter(({ status }) => status === 206).map(({ range }) => range);
    assert.equal(first, 'bytes=0-');
    assert.deepEqual(covered(later), { from: before, to: Number.POSITIVE_INFINITY });
  });

  it('does not follow a redirect to another place', async () => {
    const published = stage.publish();
    published.always = { kind: 'redirect', status: 302, location: 'https://files.example.org/export.zip' };
    const outcome = await stage.download(published);
    assert.equal(outcome.kind, 'interrupted');
    assert.match(detailOf(outcome), /redirects to files\.example\.org, .* it was not followed/);
  });

  it('needs a person where the page in the browser is shown a challenge, too', async () => {
    const published = stage.publish();
    published.always = { kind: 'challenge', status: 403 };
    const outcome = await stage.download(published);
    assert.equal(outcome.kind, 'needs-login');
    assert.match(detailOf(outcome), /challenge page/);
  });

  it('is no other login because its own questions have renewed the session', async () => {
    const published = stage.publish();
    published.always = { kind: 'login-page' };
    const login = stage.login();
    const before = await login.fingerprint();
    assert.equal((await stage.download(published, login)).kind, 'needs-login');
    const [way] = await waysInto(login, new URL(published.link), Date.now());
    assert.ok(way?.kind === 'headers');
    assert.doesNotMatch(way.headers.cookie ?? '', new RegExp(`=${SESSION}$`));
    assert.equal(await login.fingerprint(), before);
  });

  it('is checked in a page, and stays the same login by that', async () => {
    const login = stage.login();
    const before = await login.fingerprint();
    for (let times = 0; times < 2; times += 1) assert.equal((await stage.check(login)).kind, 'good');
    assert.equal(await login.fingerprint(), before);
  });
});

describe('a login by a browser that is not there', () => {
  it('says where it was looked for', async () => {
    const cdpUrl = `http://127.0.0.1:${await freePort()}`;
    const [login] = createLogins([{ type: 'browser', cdpUrl }], { transport: noNetwork });
    assert.ok(login);
    assert.deepEqual(await waysInto(login, new URL('https://chatgpt.com/')), [
      {
        kind: 'unusable',
        detail: `The browser at ${cdpUrl} is not running. Start it with remote debugging (see docs/how-to/browser-login.md).`,
      },
    ]);
    assert.equal(await login.fingerprint(), 'absent');
    const health = await login.check(new URL('https://chatgpt.com'), { now: 0, signal: new AbortController().signal });
    assert.equal(health.kind, 'dead');
  });
});

/** What ranges ask for together, each beginning where another ends; the last one is open. */
function covered(ranges: readonly (string | undefined)[]): { from: number; to: number } {
  const parts = ranges
    .map((range) => /^bytes=(\d+)-(\d*)$/.exec(range ?? ''))
    .map((match) => ({ from: Number(match?.[1]), to: match?.[2] ? Number(match[2]) + 1 : Number.POSITIVE_INFINITY }))
    .sort((a, b) => a.from - b.from);
  const from = parts[0]?.from ?? Number.NaN;
  return { from, to: parts.reduce((to, part) => (part.from === to ? part.to : Number.NaN), from) };
}
