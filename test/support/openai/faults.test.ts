import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type FetchOptions, type Received } from './client.ts';
import { type Fault, type OpenAiServer, type PublishedExport, startOpenAiServer } from './server.ts';

const ARCHIVE = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));

interface Scene {
  readonly server: OpenAiServer;
  readonly client: Client;
  readonly published: PublishedExport;
}

/** An export of the Azure form, which needs no login, with one fault queued. */
async function scene(fault: Fault, play: (scene: Scene) => Promise<void>): Promise<void> {
  await using server = await startOpenAiServer();
  await using client = new Client(server);
  const published = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
  published.faults.push(fault);
  await play({ server, client, published });
}

async function fetchUnder(fault: Fault, headers: FetchOptions['headers'] = {}): Promise<Received> {
  let received: Received | undefined;
  await scene(fault, async ({ client, published }) => {
    received = await client.fetch(published.link, { headers });
  });
  assert.ok(received);
  return received;
}

describe('faults', () => {
  it('stop: a promised length is not kept, and the connection is closed in order', async () => {
    const { status, headers, body, brokenBy } = await fetchUnder({
      kind: 'stop',
      afterBytes: 300,
      framing: 'content-length',
    });
    assert.deepEqual([status, headers['content-length'], brokenBy], [200, '1000', 'UND_ERR_SOCKET']);
    assert.deepEqual(body, ARCHIVE.subarray(0, 300));
  });

  it('stop: in chunks, an early end looks whole', async () => {
    const { status, headers, body, brokenBy } = await fetchUnder({ kind: 'stop', afterBytes: 300, framing: 'chunked' });
    assert.deepEqual([status, headers['content-length'], brokenBy], [200, undefined, undefined]);
    assert.equal(headers['transfer-encoding'], 'chunked');
    assert.deepEqual(body, ARCHIVE.subarray(0, 300));
  });

  it('stop: bytes are counted from the beginning of the answer, not of the archive', async () => {
    const { body } = await fetchUnder({ kind: 'stop', afterBytes: 10, framing: 'chunked' }, { range: 'bytes=500-' });
    assert.deepEqual(body, ARCHIVE.subarray(500, 510));
  });

  it('stop: even before the first byte', async () => {
    const { status, body, brokenBy } = await fetchUnder({ kind: 'stop', afterBytes: 0, framing: 'content-length' });
    assert.deepEqual([status, body.length, brokenBy], [200, 0, 'UND_ERR_SOCKET']);
  });

  it('reset: the connection is reset', async () => {
    const { status, body, brokenBy } = await fetchUnder({ kind: 'reset', afterBytes: 300 });
    assert.deepEqual([status, brokenBy], [200, 'ECONNRESET']);
    assert.deepEqual(body, ARCHIVE.subarray(0, 300));
  });

  it('stall: the connection stays open, and nothing more comes', async () => {
    await scene({ kind: 'stall', afterBytes: 300 }, async ({ client, published }) => {
      const { body } = await client.open(published.link);
      const iterator = body[Symbol.asyncIterator]();
      const { value } = await iterator.next();
      assert.deepEqual(value, ARCHIVE.subarray(0, 300));
      const more = iterator.next().then(
        () => 'more',
        () => 'broken',
      );
      assert.equal(await Promise.race([more, delay(100, 'silence')]), 'silence');
    });
  });

  it('slow: the body trickles', async () => {
    await scene({ kind: 'slow', bytesPerSecond: 100 }, async ({ client, published }) => {
      const { body } = await client.open(published.link);
      const { value } = await body[Symbol.asyncIterator]().next();
      assert.ok(value.length < ARCHIVE.length);
      assert.ok((published.requests[0]?.bytesSent ?? 0) < ARCHIVE.length);
    });
  });

  it('status: 429 and 503 name the time to come back, in seconds or as a date', async () => {
    const limited = await fetchUnder({ kind: 'status', status: 429, retryAfter: 120 });
    assert.deepEqual([limited.status, limited.headers['retry-after']], [429, '120']);
    const busy = await fetchUnder({ kind: 'status', status: 503, retryAfter: new Date('2026-11-21T20:00:00Z') });
    assert.deepEqual([busy.status, busy.headers['retry-after']], [503, 'Sat, 21 Nov 2026 20:00:00 GMT']);
    assert.match(busy.body.toString(), /<Code>ServerBusy<\/Code>/);
    assert.equal((await fetchUnder({ kind: 'status', status: 503 })).headers['retry-after'], undefined);
  });

  it('login-page: HTML with status 200', async () => {
    const { status, headers, body } = await fetchUnder({ kind: 'login-page' });
    assert.deepEqual([status, headers['content-type']], [200, 'text/html; charset=utf-8']);
    assert.match(body.toString(), /^<!DOCTYPE html>/);
  });

  it("challenge: Cloudflare's page", async () => {
    for (const status of [403, 503] as const) {
      const { headers, body, ...received } = await fetchUnder({ kind: 'challenge', status });
      assert.deepEqual([received.status, headers['cf-mitigated']], [status, 'challenge']);
      assert.match(body.toString(), /Just a moment/);
    }
  });

  it('redirect: to wherever it was told', async () => {
    for (const status of [301, 302, 303, 307, 308] as const) {
      const { headers, ...received } = await fetchUnder({
        kind: 'redirect',
        status,
        location: 'http://169.254.169.254/',
      });
      assert.deepEqual([received.status, headers.location], [status, 'http://169.254.169.254/']);
    }
  });

  it('changed: from then on there is another entity tag, and another body', async () => {
    const other = Buffer.from('another archive');
    await scene({ kind: 'changed', body: { bytes: other } }, async ({ client, published }) => {
      const before = published.etag;
      const first = await client.fetch(published.link, { headers: { range: 'bytes=5-', 'if-range': before } });
      assert.deepEqual([first.status, first.headers.etag], [200, published.etag]);
      assert.notEqual(published.etag, before);
      assert.deepEqual(first.body, other);
      assert.deepEqual((await client.fetch(published.link)).body, other);
    });
  });

  it('changed: the entity tag alone', async () => {
    await scene({ kind: 'changed' }, async ({ client, published }) => {
      const before = published.etag;
      const { headers, body } = await client.fetch(published.link);
      assert.notEqual(headers.etag, before);
      assert.deepEqual(body, ARCHIVE);
    });
  });

  it('long-content-length: more is promised than there is', async () => {
    const { headers, body, brokenBy } = await fetchUnder({ kind: 'long-content-length', extraBytes: 7 });
    assert.deepEqual([headers['content-length'], brokenBy], ['1007', 'UND_ERR_SOCKET']);
    assert.deepEqual(body, ARCHIVE);
  });

  it('wrong-content-range: a 206 speaks of another stretch than it holds', async () => {
    const { status, headers, body } = await fetchUnder(
      { kind: 'wrong-content-range', shiftBytes: 64 },
      { range: 'bytes=100-199' },
    );
    assert.deepEqual([status, headers['content-range']], [206, 'bytes 164-263/1064']);
    assert.deepEqual(body, ARCHIVE.subarray(100, 200));
  });

  it('ignores-range: the whole in answer to a range', async () => {
    const { status, body } = await fetchUnder({ kind: 'ignores-range' }, { range: 'bytes=100-199' });
    assert.equal(status, 200);
    assert.deepEqual(body, ARCHIVE);
  });

  it('ignores-if-range: a part of something else than the client holds', async () => {
    const { status, body } = await fetchUnder(
      { kind: 'ignores-if-range' },
      { range: 'bytes=100-199', 'if-range': '"other"' },
    );
    assert.equal(status, 206);
    assert.deepEqual(body, ARCHIVE.subarray(100, 200));
  });

  it('wrong-content-md5: a digest of something else', async () => {
    await scene({ kind: 'wrong-content-md5' }, async ({ client, published }) => {
      const { headers, body } = await client.fetch(published.link);
      assert.deepEqual(body, ARCHIVE);
      assert.notEqual(headers['content-md5'], await published.contentMd5());
    });
  });

  it('corrupt: one byte comes out wrong, and the archive itself stays whole', async () => {
    await scene({ kind: 'corrupt', atByte: 150 }, async ({ client, published }) => {
      const { body } = await client.fetch(published.link, { headers: { range: 'bytes=100-' } });
      const expected = Buffer.from(ARCHIVE.subarray(100));
      expected[50] = 150 ^ 0xff;
      assert.deepEqual(body, expected);
      assert.deepEqual((await client.fetch(published.link)).body, ARCHIVE);
    });
  });
});

describe('which request meets a fault', () => {
  it('each GET takes the first of the queue', async () => {
    await scene({ kind: 'status', status: 429 }, async ({ client, published }) => {
      published.faults.push({ kind: 'status', status: 503 });
      const statuses = [];
      for (let turn = 0; turn < 3; turn += 1) statuses.push((await client.fetch(published.link)).status);
      assert.deepEqual(statuses, [429, 503, 200]);
    });
  });

  it('HEAD passes a fault by unless told', async () => {
    await scene({ kind: 'status', status: 429 }, async ({ client, published }) => {
      assert.equal((await client.fetch(published.link, { method: 'HEAD' })).status, 200);
      published.faults.unshift({ kind: 'status', status: 503, alsoHead: true });
      assert.equal((await client.fetch(published.link, { method: 'HEAD' })).status, 503);
      assert.equal((await client.fetch(published.link)).status, 429);
    });
  });

  it('a lasting fault stays until it is taken away, behind those queued', async () => {
    await scene({ kind: 'status', status: 429 }, async ({ client, published }) => {
      published.always = { kind: 'status', status: 503 };
      const statuses = [];
      for (let turn = 0; turn < 3; turn += 1) statuses.push((await client.fetch(published.link)).status);
      published.always = undefined;
      statuses.push((await client.fetch(published.link)).status);
      assert.deepEqual(statuses, [429, 503, 503, 200]);
    });
  });
});
