import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startDovecot } from '../support/dovecot.ts';
import { mailboxConfig } from './fake-server.ts';
import { aMailIsFound } from './life-contract.ts';
import { startScriptedServer } from './scripted-server.ts';
import { email, settingsFor, until, untilWatching, watchMailbox } from './watching.ts';

aMailIsFound({
  name: 'Dovecot',
  start: startDovecot,
  startInClear: () => startDovecot({ tls: 'none' }),
});

describe('A mail that arrives is found', () => {
  it('by a server without IDLE, CONDSTORE and SPECIAL-USE', async () => {
    await using server = await startDovecot({
      without: ['IDLE', 'CONDSTORE', 'SPECIAL-USE', 'ESEARCH', 'LIST-EXTENDED'],
    });
    const { folders: _folders, ...unset } = settingsFor(server, { searchEveryMinutes: 60 });
    await using watching = watchMailbox(unset, { idlePauseMs: 300 });
    await untilWatching(watching);
    await server.deliver(email('later'));
    // NOOP, asked instead, tells of it.
    await until('the message', () => watching.names().includes('later'));
  });

  it('by a server that never announces anything', async () => {
    let uids = '';
    await using server = await scripted((command, tag) =>
      command.startsWith('UID SEARCH') ? `* SEARCH${uids}\r\n${tag} OK done` : fetched(command, tag),
    );
    const config = mailboxConfig({ ...server.place, searchEveryMinutes: 0.02 });
    await using watching = watchMailbox(config, { idlePauseMs: 200 });
    await untilWatching(watching);
    uids = ' 1';
    await until('the message', () => watching.seen.uids.length === 1);
  });

  it('by a server that ends every IDLE at once, and is not kept busy by it', async () => {
    let uids = '';
    await using server = await scripted((command, tag) => {
      if (command === 'IDLE') return `+ idling\r\n${tag} OK Too long.`;
      return command.startsWith('UID SEARCH') ? `* SEARCH${uids}\r\n${tag} OK done` : fetched(command, tag);
    });
    const config = mailboxConfig({ ...server.place, searchEveryMinutes: 0.02 });
    await using watching = watchMailbox(config, { idlePauseMs: 300 });
    await untilWatching(watching);
    uids = ' 1';
    await until('the message', () => watching.seen.uids.length === 1);
    const idles = server.lines.filter((line) => line.endsWith(' IDLE')).length;
    assert.ok(idles <= 12, `${idles} times IDLE`);
  });
});

/** One message, UID 1, as a server tells of it. */
function fetched(command: string, tag: string): string | undefined {
  if (!command.startsWith('UID FETCH')) return undefined;
  return `* 1 FETCH (UID 1 RFC822.SIZE 4 BODY[] {4}\r\nmail)\r\n${tag} OK done`;
}

async function scripted(script: Parameters<typeof startScriptedServer>[0]) {
  const server = await startScriptedServer(script);
  return {
    lines: server.lines,
    place: { host: '127.0.0.1', port: server.port, security: 'none' } as const,
    [Symbol.asyncDispose]: () => server.close(),
  };
}
