import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AfterCommitConfig } from '../../src/config/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { imapEditorConnector, MailboxError, markMessage } from '../../src/mailbox/index.ts';
import { type DovecotOptions, startDovecot } from '../support/dovecot.ts';
import { email, settingsFor } from './watching.ts';

async function scene(options: DovecotOptions = {}) {
  const server = await startDovecot(options);
  const config = settingsFor(server);
  return {
    server,
    mark: (messageId: string, actions: AfterCommitConfig, folders?: readonly string[]) =>
      markMessage(messageId, {
        connect: imapEditorConnector(config),
        folders,
        actions,
        clock: systemClock,
        signal: new AbortController().signal,
      }),
    flags: async (folder?: string) => (await server.messages(folder)).map(({ flags }) => flags).toSorted(),
    [Symbol.asyncDispose]: server.close,
  };
}

describe('An email whose export is a snapshot', () => {
  it('is marked as read and flagged, and no other is touched', async () => {
    await using world = await scene();
    for (const name of ['one', 'two', 'not-one']) await world.server.deliver(email(name));
    assert.equal(await world.mark('<one@test>', { seen: true, flag: '$Chatkeep' }), true);
    assert.deepEqual(await world.flags(), ['', '', 'Sa']);
  });

  it('is moved to a folder', async () => {
    await using world = await scene({ folders: { Backups: undefined } });
    await world.server.deliver(email('one'));
    await world.server.deliver(email('two'));
    await world.mark('<one@test>', { seen: true, moveTo: 'Backups' });
    assert.deepEqual(await world.flags(), ['']);
    assert.deepEqual(await world.flags('Backups'), ['S']);
  });

  it('is moved by a server that knows no MOVE, too', async () => {
    await using world = await scene({ folders: { Backups: undefined }, without: ['MOVE'] });
    await world.server.deliver(email('one'));
    await world.mark('<one@test>', { moveTo: 'Backups' });
    assert.deepEqual(await world.flags(), []);
    assert.equal((await world.flags('Backups')).length, 1);
  });

  it('is found in the spam folder', async () => {
    await using world = await scene({ folders: { Unwanted: '\\Junk' } });
    await world.server.deliver(email('one'), { folder: 'Unwanted' });
    assert.equal(await world.mark('<one@test>', { seen: true }), true);
    assert.deepEqual(await world.flags('Unwanted'), ['S']);
  });

  it('may be gone, which is no fault', async () => {
    await using world = await scene();
    await world.server.deliver(email('one'));
    assert.equal(await world.mark('<two@test>', { seen: true }, ['Nowhere', 'INBOX']), false);
    assert.deepEqual(await world.flags(), ['']);
  });

  it('stays where it is when the folder to move it to is missing, and that is told', async () => {
    await using world = await scene();
    await world.server.deliver(email('one'));
    await assert.rejects(world.mark('<one@test>', { moveTo: 'Nowhere' }), (error) => {
      assert.ok(error instanceof MailboxError);
      assert.equal(error.trouble.kind, 'folder-missing');
      return true;
    });
    assert.equal((await world.flags()).length, 1);
  });
});
