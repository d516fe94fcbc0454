import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeliveryError, type Message, type Service } from '../../src/notify/index.ts';
import { KEY, MailServer, MESSAGE, noAbort, serviceAt, trustedCertificates, WebServer } from './support.ts';

const { own, foreign } = await trustedCertificates();

async function failure(service: Service, message: Message = MESSAGE): Promise<string> {
  try {
    await service.send(message, { signal: noAbort(), key: KEY });
  } catch (error) {
    assert(error instanceof DeliveryError, String(error));
    assert.equal(error.cause, undefined);
    return error.message;
  }
  throw new Error('the message was sent, and should not have been');
}

const send = (address: string, message: Message = MESSAGE) =>
  serviceAt(address).send(message, { signal: noAbort(), key: KEY });

describe('a webhook', () => {
  it('gets the whole message as JSON, at the path and query of its address', async () => {
    await using server = await WebServer.listen();
    for (const scheme of ['json', 'json+http', 'generic+http', 'JSON']) {
      await send(`${scheme}://${server.host}/hooks/a%20b?key=x%26y`);
      const request = server.requests.pop();
      assert.equal(request?.method, 'POST');
      assert.equal(request.url, '/hooks/a%20b?key=x%26y');
      assert.equal(request.headers['content-type'], 'application/json');
      assert.equal(request.headers.authorization, undefined);
      assert.deepEqual(request.body, { id: KEY, ...MESSAGE });
      assert.equal(request.headers['idempotency-key'], `"${KEY}"`);
    }
  });

  it('is spoken to over TLS, with its certificate checked', async () => {
    await using server = await WebServer.listen(own);
    for (const scheme of ['jsons', 'json+https', 'generic+https']) {
      await send(`${scheme}://localhost:${server.port}/hook`);
      assert.deepEqual(server.requests.pop()?.body, { id: KEY, ...MESSAGE });
    }
    await using impostor = await WebServer.listen(foreign);
    assert.match(
      await failure(serviceAt(`jsons://localhost:${impostor.port}/hook`)),
      /^webhook at localhost:\d+ could not be reached \(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
    );
    assert.deepEqual(impostor.requests, []);
  });

  it('gets user and password of the address in the Authorization header', async () => {
    await using server = await WebServer.listen();
    await send(`json://us%40er:p%2Fw%3A@${server.host}`);
    const [request] = server.requests;
    assert.equal(request?.headers.authorization, `Basic ${Buffer.from('us@er:p/w:').toString('base64')}`);
    assert.equal(request.url, '/');
  });
});

describe('ntfy', () => {
  const jsonFor = (level: Message['level'], priority: number, tag: string) => ({
    level,
    expected: {
      topic: 'My-Topic_1',
      title: MESSAGE.title,
      message: MESSAGE.body,
      priority,
      tags: [tag],
      sequence_id: KEY,
    },
  });

  for (const { level, expected } of [
    jsonFor('info', 2, 'information_source'),
    jsonFor('success', 3, 'white_check_mark'),
    jsonFor('warning', 4, 'warning'),
    jsonFor('failure', 5, 'rotating_light'),
  ]) {
    it(`gets JSON at the root of the server, with priority and tag of the level ${level}`, async () => {
      await using server = await WebServer.listen();
      await send(`ntfy://${server.host}/My-Topic_1?scheme=http`, { ...MESSAGE, level });
      const [request] = server.requests;
      assert.equal(request?.method, 'POST');
      assert.equal(request.url, '/');
      assert.equal(request.headers.authorization, undefined);
      assert.deepEqual(request.body, expected);
    });
  }

  it('gets the priority and the further tags of the address', async () => {
    await using server = await WebServer.listen();
    for (const [wish, priority] of [
      ['low', 2],
      ['MAX', 5],
      ['1', 1],
    ]) {
      await send(`ntfy://${server.host}/t?disabletls=yes&priority=${wish}&tags=backup,home`);
      assert.deepEqual(server.requests.pop()?.body, {
        topic: 't',
        title: MESSAGE.title,
        message: MESSAGE.body,
        priority,
        tags: ['warning', 'backup', 'home'],
        sequence_id: KEY,
      });
    }
  });

  it('gets user and password, or an access token in the place of either', async () => {
    await using server = await WebServer.listen();
    const authorizationFor = async (login: string) => {
      await send(`ntfy://${login}@${server.host}/t?scheme=http`);
      return server.requests.pop()?.headers.authorization;
    };
    assert.equal(await authorizationFor('ada:p%40w'), `Basic ${Buffer.from('ada:p@w').toString('base64')}`);
    assert.equal(await authorizationFor('tk_abc123'), 'Bearer tk_abc123');
    assert.equal(await authorizationFor(':tk_abc123'), 'Bearer tk_abc123');
  });

  it('is spoken to over TLS unless the address says otherwise', async () => {
    await using server = await WebServer.listen(own);
    await send(`ntfy://localhost:${server.port}/t`);
    await send(`ntfys://localhost:${server.port}/t`);
    assert.equal(server.requests.length, 2);
  });

  it('stands for ntfy.sh when only a topic is given, or the address of the topic is pasted', async () => {
    for (const address of [
      'ntfy://My-Topic',
      'ntfys://My-Topic',
      'https://ntfy.sh/My-Topic',
      'ntfy://ntfy.sh/My-Topic',
    ]) {
      const requests: { url: string; body: string }[] = [];
      await serviceAt(address).send(MESSAGE, {
        signal: noAbort(),
        key: KEY,
        fetch: async (url, { body }) => {
          requests.push({ url, body });
          return { status: 200, headers: new Headers(), body: null };
        },
      });
      const [request] = requests;
      assert.equal(request?.url, 'https://ntfy.sh/');
      assert.equal(JSON.parse(request.body).topic, 'My-Topic');
    }
  });

  it('gets a long text cut to what fits into a message, at a whole character', async () => {
    await using server = await WebServer.listen();
    await send(`ntfy://${server.host}/t?scheme=http`, { ...MESSAGE, body: `a${'€'.repeat(3000)}` });
    const body = server.requests[0]?.body as { message: string };
    assert.match(body.message, /^a€+…$/);
    assert(Buffer.byteLength(body.message) <= 4096);
  });
});

describe('a service that speaks HTTP', () => {
  it('has failed when it answers with anything but success, and only status and label are told', async () => {
    await using server = await WebServer.listen();
    const service = serviceAt(`json://user:geheim@${server.host}/hook-geheim`);
    server.answer = { status: 500, body: 'the secret was geheim' };
    assert.equal(
      await failure(service),
      `webhook at ${server.host} answered with status 500: it has trouble of its own`,
    );
    server.answer = { status: 403 };
    assert.equal(
      await failure(service),
      `webhook at ${server.host} answered with status 403: it does not accept the user, password or token of the address`,
    );
  });

  it('is not followed to another address', async () => {
    await using server = await WebServer.listen();
    await using other = await WebServer.listen();
    for (const status of [301, 302, 307, 308]) {
      server.answer = { status, headers: { location: `http://${other.host}/` } };
      assert.match(await failure(serviceAt(`json://${server.host}/`)), /answered with status 30\d: it redirects/);
    }
    assert.deepEqual(other.requests, []);
  });

  it('is not listened to: an answer without end does no harm', async () => {
    await using server = await WebServer.listen();
    server.answer = { status: 200, body: 'x'.repeat(5_000_000) };
    await send(`json://${server.host}/`);
    assert.equal(server.requests.length, 1);
  });

  it('has failed when nobody is there', async () => {
    const gone = await WebServer.listen();
    const { host } = gone;
    await gone[Symbol.asyncDispose]();
    const message = await failure(serviceAt(`json://user:geheim@${host}/geheim`));
    assert.equal(message, `webhook at ${host} could not be reached (ECONNREFUSED)`);
  });

  it('has failed when it does not answer within 10 seconds', async (context) => {
    await using server = await WebServer.listen();
    server.answer = 'hang';
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const failed = failure(serviceAt(`json://${server.host}/geheim`));
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    context.mock.timers.tick(10_000);
    assert.equal(await failed, `webhook at ${server.host} did not answer within 10 s`);
  });

  it('is let go at once when the signal aborts, with its reason', async () => {
    await using server = await WebServer.listen();
    server.answer = 'hang';
    const stop = new AbortController();
    const sending = serviceAt(`json://${server.host}/`).send(MESSAGE, { signal: stop.signal, key: KEY });
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const reason = new Error('stopped');
    stop.abort(reason);
    await assert.rejects(sending, (error) => error === reason);
  });
});

describe('e-mail', () => {
  const login = { user: 'ada@example.org', password: 'p/w @:%' };
  const credentials = 'ada%40example.org:p%2Fw%20%40%3A%25';

  it('is sent to every recipient, as plain text and as HTML', async () => {
    await using server = await MailServer.listen({ tls: own, security: 'starttls', login });
    await send(
      `smtp://${credentials}@localhost:${server.port}/?from=keep@example.org&to=me@example.org,you@example.org`,
    );
    const [received] = server.mails;
    assert.equal(received?.from, 'keep@example.org');
    assert.deepEqual(received.to, ['me@example.org', 'you@example.org']);
    assert.equal(received.mail.from?.text, '"Chatkeep" <keep@example.org>');
    assert.equal(received.mail.subject, MESSAGE.title);
    assert.equal(received.mail.text, `${MESSAGE.body}\n\n-- \nChatkeep, 2026-11-21 19:05 UTC\n`);
    const html = String(received.mail.html);
    assert(
      html.includes('<p>An export is ready &lt;and waits&gt; &amp; needs &quot;you&quot;.<br>Renew the login.</p>'),
    );
    assert(html.includes('<p>The link dies at 2026-11-22 19:05 UTC.</p>'));
    assert.equal(received.mail.headers.get('auto-submitted'), 'auto-generated');
  });

  it('goes encrypted when the server offers STARTTLS, and from the start with smtps', async () => {
    const parameters = '?from=a@example.org&to=b@example.org';
    await using offering = await MailServer.listen({ tls: own, security: 'starttls' });
    await send(`smtp://localhost:${offering.port}/${parameters}`);
    assert.equal(offering.mails[0]?.encrypted, true);
    await using implicit = await MailServer.listen({ tls: own, security: 'implicit', login });
    await send(`smtps://${credentials}@localhost:${implicit.port}/${parameters}`);
    assert.equal(implicit.mails[0]?.encrypted, true);
    assert.equal(implicit.mails[0].user, 'ada@example.org');
  });

  it('goes in clear text to a server of this machine that offers nothing else, password and all', async () => {
    await using server = await MailServer.listen({ tls: own, security: 'none', login });
    await send(`smtp://${credentials}@127.0.0.1:${server.port}/?from=a@example.org&to=b@example.org`);
    assert.equal(server.mails[0]?.encrypted, false);
    assert.equal(server.mails[0].user, 'ada@example.org');
  });

  it('does not go, and the password is not shown, where the server of another machine offers no encryption', async () => {
    await using server = await MailServer.listen({ tls: own, security: 'none', login });
    // An address of this machine by which other machines would reach it; the name of no loopback address.
    const address = `smtp://${credentials}@0.0.0.0:${server.port}/?from=a@example.org&to=b@example.org`;
    assert.match(await failure(serviceAt(address)), /^e-mail through 0.0.0.0:\d+ cannot encrypt the connection/);
    assert.deepEqual(server.passwords, []);
    assert.deepEqual(server.mails, []);
  });

  it('does not go without encryption with mailtos, even without a password', async () => {
    await using server = await MailServer.listen({ tls: own, security: 'none' });
    const address = `mailtos://localhost:${server.port}?from=a@example.org&to=b@example.org`;
    assert.match(await failure(serviceAt(address)), /cannot encrypt the connection/);
    assert.deepEqual(server.mails, []);
  });

  it('does not go to a server with a certificate of another name', async () => {
    await using server = await MailServer.listen({ tls: foreign, security: 'starttls' });
    const address = `smtp://localhost:${server.port}?from=a@example.org&to=b@example.org`;
    assert.match(await failure(serviceAt(address)), /has a certificate that cannot be trusted$/);
    assert.deepEqual(server.mails, []);
  });

  it('with mailto goes from the user to the user, unless told', async () => {
    await using server = await MailServer.listen({ tls: own, security: 'starttls', login });
    await send(`mailto://${credentials}@localhost:${server.port}`);
    await send(`mailtos://${credentials}@localhost:${server.port}?to=you@example.org`);
    const ways = server.mails.map(({ from, to }) => [from, to]);
    assert.deepEqual(ways, [
      ['ada@example.org', ['ada@example.org']],
      ['ada@example.org', ['you@example.org']],
    ]);
  });

  it('tells why the server refused, and nothing that the server said', async () => {
    const parameters = '?from=a@example.org&to=b@example.org';
    await using strict = await MailServer.listen({ tls: own, security: 'starttls', login });
    assert.equal(
      await failure(serviceAt(`smtp://ada%40example.org:geheim@localhost:${strict.port}/${parameters}`)),
      `e-mail through localhost:${strict.port} does not accept the user and password of the address (535)`,
    );
    await using choosy = await MailServer.listen({ tls: own, security: 'starttls', refuseRecipients: true });
    assert.equal(
      await failure(serviceAt(`smtp://localhost:${choosy.port}/${parameters}`)),
      `e-mail through localhost:${choosy.port} does not accept the sender or a recipient of the address (550)`,
    );
    const { port } = strict;
    await strict[Symbol.asyncDispose]();
    assert.match(
      await failure(serviceAt(`smtp://ada%40example.org:geheim@localhost:${port}/${parameters}`)),
      /^e-mail through localhost:\d+ could not be reached \([A-Z]+\)$/,
    );
  });

  it('is let go when the signal aborts, with its reason', async () => {
    await using silent = await MailServer.listen({ tls: own, security: 'none' });
    const reason = new Error('stopped');
    const sending = serviceAt(`smtp://localhost:${silent.port}/?from=a@example.org&to=b@example.org`).send(MESSAGE, {
      signal: AbortSignal.abort(reason),
      key: KEY,
    });
    await assert.rejects(sending, (error) => error === reason);
    assert.deepEqual(silent.mails, []);
  });
});
