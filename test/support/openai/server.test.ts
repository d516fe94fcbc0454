import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DAY_MS } from '../../../src/lib/clock.ts';
import { createAuthority } from './certificates.ts';
import { Client } from './client.ts';
import { type RequestRecord, startOpenAiServer } from './server.ts';

const ARCHIVE = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
const MD5 = createHash('md5').update(ARCHIVE).digest('base64');
const STAMP = new Date('2026-11-21T19:05:33.250Z');
const BEARER = { authorization: 'Bearer good-token' };
const LOGINS = { bearerTokens: ['good-token'], sessionTokens: ['good-session'] };
const SESSION_COOKIE = '__Secure-next-auth.session-token';

describe('the OpenAI server', () => {
  it('listens on https://localhost with a certificate of its authority', async () => {
    const authority = await createAuthority();
    await using server = await startOpenAiServer({ authority });
    await using client = new Client(server);
    assert.match(server.origin, /^https:\/\/localhost:\d+$/);
    assert.equal((await client.fetch('/')).status, 404);
    assert.equal((await client.fetch(`https://127.0.0.1:${server.port}/`)).status, 404);
  });

  it('answers no other methods than GET and HEAD', async () => {
    await using server = await startOpenAiServer();
    await using client = new Client(server);
    const { link } = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    assert.equal((await client.fetch(link, { method: 'POST' })).status, 405);
  });

  it('logs each request without the query, and tells its listeners', async () => {
    await using server = await startOpenAiServer({ ...LOGINS, now: () => STAMP.getTime() });
    await using client = new Client(server);
    const published = server.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
    const heard: RequestRecord[] = [];
    const stopListening = server.onRequest((record) => heard.push(record));
    await client.fetch(published.link, { headers: { ...BEARER, range: 'bytes=10-19', 'if-range': published.etag } });
    stopListening();
    await client.fetch('/elsewhere?secret=1', { headers: { cookie: `${SESSION_COOKIE}=any` } });
    assert.deepEqual(server.requests[0], {
      method: 'GET',
      path: '/backend-api/estuary/content',
      exportId: published.exportId,
      range: 'bytes=10-19',
      ifRange: published.etag,
      status: 206,
      bytesSent: 10,
      hasBearer: true,
      hasCookie: false,
      at: STAMP.getTime(),
    });
    assert.deepEqual(server.requests.map(({ path, hasCookie }) => ({ path, hasCookie })).slice(1), [
      { path: '/elsewhere', hasCookie: true },
    ]);
    assert.deepEqual(heard, [server.requests[0]]);
    assert.deepEqual(published.requests, [server.requests[0]]);
  });

  it('serves a file on disk, whole and in part', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'chatkeep-openai-'));
    try {
      const path = join(directory, 'export.zip');
      const large = Buffer.alloc(3_000_000, ARCHIVE);
      await writeFile(path, large);
      await using server = await startOpenAiServer();
      await using client = new Client(server);
      const { link, bytes } = server.publish({ form: 'azure', body: { path } });
      assert.equal(bytes, large.length);
      assert.ok((await client.fetch(link)).body.equals(large));
      const part = await client.fetch(link, { headers: { range: 'bytes=1500000-' } });
      assert.ok(part.body.equals(large.subarray(1_500_000)));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('serves an empty body', async () => {
    await using server = await startOpenAiServer();
    await using client = new Client(server);
    const { link } = server.publish({ form: 'azure', body: { bytes: Buffer.alloc(0) } });
    const { status, headers, body } = await client.fetch(link);
    assert.deepEqual([status, headers['content-length'], body.length], [200, '0', 0]);
  });

  it('paces all downloads to the width of its line', async () => {
    await using server = await startOpenAiServer({ bytesPerSecond: 100 });
    await using client = new Client(server);
    const { link, requests } = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    const { body } = await client.open(link);
    const { value } = await body[Symbol.asyncIterator]().next();
    assert.ok(value.length < ARCHIVE.length);
    assert.ok((requests[0]?.bytesSent ?? 0) < ARCHIVE.length);
  });

  it('answers after its latency', async () => {
    await using server = await startOpenAiServer({ latencyMs: 5 });
    await using client = new Client(server);
    const { link } = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    assert.deepEqual((await client.fetch(link)).body, ARCHIVE);
  });

  it('ends every connection when it closes, downloads under way included', async () => {
    await using server = await startOpenAiServer({ bytesPerSecond: 100 });
    await using client = new Client(server);
    const { link } = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    const { body } = await client.open(link);
    const iterator = body[Symbol.asyncIterator]();
    await iterator.next();
    await server.close();
    await assert.rejects(async () => {
      while (!(await iterator.next()).done);
    });
  });
});

describe('the Azure form', () => {
  const name = /^[0-9a-f]{64}-2026-11-21-19-05-33$/;

  it('is a SAS link whose se is the moment of expiry', async () => {
    await using server = await startOpenAiServer();
    const { link, exportId, expiresAt } = server.publish({ form: 'azure', body: { bytes: ARCHIVE }, stamp: STAMP });
    const url = new URL(link);
    assert.match(exportId, name);
    assert.equal(url.origin, server.origin);
    assert.equal(url.pathname, `/exportcontainer/${exportId}.zip`);
    assert.deepEqual([...url.searchParams.keys()], ['se', 'sp', 'sv', 'sr', 'sig']);
    assert.equal(url.searchParams.get('se'), '2026-11-22T19:05:33Z');
    assert.equal(url.searchParams.get('sp'), 'r');
    assert.equal(expiresAt, Date.parse('2026-11-22T19:05:33Z'));
  });

  it('is served to anybody, with its MD5', async () => {
    await using server = await startOpenAiServer();
    await using client = new Client(server);
    const published = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    const { status, headers, body } = await client.fetch(published.link);
    assert.equal(status, 200);
    assert.deepEqual(body, ARCHIVE);
    assert.equal(headers['content-type'], 'application/zip');
    assert.equal(headers['content-length'], '1000');
    assert.equal(headers['accept-ranges'], 'bytes');
    assert.equal(headers['content-md5'], MD5);
    assert.equal(await published.contentMd5(), MD5);
    assert.equal(headers['x-ms-blob-type'], 'BlockBlob');
    assert.equal(headers.etag, published.etag);
    assert.match(published.etag, /^"0x8D[0-9A-F]{13}"$/);
  });

  it('answers HEAD with the same headers and no body', async () => {
    await using server = await startOpenAiServer();
    await using client = new Client(server);
    const { link, etag } = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    const { status, headers, body } = await client.fetch(link, { method: 'HEAD', headers: { range: 'bytes=0-9' } });
    assert.deepEqual(
      [status, headers['content-length'], headers.etag, headers['content-md5']],
      [200, '1000', etag, MD5],
    );
    assert.equal(body.length, 0);
  });

  it('keeps the MD5 of the whole out of Content-MD5 when it sends a part', async () => {
    await using server = await startOpenAiServer();
    await using client = new Client(server);
    const { link } = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    const { headers } = await client.fetch(link, { headers: { range: 'bytes=0-9' } });
    assert.equal(headers['content-md5'], undefined);
    assert.equal(headers['x-ms-blob-content-md5'], MD5);
  });

  it('is refused as AuthenticationFailed from the moment it expires', async () => {
    let now = STAMP.getTime();
    await using server = await startOpenAiServer({ now: () => now });
    await using client = new Client(server);
    const { link, expiresAt } = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    now = expiresAt - 1;
    assert.equal((await client.fetch(link)).status, 200);
    now = expiresAt;
    const { status, headers, body } = await client.fetch(link);
    assert.deepEqual([status, headers['content-type']], [403, 'application/xml']);
    assert.match(body.toString(), /<Code>AuthenticationFailed<\/Code>.*Expiry \[Sun, 22 Nov 2026 19:05:33 GMT\]/s);
  });

  it('is refused as AuthenticationFailed when the link was altered or names no blob', async () => {
    await using server = await startOpenAiServer();
    await using client = new Client(server);
    const { link } = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    for (const altered of [
      link.replace('sig=', 'sig=A'),
      link.replace('se=2', 'se=3'),
      link.replace('.zip', '-1.zip'),
    ]) {
      const { status, body } = await client.fetch(altered);
      assert.equal(status, 403);
      assert.match(body.toString(), /<Code>AuthenticationFailed<\/Code>/);
    }
  });
});

describe('the estuary form', () => {
  it('is a signed link to the file stream, and tells no expiry', async () => {
    await using server = await startOpenAiServer();
    const { link, exportId } = server.publish({ form: 'estuary', body: { bytes: ARCHIVE }, stamp: STAMP });
    const url = new URL(link);
    assert.match(exportId, /^[0-9a-f]{64}-2026-11-21-19-05-33-[0-9a-f]{32}$/);
    assert.equal(url.origin + url.pathname, `${server.origin}/backend-api/estuary/content`);
    assert.deepEqual([...url.searchParams.keys()], ['id', 'ts', 'p', 'cid', 'sig', 'v']);
    assert.equal(url.searchParams.get('id'), `${exportId}.zip`);
    assert.match(url.searchParams.get('sig') ?? '', /^[0-9a-f]{64}$/);
  });

  it('begins with the same 64 digits for one account, and differs within one second', async () => {
    await using server = await startOpenAiServer();
    const [first = '', second = '', other = ''] = ['ada@example.com', 'ada@example.com', 'bob@example.com'].map(
      (account) => server.publish({ form: 'estuary', body: { bytes: ARCHIVE }, stamp: STAMP, account }).exportId,
    );
    assert.equal(first.slice(0, 64), second.slice(0, 64));
    assert.notEqual(first, second);
    assert.notEqual(first.slice(0, 64), other.slice(0, 64));
  });

  const signedIn = {
    'a bearer token': BEARER,
    'the session cookie': { cookie: `theme=dark; ${SESSION_COOKIE}=good-session` },
    'the session cookie in two parts': { cookie: `${SESSION_COOKIE}.1=session; ${SESSION_COOKIE}.0=good-` },
  };
  for (const [login, headers] of Object.entries(signedIn)) {
    it(`is served to ${login}`, async () => {
      await using server = await startOpenAiServer(LOGINS);
      await using client = new Client(server);
      const published = server.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
      const answer = await client.fetch(published.link, { headers });
      assert.deepEqual([answer.status, answer.headers.etag], [200, published.etag]);
      assert.deepEqual(answer.body, ARCHIVE);
      assert.equal(answer.headers['content-md5'], undefined);
    });
  }

  const strangers = {
    'no login': {},
    'a wrong bearer token': { authorization: 'Bearer other' },
    'a wrong session cookie': { cookie: `${SESSION_COOKIE}=other` },
  };
  for (const [login, headers] of Object.entries(strangers)) {
    it(`is denied to ${login}`, async () => {
      await using server = await startOpenAiServer(LOGINS);
      await using client = new Client(server);
      const { link } = server.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
      const { status, body } = await client.fetch(link, { headers });
      assert.deepEqual([status, body.toString()], [403, '{"detail":"File stream access denied."}']);
    });
  }

  it('is denied in the same words when it expired, was altered or names no export', async () => {
    let now = STAMP.getTime();
    await using server = await startOpenAiServer({ ...LOGINS, now: () => now });
    await using client = new Client(server);
    const { link } = server.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
    const denied = [403, '{"detail":"File stream access denied."}'];
    for (const altered of [link.replace('sig=', 'sig=0'), link.replace('.zip', '0.zip')]) {
      const { status, body } = await client.fetch(altered, { headers: BEARER });
      assert.deepEqual([status, body.toString()], denied);
    }
    now += DAY_MS;
    const { status, body } = await client.fetch(link, { headers: BEARER });
    assert.deepEqual([status, body.toString()], denied);
  });

  it('asks for the account id where one is required', async () => {
    await using server = await startOpenAiServer({ ...LOGINS, requireAccountId: 'team-7' });
    await using client = new Client(server);
    const { link } = server.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
    assert.equal((await client.fetch(link, { headers: BEARER })).status, 403);
    assert.equal((await client.fetch(link, { headers: { ...BEARER, 'chatgpt-account-id': 'team-7' } })).status, 200);
  });

  it('answers HEAD', async () => {
    await using server = await startOpenAiServer(LOGINS);
    await using client = new Client(server);
    const { link, etag } = server.publish({ form: 'estuary', body: { bytes: ARCHIVE } });
    const { status, headers } = await client.fetch(link, { method: 'HEAD', headers: BEARER });
    assert.deepEqual([status, headers['content-length'], headers.etag], [200, '1000', etag]);
  });
});

describe('ranges and conditions, in both forms', () => {
  for (const form of ['azure', 'estuary'] as const) {
    const ask = async (headersFor: (etag: string, lastModified: string) => Record<string, string>) => {
      await using server = await startOpenAiServer(LOGINS);
      await using client = new Client(server);
      const { link, etag } = server.publish({ form, body: { bytes: ARCHIVE }, stamp: new Date() });
      const { headers } = await client.fetch(link, { method: 'HEAD', headers: BEARER });
      return await client.fetch(link, {
        headers: { ...BEARER, ...headersFor(etag, String(headers['last-modified'])) },
      });
    };

    it(`${form}: a range is answered with 206`, async () => {
      const { status, headers, body } = await ask(() => ({ range: 'bytes=100-199' }));
      assert.deepEqual(
        [status, headers['content-range'], headers['content-length']],
        [206, 'bytes 100-199/1000', '100'],
      );
      assert.deepEqual(body, ARCHIVE.subarray(100, 200));
    });

    it(`${form}: a range behind the end is answered with 416`, async () => {
      const { status, headers } = await ask(() => ({ range: 'bytes=1000-' }));
      assert.deepEqual([status, headers['content-range']], [416, 'bytes */1000']);
    });

    it(`${form}: If-Range with the entity tag or the date lets the range through`, async () => {
      assert.equal((await ask((etag) => ({ range: 'bytes=1-', 'if-range': etag }))).status, 206);
      assert.equal((await ask((_, date) => ({ range: 'bytes=1-', 'if-range': date }))).status, 206);
    });

    it(`${form}: If-Range with another or a weak tag brings the whole`, async () => {
      assert.equal((await ask(() => ({ range: 'bytes=1-', 'if-range': '"other"' }))).status, 200);
      assert.equal((await ask((etag) => ({ range: 'bytes=1-', 'if-range': `W/${etag}` }))).status, 200);
    });

    it(`${form}: If-Match with another tag is answered with 412`, async () => {
      assert.equal((await ask(() => ({ 'if-match': '"other"' }))).status, 412);
      assert.equal((await ask((etag) => ({ 'if-match': `"other", ${etag}` }))).status, 200);
    });

    it(`${form}: If-None-Match with the tag is answered with 304`, async () => {
      assert.equal((await ask((etag) => ({ 'if-none-match': etag }))).status, 304);
      assert.equal((await ask(() => ({ 'if-none-match': '"other"' }))).status, 200);
    });
  }
});

describe('the session endpoints', () => {
  it('gives a signed-in browser an access token that counts as a login', async () => {
    await using server = await startOpenAiServer({ sessionTokens: ['good-session'] });
    await using client = new Client(server);
    const headers = { cookie: `${SESSION_COOKIE}=good-session` };
    const session = JSON.parse((await client.fetch('/api/auth/session', { headers })).body.toString());
    assert.equal(typeof session.user.email, 'string');
    assert.ok(Date.parse(session.expires) > Date.now());
    const me = await client.fetch('/backend-api/me', { headers: { authorization: `Bearer ${session.accessToken}` } });
    assert.equal(me.status, 200);
    assert.equal(JSON.parse(me.body.toString()).email, session.user.email);
  });

  it('knows nothing of a browser that is not signed in', async () => {
    await using server = await startOpenAiServer(LOGINS);
    await using client = new Client(server);
    const { status, body } = await client.fetch('/api/auth/session');
    assert.deepEqual([status, body.toString()], [200, '{}']);
    assert.equal((await client.fetch('/backend-api/me')).status, 401);
  });
});
