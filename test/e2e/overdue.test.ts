import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chatkeep } from '../support/service.ts';
import { startWorld } from '../support/world.ts';

/** About one and two seconds. */
const SECONDS_IN_DAYS = '0.00001, 0.00002';

describe('an export that was asked for', () => {
  it('is shown as awaited, and told of, after a restart too, when nothing has come in time', async () => {
    await using world = await startWorld();
    await world.dovecot.deliver(await world.openai.mail({ kind: 'started' }));
    {
      await using service = world.service();
      await service.printed('an export has been asked for');
      const { stdout } = await chatkeep(['status'], world.settings);
      assert.match(
        stdout,
        /^1 export was asked for, .*\n- asked for at .* UTC, mailbox .*; you are told if nothing has/m,
      );
      const [awaited] = JSON.parse((await chatkeep(['status', '--json'], world.settings)).stdout).awaited;
      assert.deepEqual([awaited.mailbox, awaited.provider], [world.dovecot.user, 'openai']);
      assert.equal(awaited.remindAt - awaited.askedAt, 3 * 86_400_000);
      await service.stop();
    }
    await using service = world.service({
      CHATKEEP_NOTICES_STARTED_REMINDER_DAYS: SECONDS_IN_DAYS,
      CHATKEEP_IMAP_SEARCH_EVERY_MINUTES: '0.01',
    });
    const message = await world.webhook.next('overdue');
    await service.stop();
    assert.deepEqual([message.data.mailbox, message.data.requests], [world.dovecot.user, 1]);
    assert.deepEqual(JSON.parse((await chatkeep(['status', '--json'], world.settings)).stdout).awaited, []);
  });
});
