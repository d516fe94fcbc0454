import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { DAY_MS } from '../../src/lib/clock.ts';
import { type DovecotOptions, startDovecot } from '../support/dovecot.ts';
import { layCable } from '../support/network.ts';
import { mailboxConfig } from './fake-server.ts';
import { startScriptedServer } from './scripted-server.ts';
import { email, settingsFor, until, untilWatching, watchMailbox } from './watching.ts';

/** The usual limits, made short: what takes minutes in a mailbox's life takes seconds here. */
const SHORT = {
  connectMs: 1_500,
  greetingMs: 1_500,
  signInMs: 2_500,
  commandMs: 2_000,
  socketMs: 1_000,
  idlePauseMs: 500,
};

async function dovecot(options: DovecotOptions = {}) {
  const server = await startDovecot(options);
  return { ...server, [Symbol.asyncDispose]: server.close };
}

describe('A mail that arrives is found', () => {
  it('when the server was frozen meanwhile, with every connection open', async () => {
    await using server = await dovecot();
    await using watching = watchMailbox(settingsFor(server, { searchEveryMinutes: 60 }), SHORT);
    await untilWatching(watching);
    server.pause();
    await server.deliver(email('meanwhile'));
    await until('the loss', () => watching.watcher.state.name !== 'watching');
    server.resume();
    await until('the message', () => watching.names().includes('meanwhile'));
  });

  it('when every packet was dropped meanwhile, and nobody said goodbye', async () => {
    await using cable = await layCable();
    await using server = await dovecot({ cable });
    await using watching = watchMailbox(settingsFor(server, { searchEveryMinutes: 60 }), SHORT);
    await untilWatching(watching);
    await cable.cut();
    await server.deliver(email('meanwhile'));
    await until('the loss', () => watching.watcher.state.name !== 'watching');
    await cable.mend();
    await until('the message', () => watching.names().includes('meanwhile'));
  });

  it('when the folder was made anew, with another UIDVALIDITY and the same UIDs', async () => {
    await using server = await dovecot();
    await server.deliver(email('before'));
    await using watching = watchMailbox(settingsFor(server, { searchEveryMinutes: 60 }), SHORT);
    await until('the first message', () => watching.names().length === 1);
    await server.stop();
    await server.forgetUids();
    await server.deliver(email('meanwhile'));
    await server.start();
    await until('the second message', () => watching.names().includes('meanwhile'));
    const validities = new Set(watching.seen.taken.map(({ uidValidity }) => uidValidity));
    assert.equal(validities.size, 2);
  });

  it('among 20,000 old ones, of which none is downloaded', async () => {
    await using server = await dovecot();
    const old = Date.now() - 400 * DAY_MS;
    for (let batch = 0; batch < 200; batch += 1) {
      await Promise.all(
        Array.from({ length: 100 }, (_, index) => {
          const from = index % 2 === 0 ? 'OpenAI <noreply@tm.openai.com>' : 'Grace <grace@example.test>';
          return server.deliver(email(`old-${batch}-${index}`, { from }), { receivedAt: old });
        }),
      );
    }
    await server.deliver(email('new'));
    await using watching = watchMailbox(settingsFor(server));
    await until('the message', () => watching.names().length > 0);
    await untilWatching(watching);
    assert.deepEqual(watching.names(), ['new']);
  });

  it('beside unrelated ones that come by the dozen', async () => {
    await using server = await dovecot();
    await using watching = watchMailbox(settingsFor(server, { searchEveryMinutes: 60 }));
    await untilWatching(watching);
    for (let index = 0; index < 40; index += 1) {
      await server.deliver(email(`other-${index}`, { from: 'Grace <grace@example.test>' }));
      if (index === 20) await server.deliver(email('ours'));
      await delay(60);
    }
    await until('the message', () => watching.names().length > 0);
    assert.deepEqual(watching.names(), ['ours']);
    assert.equal(await server.logins(), 1);
  });

  it('by a server without IDLE, CONDSTORE and SPECIAL-USE', async () => {
    await using server = await dovecot({ without: ['IDLE', 'CONDSTORE', 'SPECIAL-USE', 'ESEARCH', 'LIST-EXTENDED'] });
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
