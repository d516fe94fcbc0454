import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/lib/secret.ts';
import { type Beat, DeliveryError, openHeartbeat } from '../../../src/notify/index.ts';
import { WebServer } from '../support.ts';

const UUID = '6731de76-14a6-49ae-97bc-6eba6914391e';
const RUN = '0a0a0a0a-0a0a-8a0a-8a0a-0a0a0a0a0a0a';
const never = new AbortController().signal;

/** The requests that beats become, as the server has received them. */
async function received(path: string, ...beats: Beat[]): Promise<string[]> {
  await using server = await WebServer.listen();
  const address = openHeartbeat(new Secret(`http://${server.host}${path}`));
  for (const beat of beats) await address.send(beat, { signal: never });
  return server.requests.map(({ method, url, body }) => `${method} ${url} ${body}`.trim());
}

const ALL: readonly Beat[] = [
  { kind: 'alive' },
  { kind: 'down', reason: 'The mailbox "a b" is silent.' },
  { kind: 'begun', run: RUN },
  { kind: 'noted', run: RUN, text: 'needs-login: No.' },
  { kind: 'done', run: RUN, text: 'Kept as a/b.' },
  { kind: 'failed', run: RUN, reason: 'Too late.' },
];

describe('A heartbeat to healthchecks.io or one of your own', () => {
  it('is a POST to the address, or to /fail, /start and /log below it, with the run of a capture', async () => {
    assert.deepEqual(await received(`/ping/${UUID}`, ...ALL), [
      `POST /ping/${UUID} The service lives, and its mailboxes answer.`,
      `POST /ping/${UUID}/fail The mailbox "a b" is silent.`,
      `POST /ping/${UUID}/start?rid=${RUN}`,
      `POST /ping/${UUID}/log?rid=${RUN} needs-login: No.`,
      `POST /ping/${UUID}?rid=${RUN} Kept as a/b.`,
      `POST /ping/${UUID}/fail?rid=${RUN} Too late.`,
    ]);
  });

  it('may be addressed by ping key and slug, and keeps its parameters', async () => {
    assert.deepEqual(await received('/ping/fqOOd6-F4MMNuCEnzTU01w/chatkeep/?create=1', { kind: 'begun', run: RUN }), [
      `POST /ping/fqOOd6-F4MMNuCEnzTU01w/chatkeep/start?create=1&rid=${RUN}`,
    ]);
  });

  it('is known by its host, or by /ping/', () => {
    assert.equal(openHeartbeat(new Secret(`https://hc-ping.com/${UUID}`)).label, 'Healthchecks at hc-ping.com');
    assert.equal(openHeartbeat(new Secret(`https://h.example/x/ping/${UUID}`)).label, 'Healthchecks at h.example');
  });
});

describe('A heartbeat to Uptime Kuma', () => {
  it('says up or down, and nothing of what is neither', async () => {
    assert.deepEqual(await received('/api/push/tOkEn?status=up&msg=OK&ping=', ...ALL), [
      'GET /api/push/tOkEn?status=up&msg=OK&ping=',
      'GET /api/push/tOkEn?status=down&msg=The+mailbox+%22a+b%22+is+silent.&ping=',
      'GET /api/push/tOkEn?status=up&msg=Kept+as+a%2Fb.&ping=',
      'GET /api/push/tOkEn?status=down&msg=Too+late.&ping=',
    ]);
  });

  it('is short', async () => {
    const [request = ''] = await received('/api/push/t', { kind: 'down', reason: 'x'.repeat(5000) });
    assert.ok(request.length < 300);
  });
});

describe('A heartbeat address', () => {
  for (const [what, text] of [
    ['of another service', 'https://example.org/hook/s3cr3t'],
    ['with the signal of one request', `https://hc-ping.com/${UUID}/start`],
    ['that is none', 's3cr3t'],
    ['with a user', `https://user:s3cr3t@hc-ping.com/${UUID}`],
  ]) {
    it(`${what} is refused without showing it`, () => {
      assert.throws(
        () => openHeartbeat(new Secret(text ?? '')),
        (error: Error) => !error.message.includes('s3cr3t') && !error.message.includes('6731de76-14a6'),
      );
    });
  }

  for (const [path, name] of [
    [`/ping/${UUID}`, 'Healthchecks'],
    ['/api/push/s3cr3t', 'Uptime Kuma'],
  ] as const) {
    it(`of ${name} is not told in errors`, async () => {
      const server = await WebServer.listen();
      const address = openHeartbeat(new Secret(`http://${server.host}${path}`));
      const failsWith = (pattern: RegExp) =>
        assert.rejects(address.send({ kind: 'alive' }, { signal: never }), (error) => {
          assert.ok(error instanceof DeliveryError);
          assert.match(error.message, pattern);
          assert.doesNotMatch(error.message, /s3cr3t|6731de76/);
          return true;
        });
      server.answer = { status: 404 };
      await failsWith(/answered with status 404: it does not know this address/);
      server.answer = { status: 302, headers: { location: 'https://elsewhere.example/' } };
      await failsWith(/redirects are not followed/);
      await server[Symbol.asyncDispose]();
      await failsWith(/could not be reached/);
    });
  }
});
