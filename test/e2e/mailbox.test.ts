import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import { startWorld } from '../support/world.ts';

describe('the mailbox of a running service', () => {
  it('has the email marked once its export is a snapshot, if that is wished', async () => {
    await using world = await startWorld();
    const config = join(world.base, 'chatkeep.yaml');
    await writeFile(config, 'mailboxes: [{ after_commit: { seen: true, flag: $Chatkeep } }]\n', { mode: 0o600 });
    await using service = world.service({ CHATKEEP_CONFIG: config });
    await service.printed('watching');
    const account = createAccount({ seed: 'after-commit', email: 'ada@example.test', conversations: 3 });
    const { published } = await world.openai.publishExport(account, { directory: world.exports, form: 'estuary' });
    await world.dovecot.deliver(await world.openai.readyMail(published));
    await world.webhook.next('snapshot-committed');
    await eventually(async () => (await world.dovecot.messages()).every(({ flags }) => flags === 'Sa'));
    await service.stop();
  });

  it('is told of at once when it refuses the sign-in', async () => {
    await using world = await startWorld();
    const wrong = join(world.base, 'wrong-password');
    await writeFile(wrong, 'k7Gq2ZpW', { mode: 0o600 });
    await using service = world.service({ CHATKEEP_IMAP_PASSWORD_FILE: wrong });
    const message = await world.webhook.next('trouble');
    assert.equal(message.title, 'A mailbox refuses Chatkeep the sign-in');
    assert.equal(message.data.mailbox, 'ada@example.test');
    await service.stop();
    assert.doesNotMatch(service.output + JSON.stringify(world.webhook.received), /k7Gq2ZpW/);
  });
});
