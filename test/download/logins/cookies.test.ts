import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { cookiesLogin } from '../../../src/download/logins/cookies.ts';
import { DAY_MS } from '../../../src/lib/clock.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { TEST_START_MS } from '../../support/virtual-clock.ts';
import { zipLike } from '../../support/zip-like.ts';
import { openScene, type Scene, SESSION } from '../scene.ts';
import { cookieLine as line, SESSION_COOKIE } from './cookie-line.ts';
import { firstWayIn, noNetwork, waysInto } from './ways-in.ts';

const NOW = TEST_START_MS;
const ADDRESS = new URL('https://chatgpt.com/backend-api/estuary/content?id=a.zip');
const TOMORROW_S = (NOW + DAY_MS) / 1000;

describe('a login by cookies', () => {
  async function answerFor(text: string, address = ADDRESS) {
    await using directory = await tempDir();
    const path = join(directory.path, 'cookies.txt');
    await writeFile(path, text);
    const answer = await firstWayIn(cookiesLogin(path, { transport: noNetwork }), address, NOW);
    return answer.kind === 'headers' ? answer.headers.cookie : answer.detail.replace(path, 'FILE');
  }

  it('sends the session cookie, whole or split', async () => {
    assert.equal(await answerFor(line({ name: SESSION_COOKIE, value: 'token' })), `${SESSION_COOKIE}=token`);
    assert.equal(
      await answerFor(
        [line({ name: `${SESSION_COOKIE}.0`, value: 'to' }), line({ name: `${SESSION_COOKIE}.1`, value: 'ken' })].join(
          '\n',
        ),
      ),
      `${SESSION_COOKIE}.0=to; ${SESSION_COOKIE}.1=ken`,
    );
  });

  it('sends the cookies that are for the address and have not expired, and no others', async () => {
    const text = [
      line({ name: 'expired', expires: '1' }),
      line({ name: 'other', domain: '.openai.com' }),
      line({ name: 'elsewhere', path: '/api' }),
      line({ name: 'valid', expires: String(TOMORROW_S) }),
      line({ name: 'host-only', domain: 'chatgpt.com', subdomains: 'FALSE' }),
    ].join('\n');
    assert.equal(await answerFor(text), 'valid=b; host-only=b');
  });

  it('that has no cookie for the address says so, without telling any', async () => {
    const detail = await answerFor(line({ domain: '.openai.com', value: 'hunter2' }));
    assert.equal(detail, 'The file FILE holds no cookie for chatgpt.com that is still valid.');
    assert.equal(await answerFor(line({ expires: '1', value: 'hunter2' })), detail);
  });

  it('is no other file', async () => {
    const detail = 'The file FILE is not a cookies.txt in Netscape format.';
    for (const text of ['[{"name":"a","value":"hunter2"}]', 'a=hunter2; b=c', '# Netscape HTTP Cookie File\n']) {
      assert.equal(await answerFor(text), detail);
    }
    assert.equal(await answerFor('\n'), 'The file FILE is empty.');
  });

  it('that is missing is told by the name of its file', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'cookies.txt');
    const login = cookiesLogin(path, { transport: noNetwork });
    assert.equal(login.label, `the cookies in ${path}`);
    assert.deepEqual(await waysInto(login, ADDRESS, NOW), [
      { kind: 'unusable', detail: `The file ${path} does not exist.` },
    ]);
  });

  it('that is denied, and whose session the network keeps from being asked for, is not called dead', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'cookies.txt');
    await writeFile(path, line({ value: 'hunter2' }));
    const [first, second, ...more] = await waysInto(cookiesLogin(path, { transport: noNetwork }), ADDRESS, NOW);
    assert.equal(first?.kind, 'headers');
    assert.deepEqual(second, {
      kind: 'undecided',
      detail: `No access token could be had with the cookies in ${path}: chatgpt.com cannot be reached: there is no network.`,
    });
    assert.deepEqual(more, []);
  });
});

describe('cookies that are denied by themselves', () => {
  async function sceneWithCookies(session = SESSION) {
    const stage = await openScene({ deniesCookieAlone: true });
    const file = join(stage.directory, 'cookies.txt');
    await writeFile(file, line({ domain: 'localhost', subdomains: 'FALSE', name: SESSION_COOKIE, value: session }));
    return { stage, file, login: cookiesLogin(file, stage) };
  }

  const published = (stage: Scene) => stage.server.publish({ body: { bytes: zipLike(3000) }, form: 'estuary' });

  /** Goes in by each way until one is let in, as the downloader does; gives the paths and statuses of all requests. */
  async function goIn(stage: Scene, login: ReturnType<typeof cookiesLogin>, link: URL) {
    const from = stage.server.requests.length;
    const context = { now: Date.now(), signal: new AbortController().signal };
    for await (const way of login.waysIn(link, context)) {
      if (way.kind !== 'headers') continue;
      const { status, discard } = await stage.transport.send({ address: link, ...context, headers: way.headers });
      discard();
      if (status === 200) break;
    }
    return stage.server.requests
      .slice(from)
      .map(({ path, status, hasCookie, hasBearer }) =>
        [path.split('/').at(-1), status, hasCookie ? 'cookie' : '', hasBearer ? 'bearer' : ''].join(' ').trim(),
      );
  }

  it('bring the access token of their session', async () => {
    const { stage, login } = await sceneWithCookies();
    await using _ = stage;
    const link = new URL(published(stage).link);
    assert.deepEqual(await goIn(stage, login, link), [
      'content 403 cookie',
      'session 200 cookie',
      'content 200 cookie bearer',
    ]);
  });

  it('bring the same token at once the next time, and a fresh one when it is denied', async () => {
    const { stage, login } = await sceneWithCookies();
    await using _ = stage;
    const link = new URL(published(stage).link);
    await goIn(stage, login, link);
    assert.deepEqual(await goIn(stage, login, link), ['content 200 cookie bearer']);
    stage.server.bearerTokens.clear();
    assert.deepEqual(await goIn(stage, login, link), [
      'content 403 cookie bearer',
      'content 403 cookie',
      'session 200 cookie',
      'content 200 cookie bearer',
    ]);
  });

  it('never bring the token of other cookies', async () => {
    const { stage, file, login } = await sceneWithCookies();
    await using _ = stage;
    const link = new URL(published(stage).link);
    await goIn(stage, login, link);
    await writeFile(file, line({ domain: 'localhost', subdomains: 'FALSE', name: SESSION_COOKIE, value: 'stale' }));
    assert.deepEqual(await goIn(stage, login, link), ['content 403 cookie', 'session 200 cookie']);
  });

  it('have an export downloaded', async () => {
    const { stage, login } = await sceneWithCookies();
    await using _ = stage;
    const { link, requests } = published(stage);
    const outcome = await stage.download({ link }, stage.downloader({ logins: [login] }));
    assert.equal(outcome.kind, 'whole');
    assert.deepEqual(requests.map(({ status }) => status).slice(0, 2), [403, 200]);
  });
});
