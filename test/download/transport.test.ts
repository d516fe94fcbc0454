import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTransport, type HttpResponse } from '../../src/download/index.ts';
import { networkTrouble } from '../../src/download/transport.ts';
import { createAuthority } from '../support/openai/certificates.ts';
import { type OpenAiServer, startOpenAiServer } from '../support/openai/server.ts';
import { tempDir } from '../support/temp-dir.ts';
import { zipLike } from '../support/zip-like.ts';
import { placesOf } from './scene.ts';

const ARCHIVE = zipLike(1000);

/** The network to a server, with its authority trusted and its origin as an extra place, unless told. */
async function networkTo(server: Pick<OpenAiServer, 'origin' | 'authority'>, { trusted = true, extra = true } = {}) {
  await using directory = await tempDir();
  const caFile = join(directory.path, 'ca.pem');
  await writeFile(caFile, server.authority.certPem);
  const places = placesOf(server).map((place) => ({ ...place, extra }));
  const transport = await createTransport({ places, ...(trusted ? { caFile } : {}) });
  return {
    get: (address: string, headers: Record<string, string> = {}, signal = new AbortController().signal) =>
      transport.send({ address: new URL(address), headers, signal }),
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

async function bytesOf({ body }: HttpResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('the network', () => {
  it('sends a request as it is, and gives status, header fields and body', async () => {
    await using server = await startOpenAiServer();
    await using network = await networkTo(server);
    const published = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    const response = await network.get(published.link, { range: 'bytes=100-', 'if-range': published.etag });
    assert.equal(response.status, 206);
    assert.equal(response.headers['content-range'], 'bytes 100-999/1000');
    assert.equal(response.headers.etag, published.etag);
    assert.deepEqual(await bytesOf(response), ARCHIVE.subarray(100));
  });

  it('follows no redirect', async () => {
    await using server = await startOpenAiServer();
    await using network = await networkTo(server);
    const published = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    published.faults.push({ kind: 'redirect', status: 302, location: published.link });
    const response = await network.get(published.link);
    response.discard();
    assert.deepEqual([response.status, response.headers.location], [302, published.link]);
    assert.equal(published.requests.length, 1);
  });

  it('lets a body be left unread, or be stopped in the middle', async () => {
    await using server = await startOpenAiServer();
    await using network = await networkTo(server);
    const published = server.publish({ form: 'azure', body: { bytes: ARCHIVE } });
    published.faults.push({ kind: 'stall', afterBytes: 10 }, { kind: 'stall', afterBytes: 10 });
    (await network.get(published.link)).discard();
    const stop = new AbortController();
    const response = await network.get(published.link, {}, stop.signal);
    const reason = new Error('enough');
    setImmediate(() => stop.abort(reason));
    await assert.rejects(bytesOf(response), reason);
    assert.deepEqual(await bytesOf(await network.get(published.link)), ARCHIVE);
  });

  it('takes the first of repeated header fields', async () => {
    await using server = await repeatingServer();
    await using network = await networkTo(server);
    const response = await network.get(server.origin);
    assert.equal(response.headers.etag, '"a"');
    assert.equal(response.headers['set-cookie'], 'first=1');
    assert.equal((await bytesOf(response)).toString(), '1.1');
  });

  it('goes to no private address, but for extra places', async () => {
    await using server = await startOpenAiServer();
    await using network = await networkTo(server, { extra: false });
    const error = await network.get(server.origin).catch((caught: unknown) => caught);
    assert.match(
      networkTrouble(error, 'localhost'),
      /^localhost is at a private address, where no export can be; .*fake-ip-dns\.md/,
    );
    assert.deepEqual(server.requests, []);
  });

  it("goes wherever the provider's own name leads, where that is an extra place as well (proxies with made-up addresses)", async () => {
    await using server = await startOpenAiServer();
    await using directory = await tempDir();
    const caFile = join(directory.path, 'ca.pem');
    await writeFile(caFile, server.authority.certPem);
    const places = [false, true].flatMap((extra) => placesOf(server).map((place) => ({ ...place, extra })));
    const transport = await createTransport({ places, caFile });
    const { signal } = new AbortController();
    const response = await transport.send({ address: new URL(server.origin), headers: {}, signal });
    response.discard();
    await transport.close();
    assert.equal(response.status, 404);
  });

  it('knows an extra place by its scheme and port, too', async () => {
    await using server = await startOpenAiServer();
    await using other = await startOpenAiServer();
    await using network = await networkTo(server);
    for (const address of [other.origin, `http://localhost:${server.port}`, 'https://localhost', 'http://localhost']) {
      await assert.rejects(network.get(address), { code: 'ENOTPUBLIC' });
    }
    assert.deepEqual([...server.requests, ...other.requests], []);
  });

  it('trusts an authority only if told to', async () => {
    await using server = await startOpenAiServer();
    await using network = await networkTo(server, { trusted: false });
    const error = await network.get(server.origin).catch((caught: unknown) => caught);
    assert.match(networkTrouble(error, 'localhost'), /^localhost shows a certificate of an unknown authority\.$/);
    assert.deepEqual(server.requests, []);
  });

  it('tells of a server that is not there', async () => {
    const server = await startOpenAiServer();
    const { origin } = server;
    await using network = await networkTo(server);
    await server.close();
    const error = await network.get(origin).catch((caught: unknown) => caught);
    assert.equal(networkTrouble(error, 'localhost'), 'localhost refuses connections.');
  });

  it('cannot be had with an authority file that is missing', async () => {
    await assert.rejects(createTransport({ places: [], caFile: '/nonexistent/ca.pem' }), { code: 'ENOENT' });
  });
});

describe('trouble with the network', () => {
  it('is a sentence that names the host, and nothing of the address', () => {
    const withCode = (code: string, cause?: unknown) =>
      Object.assign(new Error('https://host/?sig=secret', { cause }), { code });
    const sentences: [unknown, string][] = [
      [withCode('ENOTFOUND'), 'host cannot be found: the name does not resolve.'],
      [withCode('ECONNRESET'), 'host broke the connection off.'],
      [withCode('UND_ERR_SOCKET'), 'host closed the connection early.'],
      [withCode('CERT_HAS_EXPIRED'), 'The certificate of host cannot be trusted (CERT_HAS_EXPIRED).'],
      [
        withCode('ERR_TLS_CERT_ALTNAME_INVALID'),
        'The certificate of host cannot be trusted (ERR_TLS_CERT_ALTNAME_INVALID).',
      ],
      [withCode('EWHATEVER'), 'The connection to host failed (EWHATEVER).'],
      [new Error('fetch failed', { cause: withCode('ETIMEDOUT') }), 'host does not answer.'],
      [new Error('https://host/?sig=secret'), 'The connection to host failed.'],
      ['https://host/?sig=secret', 'The connection to host failed.'],
    ];
    for (const [error, sentence] of sentences) assert.equal(networkTrouble(error, 'host'), sentence);
  });
});

/** A server that would rather speak HTTP/2, tells which version was spoken, and repeats itself. */
async function repeatingServer() {
  const authority = await createAuthority();
  const { keyPem, certPem } = await authority.issue({ hosts: ['localhost'] });
  const server = createSecureServer({ key: keyPem, cert: certPem, allowHTTP1: true }, (request, response) => {
    response.setHeader('etag', ['"a"', '"b"']);
    response.setHeader('set-cookie', ['first=1', 'second=2']);
    response.end(request.httpVersion);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    authority,
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
