import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pageTransport } from '../../../../src/download/logins/browser/page-transport.ts';
import type { HttpResponse } from '../../../../src/download/transport.ts';
import { type Chromium, startChromium } from '../../../support/chromium.ts';
import { eventually } from '../../../support/eventually.ts';
import { freePort } from '../../../support/free-port.ts';
import { createAuthority } from '../../../support/openai/certificates.ts';

const TEXT = 'the very bytes, Grüße, \uFEFF and a nul \0';
const IDENTITY = { 'accept-encoding': 'identity' };

/** A site with a service worker that answers everything itself, as a site may have. */
const SERVICE_WORKER = `
  self.addEventListener('install', () => self.skipWaiting());
  self.addEventListener('activate', (event) => event.waitUntil(clients.claim()));
  self.addEventListener('fetch', (event) => event.respondWith(new Response('from the service worker')));`;
const PAGE = `<script>
  navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready)
    .then(() => { document.title = 'ready'; });
</script>`;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What the pages of the test's site are. */
const SITE: Readonly<Record<string, Handler>> = {
  '/': (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE),
  '/worker.js': (_, response) => response.writeHead(200, { 'content-type': 'text/javascript' }).end(SERVICE_WORKER),
  '/text': ({ headers }, response) => {
    const compress = headers['accept-encoding']?.includes('gzip') === true;
    response.writeHead(200, {
      etag: '"a"',
      'Set-Cookie': ['a=1', 'b=2'],
      ...(compress ? { 'content-encoding': 'gzip' } : {}),
    });
    response.end(compress ? gzipSync(TEXT) : TEXT);
  },
  '/headers': ({ headers }, response) => response.writeHead(200).end(JSON.stringify(headers)),
  '/redirect': (_, response) => response.writeHead(302, { location: 'https://files.example.org/x' }).end(),
  '/to-self': (_, response) => response.writeHead(307, { location: '/text' }).end(),
  '/nothing': (_, response) => response.writeHead(204).end(),
};

describe('the network of a page in a browser', () => {
  let browser: Chromium;
  let origin: string;
  /** The requests that have come, by path. */
  const seen: string[] = [];
  const endless = { sent: 0, closed: false };
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    if (request.url === '/endless') return sendEndlessly(response);
    if (request.url === '/silence') return;
    (SITE[request.url ?? ''] ?? notFound)(request, response);
  });

  function sendEndlessly(response: ServerResponse): void {
    Object.assign(endless, { sent: 0, closed: false });
    const piece = Buffer.alloc(64 * 1024);
    const more = () => {
      do endless.sent += piece.length;
      while (response.write(piece));
    };
    response.writeHead(200, { 'content-type': 'application/zip' }).on('drain', more);
    response.once('close', () => {
      endless.closed = true;
    });
    more();
  }

  before(async () => {
    const { keyPem, certPem } = await (await createAuthority()).issue({ hosts: ['localhost'] });
    server.setSecureContext({ key: keyPem, cert: certPem });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    origin = `https://localhost:${port}`;
    browser = await startChromium({ trusting: [{ port }] });
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    server.closeAllConnections();
    server.close();
  });

  function send(path: string, headers = {}, signal = new AbortController().signal): Promise<HttpResponse> {
    return pageTransport(browser.cdpUrl).send({ address: new URL(path, origin), headers, signal });
  }

  it('gives status, header fields and bytes as they came', async () => {
    const response = await send('/text', IDENTITY);
    assert.equal(response.status, 200);
    assert.equal(response.headers.etag, '"a"');
    assert.equal(await textOf(response), TEXT);
  });

  it('asks only for what it was told to ask for', async () => {
    seen.length = 0;
    const response = await send('/nothing');
    assert.equal(response.status, 204);
    response.discard();
    assert.deepEqual(seen, ['/nothing']);
  });

  it('sends what it was given as a page of the origin does, in the name of the browser', async () => {
    const given = { accept: 'application/zip', range: 'bytes=7-', 'if-range': '"a"', authorization: 'Bearer t' };
    const headers = JSON.parse(await textOf(await send('/headers', { ...given, ...IDENTITY, 'user-agent': 'not me' })));
    for (const [name, value] of Object.entries(given)) assert.equal(headers[name], value, name);
    assert.equal(headers['accept-encoding'], 'identity');
    assert.equal(headers['sec-fetch-site'], 'same-origin');
    assert.equal(headers.referer, undefined);
    assert.match(headers['user-agent'], /Chrome/);
  });

  it('gives a redirect as an answer, and follows none', async () => {
    seen.length = 0;
    for (const [path, status, location] of [
      ['/redirect', 302, 'https://files.example.org/x'],
      ['/to-self', 307, '/text'],
    ] as const) {
      const response = await send(path);
      assert.deepEqual([response.status, response.headers.location], [status, location]);
      response.discard();
    }
    assert.deepEqual(seen, ['/redirect', '/to-self']);
  });

  it('asks the server itself, whatever service worker the site has', async () => {
    await browser.openTab(`${origin}/`);
    await eventually(async () => (await browser.tabs()).some(({ title }) => title === 'ready'));
    assert.equal(await textOf(await send('/text', IDENTITY)), TEXT);
  });

  it('makes the server wait for as long as nobody reads', async () => {
    const response = await send('/endless');
    let before = -1;
    await eventually(async () => {
      const stands = endless.sent === before;
      before = endless.sent;
      if (!stands) await new Promise((resolve) => setTimeout(resolve, 500));
      return stands;
    });
    assert.ok(endless.sent < 32 * 1024 * 1024, `${endless.sent} bytes`);
    response.discard();
    await eventually(() => endless.closed);
  });

  it('lets go of the server and of its tab when it is not wanted any more', async () => {
    const controller = new AbortController();
    const tabs = (await browser.tabs()).map(({ targetId }) => targetId);
    const response = await send('/endless', {}, controller.signal);
    const broken = assert.rejects(textOf(response));
    controller.abort(new Error('enough'));
    await broken;
    await eventually(() => endless.closed);
    assert.deepEqual(
      (await browser.tabs()).map(({ targetId }) => targetId),
      tabs,
    );
  });

  it('gives up waiting for an answer with the reason of the signal', async () => {
    const controller = new AbortController();
    const response = send('/silence', {}, controller.signal);
    const reason = new Error('enough');
    await eventually(() => seen.includes('/silence'));
    controller.abort(reason);
    await assert.rejects(response, reason);
  });

  it('tells why a server cannot be reached', async () => {
    const address = new URL(`https://localhost:${await freePort()}/`);
    const { signal } = new AbortController();
    const outcome = pageTransport(browser.cdpUrl).send({ address, headers: {}, signal });
    await assert.rejects(outcome, { code: 'ECONNREFUSED' });
  });

  it('breaks off when the browser dies', async () => {
    const response = await send('/endless');
    const broken = assert.rejects(textOf(response), { code: 'EBROWSERGONE' });
    await browser.kill();
    await broken;
    await assert.rejects(send('/text'), { code: 'EBROWSERGONE' });
  });
});

function notFound(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(404).end();
}

async function textOf({ body, discard }: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  } finally {
    discard();
  }
}
