import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/lib/secret.ts';
import { parseAddress } from '../../../src/notify/index.ts';
import { failureBy, KEY, lastBody, MESSAGE, noAbort, reroutedTo, sendBy, WebServer } from '../support.ts';

const ADDRESS = 'tgram://123456789:AbC-d_e/-1001234';
const OK = { status: 200, body: '{"ok":true,"result":{"message_id":1}}' };

describe('Telegram', () => {
  it('gets plain text, without a mode in which something could be markup, silent if nothing is amiss', async () => {
    await using server = await WebServer.listen();
    server.answer = OK;
    for (const [level, sign, silent] of [
      ['success', '✅', true],
      ['warning', '⚠️', false],
    ] as const) {
      await sendBy(server, ADDRESS, { ...MESSAGE, level, title: 'A *b* <i>c</i>', body: '_d_' });
      const request = server.requests.pop();
      assert.equal(request?.method, 'POST');
      assert.equal(request.headers['x-meant-for'], 'https://api.telegram.org');
      assert.equal(request.url, '/bot123456789:AbC-d_e/sendMessage');
      assert.deepEqual(request.body, {
        chat_id: '-1001234',
        text: `${sign} A *b* <i>c</i>\n\n_d_`,
        link_preview_options: { is_disabled: true },
        disable_notification: silent,
      });
    }
  });

  it('takes the forms of Apprise and Shoutrrr, with topics', async () => {
    await using server = await WebServer.listen();
    server.answer = OK;
    const chats = {
      'tgram://bot123456789:AbC-d_e/-1001234/': ['-1001234', undefined],
      'tgram://123456789%3AAbC-d_e/somebody?format=html': ['@somebody', undefined],
      'tgram://123456789:AbC-d_e/-1001234:7': ['-1001234', 7],
      'telegram://123456789:AbC-d_e@telegram?chats=@channel&preview=No': ['@channel', undefined],
      'telegram://123456789:AbC-d_e@telegram?channels=-1001234&topic=9': ['-1001234', 9],
    };
    for (const [address, [chat, topic]] of Object.entries(chats)) {
      await sendBy(server, address);
      const request = server.requests.pop();
      assert.equal(request?.url, '/bot123456789:AbC-d_e/sendMessage');
      const body = request?.body as { chat_id: string; message_thread_id?: number };
      assert.deepEqual([body.chat_id, body.message_thread_id], [chat, topic]);
    }
  });

  it('is a service for each chat, so that one that fails has no message sent to the others again', async () => {
    await using server = await WebServer.listen();
    server.answer = OK;
    const services = parseAddress(new Secret('telegram://123456789:AbC@telegram?chats=1,@two'));
    assert.equal(new Set(services.map(({ id }) => id)).size, 2);
    assert.deepEqual(
      services.map(({ label }) => label),
      ['Telegram, chat no. 1', 'Telegram, chat no. 2'],
    );
    for (const service of services) {
      await service.send(MESSAGE, { signal: noAbort(), key: KEY, fetch: reroutedTo(server) });
    }
    assert.deepEqual(
      server.requests.map(({ body }) => (body as { chat_id: string }).chat_id),
      ['1', '@two'],
    );
  });

  it('gets 4096 characters at the most', async () => {
    await using server = await WebServer.listen();
    server.answer = OK;
    await sendBy(server, ADDRESS, { ...MESSAGE, body: '😀'.repeat(5000) });
    const { text } = lastBody<{ text: string }>(server);
    assert(text.length <= 4096 && text.length > 4090);
    assert(text.isWellFormed() && text.endsWith('😀…'));
  });

  it('says what is wrong in its answer, and for how long to wait', async () => {
    await using server = await WebServer.listen();
    const failureOf = async (status: number, answer: object) => {
      server.answer = { status, body: JSON.stringify(answer) };
      return failureBy(server, ADDRESS);
    };
    assert.equal(
      (await failureOf(400, { ok: false, error_code: 400, description: 'Bad Request: chat not found' })).message,
      'Telegram does not find the chat of the address: write to the bot once, or check the number (status 400)',
    );
    assert.equal(
      (await failureOf(200, { ok: false, description: 'something new about AbC-d_e' })).message,
      'Telegram did not take the message (status 200)',
    );
    const limited = await failureOf(429, {
      ok: false,
      error_code: 429,
      description: 'Too Many Requests: retry after 33',
      parameters: { retry_after: 33 },
    });
    assert.equal(limited.retry.retryAfterMs, 33_000);
    server.answer = { status: 200, body: '<html>Welcome to the hotel' };
    assert.match((await failureBy(server, ADDRESS)).message, /none of its own/);
  });
});
