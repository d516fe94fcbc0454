import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { MailboxSignIn } from '../../src/config/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Secret } from '../../src/lib/secret.ts';
import { imapConnector, type MailboxWatcher, type RawMessage } from '../../src/mailbox/index.ts';
import { type Dovecot, type DovecotOptions, startDovecot } from '../support/dovecot.ts';
import type { MailboxPlace } from './fake-server.ts';
import { email, settingsFor, until, type Watching, watchMailbox } from './watching.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function dovecot(options: DovecotOptions = {}): Promise<Dovecot> {
  const server = await startDovecot(options);
  cleanups.push(() => server.close());
  return server;
}

function watch(server: Dovecot, overrides: Partial<MailboxPlace> = {}, signIn?: MailboxSignIn): Watching {
  const watching = watchMailbox(settingsFor(server, overrides, signIn));
  cleanups.push(watching.stop);
  return watching;
}

function ids(messages: readonly RawMessage[]): (string | undefined)[] {
  return messages.map(({ messageId }) => messageId);
}

const isWatching = ({ watcher }: { watcher: MailboxWatcher }) => watcher.state.name === 'watching';

describe('A mailbox on a real Dovecot', () => {
  it('gives what lies there at the start, whole, with its time of receipt', async () => {
    const server = await dovecot();
    const receivedAt = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
    await server.deliver(email('one'), { receivedAt });
    const { seen } = watch(server);
    await until('the message', () => seen.taken.length === 1);
    const [message] = seen.taken;
    assert.equal(message?.source?.toString(), email('one'));
    assert.equal(message?.messageId, '<one@test>');
    assert.match(message?.uidValidity ?? '', /^\d+$/);
    assert.equal(message?.receivedAt, receivedAt);
  });

  it('gives only messages of senders that hold "openai"', async () => {
    const server = await dovecot();
    await server.deliver(email('other', { from: 'Grace <grace@example.test>' }));
    await server.deliver(email('ours'));
    const { seen } = watch(server);
    await until('the message', () => seen.taken.length > 0);
    assert.deepEqual(ids(seen.taken), ['<ours@test>']);
  });

  it('leaves messages out that are older than it looks back', async () => {
    const server = await dovecot();
    await server.deliver(email('old'), { receivedAt: Date.now() - 10 * 86_400_000 });
    await server.deliver(email('new'));
    const { seen } = watch(server, { lookBackDays: 7 });
    await until('the message', () => seen.taken.length > 0);
    assert.deepEqual(ids(seen.taken), ['<new@test>']);
  });

  it('tells of a wrong password at once, without asking twice', async () => {
    const server = await dovecot();
    const { watcher, states } = watch(server, {}, { password: new Secret('wrong-password') });
    await until('the refusal', () => watcher.state.name === 'waiting');
    const state = watcher.state;
    assert.equal(state.name === 'waiting' && state.trouble.kind, 'sign-in-refused');
    assert.ok(state.name === 'waiting' && state.until - Date.now() > 14 * 60_000);
    assert.doesNotMatch(JSON.stringify(states), /wrong-password/);
  });

  it('works over STARTTLS', async () => {
    const server = await dovecot({ tls: 'starttls' });
    await server.deliver(email('one'));
    const { seen } = watch(server, { security: 'starttls' });
    await until('the message', () => seen.taken.length === 1);
    assert.match(await server.log(), /Login: .*TLS/);
  });

  it('never sends the password where STARTTLS is required and not offered', async () => {
    const server = await dovecot({ tls: 'none' });
    const { watcher } = watch(server, { security: 'starttls' });
    await until('the trouble', () => watcher.state.name === 'waiting');
    const state = watcher.state;
    assert.match(state.name === 'waiting' ? state.trouble.detail : '', /STARTTLS/);
    assert.equal(await server.logins(), 0);
  });

  it('works without TLS on the loopback address', async () => {
    const server = await dovecot({ tls: 'none' });
    await server.deliver(email('one'));
    const { seen } = watch(server, { security: 'none' });
    await until('the message', () => seen.taken.length === 1);
  });

  it('refuses a server whose certificate nobody vouches for', async () => {
    const server = await dovecot();
    const { watcher } = watch(server, { caFile: undefined });
    await until('the trouble', () => watcher.state.name === 'waiting');
    const state = watcher.state;
    assert.equal(state.name === 'waiting' && state.trouble.kind, 'unreachable');
    assert.equal(await server.logins(), 0);
  });

  it('changes nothing in the mailbox', async () => {
    const server = await dovecot();
    await server.deliver(email('one'));
    const watching = watch(server);
    await until('the message', () => watching.seen.taken.length === 1);
    await watching.stop();
    assert.deepEqual(
      (await server.messages()).map(({ touched, flags }) => ({ touched, flags })),
      [{ touched: false, flags: '' }],
    );
  });

  it('hands a message of 6 MB on without its source', async () => {
    const server = await dovecot();
    await server.deliver(email('large', { bytes: 6_000_000 }));
    const { seen } = watch(server);
    await until('the message', () => seen.taken.length === 1);
    assert.equal(seen.taken[0]?.source, undefined);
    assert.equal(seen.taken[0]?.messageId, '<large@test>');
    assert.ok((seen.taken[0]?.bytes ?? 0) > 6_000_000);
  });

  it('downloads a message of almost 5 MB', async () => {
    const server = await dovecot();
    await server.deliver(email('large', { bytes: 4_900_000 }));
    const { seen } = watch(server);
    await until('the message', () => seen.taken.length === 1);
    assert.equal(seen.taken[0]?.source?.length, seen.taken[0]?.bytes);
  });

  it('watches a second folder beside the first', async () => {
    const server = await dovecot();
    await server.deliver(email('spam'), { folder: 'Junk/OpenAI' });
    await server.deliver(email('inbox'));
    const { seen } = watch(server, { folders: ['INBOX', 'Junk/OpenAI'] });
    await until('both messages', () => seen.taken.length === 2);
    assert.deepEqual(
      seen.taken.map(({ folder, messageId }) => [folder, messageId]),
      [
        ['Junk/OpenAI', '<spam@test>'],
        ['INBOX', '<inbox@test>'],
      ],
    );
  });

  it('is searched for spam, and for all that was archived, where the server tells of such folders', async () => {
    const server = await dovecot({
      folders: { Unwanted: '\\Junk', 'All Mail': '\\All', Trash: '\\Trash', Private: undefined },
    });
    const { folders: _folders, ...unset } = settingsFor(server);
    for (const folder of ['Unwanted', 'All Mail', 'Trash', 'Private', 'INBOX']) {
      await server.deliver(email(folder.replace(' ', '-').toLowerCase()), { folder });
    }
    const watching = watchMailbox(unset);
    cleanups.push(watching.stop);
    await until('the first search', () => isWatching(watching));
    assert.deepEqual(watching.names(), ['all-mail', 'unwanted', 'inbox']);
  });

  it('is searched for spam by the folder’s name where the server tells nothing', async () => {
    const server = await dovecot({ folders: { Spam: undefined, Trash: undefined }, without: ['SPECIAL-USE'] });
    await server.deliver(email('spam'), { folder: 'Spam' });
    await server.deliver(email('trash'), { folder: 'Trash' });
    const { folders: _folders, ...unset } = settingsFor(server);
    const watching = watchMailbox(unset);
    cleanups.push(watching.stop);
    await until('the first search', () => isWatching(watching));
    assert.deepEqual(watching.names(), ['spam']);
  });

  it('says which folder is missing', async () => {
    const server = await dovecot();
    const { watcher } = watch(server, { folders: ['Nowhere'] });
    await until('the trouble', () => watcher.state.name === 'waiting');
    const state = watcher.state;
    assert.equal(state.name === 'waiting' && state.trouble.kind, 'folder-missing');
    assert.match(state.name === 'waiting' ? state.trouble.detail : '', /Nowhere/);
  });

  it('lets go of a server that has frozen', async () => {
    const server = await dovecot();
    const watching = watch(server);
    await until('the first search', () => isWatching(watching));
    server.pause();
    await watching.stop();
    assert.deepEqual(watching.watcher.state, { name: 'stopped' });
    server.resume();
  });
});

describe('A connection', () => {
  async function connected(server: Dovecot, overrides: Partial<MailboxPlace> = {}) {
    const abort = new AbortController();
    const connection = await imapConnector(settingsFor(server, overrides))({
      clock: systemClock,
      signal: abort.signal,
    });
    cleanups.push(() => connection.close());
    return { connection, abort };
  }

  it('tells a message that is gone from one that is there', async () => {
    const server = await dovecot();
    await server.deliver(email('one'));
    const { connection } = await connected(server);
    await connection.openReadOnly('INBOX');
    assert.equal(await connection.fetchMeta(999), undefined);
    assert.equal(await connection.fetchSource(999), undefined);
    assert.equal((await connection.fetchMeta(1))?.messageId, '<one@test>');
  });

  it('answers when nothing changed for as long as it was told to wait', async () => {
    const server = await dovecot();
    const { connection } = await connected(server);
    await connection.openReadOnly('INBOX');
    assert.equal(await connection.waitForChange(new AbortController().signal, 50), false);
  });

  it('remembers a message that was announced between a search and the waiting', async () => {
    const server = await dovecot();
    const { connection } = await connected(server);
    const { signal } = new AbortController();
    await connection.openReadOnly('INBOX');
    await connection.search({ from: ['openai'], since: 0 });
    await server.deliver(email('one'));
    await connection.fetchMeta(1);
    assert.equal(await connection.waitForChange(signal, 10_000), true);
    assert.deepEqual(await connection.search({ from: ['openai'], since: 0 }), [1]);
    assert.equal(await connection.waitForChange(signal, 50), false);
  });

  it('is used no more once its signal has aborted', async () => {
    const server = await dovecot();
    const { connection, abort } = await connected(server);
    abort.abort(new Error('stop'));
    await assert.rejects(connection.openReadOnly('INBOX'), /stop/);
  });

  it('is not made in clear text to anything but a loopback address', async () => {
    const server = await dovecot({ tls: 'none' });
    await assert.rejects(connected(server, { security: 'none', host: '192.0.2.1' }), /loopback addresses only/);
  });
});
