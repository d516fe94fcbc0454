import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureBy, lastBody, MESSAGE, sendBy, WebServer } from '../support.ts';

const ADDRESS = 'discord://4711/To-ken_1';

async function contentFor(message: Partial<typeof MESSAGE>): Promise<string> {
  await using server = await WebServer.listen();
  await sendBy(server, ADDRESS, { ...MESSAGE, ...message });
  return lastBody<{ content: string }>(server).content;
}

describe('Discord', () => {
  it('gets one message at the webhook, which calls nobody and looks up no link', async () => {
    await using server = await WebServer.listen();
    await sendBy(server, ADDRESS, { ...MESSAGE, title: 'Title', body: 'Body.' });
    const [request] = server.requests;
    assert.equal(request?.method, 'POST');
    assert.equal(request.headers['x-meant-for'], 'https://discord.com');
    assert.equal(request.url, '/api/webhooks/4711/To-ken_1?wait=true');
    assert.deepEqual(request.body, { content: '⚠️ **Title**\nBody.', allowed_mentions: { parse: [] }, flags: 4 });
  });

  it('takes the forms of Apprise and Shoutrrr, and the pasted address, in a thread if it says so', async () => {
    await using server = await WebServer.listen();
    const addresses = [
      'discord://bot@4711/To-ken_1?footer=no&format=markdown',
      'discord://To-ken_1@4711?splitlines=yes',
      'https://discord.com/api/webhooks/4711/To-ken_1',
      'https://discordapp.com/api/webhooks/4711/To-ken_1',
      'https://canary.discord.com/api/v10/webhooks/4711/To-ken_1',
    ];
    for (const address of addresses) {
      await sendBy(server, address);
      assert.equal(server.requests.pop()?.url, '/api/webhooks/4711/To-ken_1?wait=true');
    }
    await sendBy(server, 'https://discord.com/api/webhooks/4711/To-ken_1?thread_id=99');
    assert.equal(server.requests.pop()?.url, '/api/webhooks/4711/To-ken_1?wait=true&thread_id=99');
  });

  it('gets no markup but its own: what stands in a text is shown as it stands', async () => {
    const content = await contentFor({
      title: 'a*b',
      body: '# @everyone <@&5> **x** [y](https://z.example) `c` ||s||',
    });
    assert.equal(
      content,
      '⚠️ **a\\*b**\n\\# \\@everyone \\<\\@&5\\> \\*\\*x\\*\\* \\[y\\](https://z.example) \\`c\\` \\|\\|s\\|\\|',
    );
  });

  it('gets 2000 characters at the most, with no escape cut in two', async () => {
    const content = await contentFor({ title: 't'.repeat(1000), body: '*'.repeat(3000) });
    assert(content.length <= 2000 && content.length > 1990, String(content.length));
    assert.match(content, /^⚠️ \*\*t+…\*\*\n(\\\*)+…$/);
  });

  it('says for how long it takes no more, and that is listened to', async () => {
    await using server = await WebServer.listen();
    server.answer = {
      status: 429,
      headers: { 'retry-after': '65' },
      body: '{"message":"rate limited","retry_after":64.57}',
    };
    const limited = await failureBy(server, ADDRESS);
    assert.equal(limited.message, 'Discord answered with status 429: it takes no more messages for the moment');
    assert.equal(limited.retry.retryAfterMs, 64_570);
    server.answer = { status: 404, body: '{"message": "Unknown Webhook", "code": 10015}' };
    assert.match(
      (await failureBy(server, ADDRESS)).message,
      /^Discord answered with status 404: .* make a new one there$/,
    );
  });
});
