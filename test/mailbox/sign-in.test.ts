import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { systemClock } from '../../src/lib/clock.ts';
import { imapConnector, MailboxError } from '../../src/mailbox/index.ts';
import { passwordFromCommand } from '../../src/mailbox/password-command.ts';
import { type DovecotOptions, startDovecot } from '../support/dovecot.ts';
import { createAuthority } from '../support/openai/certificates.ts';
import { mailboxConfig } from './fake-server.ts';
import { oauthScene } from './oauth/scene.ts';
import { email, settingsFor, troubleOf, until, untilWatching, watchMailbox } from './watching.ts';

const { signal } = new AbortController();

async function dovecot(options: DovecotOptions = {}) {
  const server = await startDovecot(options);
  return { ...server, [Symbol.asyncDispose]: server.close };
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof MailboxError) return error.message;
    throw error;
  }
  throw new Error('Nothing went wrong.');
}

describe('A password command', () => {
  const node = (script: string) => [process.execPath, '-e', script];

  it('gives the first line that it prints', async () => {
    const command = node("console.log('pass word\\r\\nuser: ada')");
    assert.equal((await passwordFromCommand(command, { signal })).reveal(), 'pass word');
  });

  it('is run without a shell', async () => {
    const command = [process.execPath, '-e', 'console.log(process.argv[1])', '$HOME; `id`'];
    assert.equal((await passwordFromCommand(command, { signal })).reveal(), '$HOME; `id`');
  });

  it('gets nothing to read', async () => {
    const command = node("process.stdin.on('data', () => {}).on('end', () => console.log('closed'))");
    assert.equal((await passwordFromCommand(command, { signal })).reveal(), 'closed');
  });

  it('that fails is told of, and nothing that it said', async () => {
    const faults: [string[], RegExp][] = [
      [node("console.log('geheim'); console.error('geheim'); process.exit(3)"), /ended with exit code 3\.$/],
      [node(''), /printed no password in its first line\.$/],
      [node("console.log('\\ngeheim')"), /printed no password in its first line\.$/],
      [node("console.log('geheim'.repeat(100_000))"), /printed far more than it was asked for\.$/],
      [['/nowhere/geheim'], /names a program that is not there/],
      [['/etc/passwd'], /names a program that may not be run/],
    ];
    for (const [command, fault] of faults) {
      const said = await faultOf(passwordFromCommand(command, { signal }));
      assert.match(said, fault);
      assert.doesNotMatch(said, /geheim/);
    }
  });

  it('that hangs is killed', async () => {
    const command = node('setInterval(() => {}, 1000)');
    const said = await faultOf(passwordFromCommand(command, { signal, timeoutMs: 300 }));
    assert.equal(said, 'The password_command took longer than 0.3 s.');
  });

  it('lets Chatkeep in to a real Dovecot', async () => {
    await using server = await dovecot();
    await server.deliver(email('one'));
    const command = node(`console.log(${JSON.stringify(server.password)})`);
    await using watching = watchMailbox(settingsFor(server, {}, { passwordCommand: command }));
    await until('the message', () => watching.seen.taken.length === 1);
  });
});

describe('Consent instead of a password', () => {
  it('lets Chatkeep in to a real Dovecot by XOAUTH2', async () => {
    await using scene = await oauthScene();
    await scene.giveConsent();
    await using server = await dovecot({ tokenInfo: scene.authority.tokenInfo });
    await server.deliver(email('one'));
    await using watching = watchMailbox(settingsFor(server, {}, { oauth2: scene.oauth2 }));
    await until('the message', () => watching.seen.taken.length === 1);
    assert.match(await server.log(), /Login: user=<ada@example.test>, method=XOAUTH2/);
  });

  it('gets a fresh token at once when the server has refused one that was used before', async () => {
    await using scene = await oauthScene();
    await scene.giveConsent();
    await using server = await dovecot({ tokenInfo: scene.authority.tokenInfo });
    const config = settingsFor(server, {}, { oauth2: scene.oauth2 });
    const connect = imapConnector(config);
    await (await connect({ clock: systemClock, signal })).close();
    scene.authority.voidAccessTokens();
    await (await connect({ clock: systemClock, signal })).close();
    assert.equal(scene.authority.requests.length, 2);
  });

  it('that was withdrawn is told at once, and tried again as soon as it is given anew', async () => {
    await using scene = await oauthScene();
    await scene.giveConsent();
    scene.authority.withdrawConsent();
    await using server = await dovecot({ tokenInfo: scene.authority.tokenInfo });
    await server.deliver(email('one'));
    await using watching = watchMailbox(settingsFor(server, {}, { oauth2: scene.oauth2 }));
    await until('the trouble', () => watching.watcher.state.name === 'waiting');
    const { kind, detail } = troubleOf(watching);
    assert.equal(kind, 'sign-in-refused');
    assert.match(detail, /withdrawn the consent.*`chatkeep login mail ada`/);
    assert.equal(await server.logins(), 0);
    await scene.giveConsent();
    await until('the message', () => watching.seen.taken.length === 1);
  });

  it('of somebody else is told as a refused sign-in, and no token is in the sentence', async () => {
    await using scene = await oauthScene({ user: 'grace@example.test' });
    await scene.giveConsent();
    await using server = await dovecot({ tokenInfo: scene.authority.tokenInfo });
    await using watching = watchMailbox(settingsFor(server, {}, { oauth2: scene.oauth2 }));
    await until('the trouble', () => watching.watcher.state.name === 'waiting');
    assert.equal(troubleOf(watching).kind, 'sign-in-refused');
    assert.doesNotMatch(JSON.stringify(watching.states), /access-|refresh-/);
  });

  it('waits with the sign-in while the authority is away', async () => {
    await using scene = await oauthScene();
    await scene.giveConsent();
    await using server = await dovecot({ tokenInfo: scene.authority.tokenInfo });
    scene.authority.failNext(1, 500);
    await using watching = watchMailbox(settingsFor(server, {}, { oauth2: scene.oauth2 }));
    await untilWatching(watching);
    const troubles = watching.states.flatMap((state) => (state.name === 'waiting' ? [state.trouble.kind] : []));
    assert.deepEqual(troubles, ['unreachable']);
  });
});

/** A server that greets over TLS as soon as it can, and keeps what it is told there. */
async function startListener(tls: 'implicit' | 'starttls') {
  const authority = await createAuthority();
  const { certPem: cert, keyPem: key } = await authority.issue({ hosts: ['127.0.0.1'] });
  let heard = '';
  const sockets = new Set<Socket>();
  const listen = (socket: Socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      heard += String(data);
    });
    socket.write('* OK ready\r\n');
  };
  const server =
    tls === 'implicit'
      ? createTlsServer({ cert, key }, listen)
      : createServer((socket) => {
          socket.on('error', () => undefined);
          socket.write('* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n');
          socket.on('data', (data) => {
            const [tag, command] = String(data).trim().split(' ');
            if (command === 'CAPABILITY') socket.write(`* CAPABILITY IMAP4rev1 STARTTLS\r\n${tag} OK done\r\n`);
            if (command !== 'STARTTLS') return;
            socket.removeAllListeners('data');
            socket.write(`${tag} OK begin\r\n`);
            listen(new TLSSocket(socket, { isServer: true, cert, key }));
          });
        });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    heard: () => heard,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('A certificate that is pinned', () => {
  const ways = [
    { tls: 'implicit', security: 'tls' },
    { tls: 'starttls', security: 'starttls' },
  ] as const;
  const wrong = 'ab'.repeat(32);

  for (const { tls, security } of ways) {
    it(`is taken with ${security} although nobody vouches for it`, async () => {
      await using server = await dovecot({ tls });
      await server.deliver(email('one'));
      const { caFile: _caFile, ...withoutAuthority } = server;
      const pins = [server.fingerprint, server.fingerprint.replaceAll(':', '').toLowerCase()];
      for (const fingerprintSha256 of pins) {
        await using watching = watchMailbox(settingsFor(withoutAuthority, { security, fingerprintSha256 }));
        await until('the message', () => watching.seen.taken.length === 1);
      }
      assert.match(await server.log(), /Login: .*TLS/);
    });

    it(`is the only one that is taken with ${security}`, async () => {
      await using server = await dovecot({ tls });
      await using watching = watchMailbox(settingsFor(server, { security, fingerprintSha256: wrong }));
      await until('the trouble', () => watching.watcher.state.name === 'waiting');
      const { kind, detail } = troubleOf(watching);
      assert.equal(kind, 'unreachable');
      assert.match(detail, /not the one of fingerprint_sha256\. It has the fingerprint [0-9a-f]{64};/);
      await watching.stop();
      assert.equal(await server.logins(), 0);
    });

    it(`is checked with ${security} before anything is sent`, async () => {
      await using server = await startListener(tls);
      const { port } = server;
      const config = mailboxConfig({ host: '127.0.0.1', port, security, fingerprintSha256: wrong });
      await using watching = watchMailbox(config);
      await until('the trouble', () => watching.watcher.state.name === 'waiting');
      assert.match(troubleOf(watching).detail, /not the one of fingerprint_sha256/);
      assert.equal(server.heard(), '');
    });
  }

  it('does not help where the server offers no STARTTLS', async () => {
    await using server = await dovecot({ tls: 'none' });
    const config = settingsFor(server, { security: 'starttls', fingerprintSha256: wrong });
    await using watching = watchMailbox(config);
    await until('the trouble', () => watching.watcher.state.name === 'waiting');
    assert.match(troubleOf(watching).detail, /STARTTLS/);
  });
});
