import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startCyrus } from '../support/cyrus.ts';
import { email, settingsFor, until, untilWatching, watchMailbox } from './watching.ts';

describe('A mailbox on a real Cyrus', () => {
  it('gives what lies there at the start, what arrives while it waits, and what arrived while the server was away', async () => {
    await using server = await startCyrus();
    await server.deliver(email('other', { from: 'Grace <grace@example.test>' }));
    await server.deliver(email('start'));
    const { folders: _folders, ...unset } = settingsFor(server, { security: 'none', searchEveryMinutes: 60 });
    await using watching = watchMailbox(unset, { connectMs: 2_000, greetingMs: 2_000, signInMs: 4_000 });
    await untilWatching(watching);
    assert.deepEqual(watching.names(), ['start']);

    await server.deliver(email('later'));
    await until('the announced message', () => watching.names().includes('later'));

    await server.stop();
    await until('the loss', () => watching.watcher.state.name !== 'watching');
    await server.start();
    await server.deliver(email('meanwhile'));
    await until('the message after the restart', () => watching.names().includes('meanwhile'));
    assert.deepEqual(watching.names(), ['start', 'later', 'meanwhile']);
  });
});
