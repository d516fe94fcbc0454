import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import { type ImapLimits, imapConnector, MailboxError, type MailboxTrouble } from '../../src/mailbox/index.ts';
import { type MailboxPlace, mailboxConfig } from './fake-server.ts';
import { type Script, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(script: Script, greeting?: string): Promise<ScriptedServer> {
  const server = await startScriptedServer(script, greeting);
  cleanups.push(() => server.close());
  return server;
}

async function connect(
  server: ScriptedServer,
  overrides: Partial<MailboxPlace> = {},
  limits: Partial<ImapLimits> = {},
) {
  const config = mailboxConfig({ host: '127.0.0.1', port: server.port, security: 'none', ...overrides });
  const connection = await imapConnector(config, { limits })({
    clock: systemClock,
    signal: new AbortController().signal,
  });
  cleanups.push(() => connection.close());
  return connection;
}

async function opened(script: Script, limits?: Partial<ImapLimits>) {
  const server = await serve(script);
  const connection = await connect(server, {}, limits);
  await connection.openReadOnly('INBOX');
  return { server, connection };
}

async function troubleOf(work: Promise<unknown>): Promise<MailboxTrouble['kind']> {
  try {
    await work;
  } catch (error) {
    if (error instanceof MailboxError) return error.trouble.kind;
    throw error;
  }
  throw new Error('Nothing went wrong.');
}

/** The commands as they were sent, without their tags. */
function commands(server: ScriptedServer): string[] {
  return server.lines.map((line) => line.replace(/^\S+ /, ''));
}

describe('A sign-in', () => {
  it('is refused by a server that says so', async () => {
    for (const answer of ['NO [AUTHENTICATIONFAILED] Invalid credentials', 'NO Login failed.']) {
      const server = await serve((command, tag) => (command.startsWith('LOGIN') ? `${tag} ${answer}` : undefined));
      assert.equal(await troubleOf(connect(server)), 'sign-in-refused', answer);
    }
  });

  it('is not taken for refused by a server that is busy, or drops the line', async () => {
    const answers = [
      'NO [UNAVAILABLE] Temporary authentication failure.',
      'NO [LIMIT] Sessions',
      'NO Too many simultaneous connections. (Failure)',
      'BAD User is authenticated but not connected.',
    ];
    for (const answer of answers) {
      const server = await serve((command, tag) => (command.startsWith('LOGIN') ? `${tag} ${answer}` : undefined));
      assert.equal(await troubleOf(connect(server)), 'unreachable', answer);
    }
    const dropping = await serve((command, _tag, socket) => {
      if (command.startsWith('LOGIN')) socket.destroy();
      return undefined;
    });
    assert.equal(await troubleOf(connect(dropping)), 'unreachable');
  });

  it('does not happen in the clear when a server greets with PREAUTH, or offers no STARTTLS', async () => {
    for (const greeting of ['* PREAUTH welcome', '* OK ready']) {
      const server = await serve(() => undefined, greeting);
      await assert.rejects(connect(server, { security: 'starttls' }), MailboxError);
      assert.doesNotMatch(server.lines.join('\n'), /LOGIN|battery/);
    }
  });

  it('is not tried at a server that says goodbye', async () => {
    const server = await serve(() => undefined, '* BYE too busy');
    assert.equal(await troubleOf(connect(server)), 'unreachable');
  });

  it('leaves the password out of the error', async () => {
    const server = await serve((command, tag) => (command.startsWith('LOGIN') ? `${tag} NO wrong` : undefined));
    const error = await connect(server).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof MailboxError);
    assert.doesNotMatch(JSON.stringify(error.trouble) + error.message, /battery/);
  });
});

describe('A connection to a server that does not keep to the rules', () => {
  it('takes a refused search for a failure and not for an empty answer', async () => {
    const { connection } = await opened((command, tag) =>
      command.startsWith('UID SEARCH') ? `${tag} NO [SERVERBUG] oops` : undefined,
    );
    assert.equal(await troubleOf(connection.search({ from: ['openai'], since: 0 })), 'protocol');
  });

  it('picks the message it asked for among others', async () => {
    const { connection } = await opened((command, tag) =>
      command.startsWith('UID FETCH')
        ? [
            '* 1 FETCH (UID 1 FLAGS (\\Seen))',
            '* 1 FETCH (UID 1 RFC822.SIZE 11 BODY[] {5}\r\nother)',
            '* 2 FETCH (UID 2 FLAGS (\\Seen))',
            '* 2 FETCH (UID 2 RFC822.SIZE 4 BODY[] {4}\r\nours)',
            `${tag} OK done`,
          ].join('\r\n')
        : undefined,
    );
    assert.equal((await connection.fetchMeta(2))?.bytes, 4);
    assert.equal((await connection.fetchSource(2))?.toString(), 'ours');
  });

  it('refuses a message that turns out far larger than announced', async () => {
    const { connection } = await opened((command) =>
      command.startsWith('UID FETCH') ? '* 2 FETCH (UID 2 BODY[] {900000000}' : undefined,
    );
    assert.equal(await troubleOf(connection.fetchSource(2)), 'protocol');
  });

  it('says that a folder is missing, or cannot be opened just now', async () => {
    const answers = { 'NO [NONEXISTENT] Unknown Mailbox': 'folder-missing', 'NO [INUSE] busy': 'unreachable' };
    for (const [answer, kind] of Object.entries(answers)) {
      const server = await serve((command, tag) => (command.startsWith('EXAMINE') ? `${tag} ${answer}` : undefined));
      const connection = await connect(server);
      assert.equal(await troubleOf(connection.openReadOnly('INBOX')), kind);
    }
  });

  it('fails every command once the line has dropped', async () => {
    const { connection } = await opened((command, _tag, socket) => {
      if (command.startsWith('UID SEARCH')) socket.destroy();
      return undefined;
    });
    assert.equal(await troubleOf(connection.search({ from: ['openai'], since: 0 })), 'unreachable');
    assert.equal(await troubleOf(connection.fetchMeta(1)), 'unreachable');
    assert.equal(await troubleOf(connection.waitForChange(new AbortController().signal, 60_000)), 'unreachable');
  });

  it('wakes from waiting when the line drops', async () => {
    const { connection } = await opened((command, _tag, socket) => {
      if (command === 'IDLE') setTimeout(() => socket.destroy(), 50);
      return undefined;
    });
    assert.equal(await troubleOf(connection.waitForChange(new AbortController().signal, 60_000)), 'unreachable');
  });

  it('is given up soon when the server falls silent just as it is to wait', async () => {
    const silent = /^(?:IDLE|NOOP)/;
    const limits = { idlePauseMs: 100, commandMs: 100 };
    const { connection } = await opened((command) => (silent.test(command) ? null : undefined), limits);
    assert.equal(await troubleOf(connection.waitForChange(new AbortController().signal, 60_000)), 'unreachable');
  });

  it('still waits, and asks at the end, where IDLE is refused', async () => {
    const { server, connection } = await opened((command, tag) => (command === 'IDLE' ? `${tag} BAD no` : undefined));
    assert.equal(await connection.waitForChange(new AbortController().signal, 300), false);
    assert.deepEqual(
      commands(server).filter((command) => command === 'IDLE' || command === 'NOOP'),
      ['IDLE', 'NOOP'],
    );
  });

  it('does not wait for a goodbye that never comes', async () => {
    const { connection } = await opened((command) => (command === 'LOGOUT' ? null : undefined));
    await connection.close();
  });
});

describe('The commands of a connection', () => {
  it('change nothing: folders are examined, and messages fetched with PEEK', async () => {
    const { server, connection } = await opened(() => undefined);
    await connection.search({ from: ['openai'], since: Date.UTC(2026, 10, 13, 19) });
    await connection.fetchMeta(2);
    await connection.fetchSource(2);
    const sent = commands(server);
    assert.ok(sent.includes('EXAMINE INBOX'), sent.join('\n'));
    assert.ok(sent.includes('UID SEARCH FROM openai SINCE 13-Nov-2026'), sent.join('\n'));
    assert.ok(sent.some((command) => /^UID FETCH 2 .*BODY\.PEEK\[\]/.test(command)));
    assert.doesNotMatch(sent.join('\n'), /SELECT|STORE|EXPUNGE|BODY\[|RFC822(?!\.SIZE)/);
  });

  it('search for the marks of all senders at once', async () => {
    const { server, connection } = await opened(() => undefined);
    await connection.search({ from: ['openai', 'acme', 'third'], since: Date.UTC(2026, 10, 13, 19) });
    const sent = commands(server);
    const expected = 'UID SEARCH OR OR FROM openai FROM acme FROM third SINCE 13-Nov-2026';
    assert.ok(sent.includes(expected), sent.join('\n'));
  });
});
