import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureBy, MESSAGE, sendBy, WebServer } from '../support.ts';

describe('an Apprise gateway', () => {
  it('gets title, body and type under its key, with the tags of the address', async () => {
    await using server = await WebServer.listen();
    await sendBy(server, 'apprises://ada:p%40w@apprise.example.org/my-key?tags=home,phone', {
      ...MESSAGE,
      level: 'failure',
    });
    const [request] = server.requests;
    assert.equal(request?.method, 'POST');
    assert.equal(request.headers['x-meant-for'], 'https://apprise.example.org');
    assert.equal(request.url, '/notify/my-key');
    assert.equal(request.headers.authorization, `Basic ${Buffer.from('ada:p@w').toString('base64')}`);
    assert.deepEqual(request.body, {
      title: MESSAGE.title,
      body: MESSAGE.body,
      type: 'failure',
      format: 'text',
      tag: 'home,phone',
    });
  });

  it('may live below a path, be spoken to in the clear, and be pasted', async () => {
    await using server = await WebServer.listen();
    const places = {
      'apprise://192.0.2.1:8000/key': ['http://192.0.2.1:8000', '/notify/key'],
      'apprises://host.example.org/push/key': ['https://host.example.org', '/push/notify/key'],
      'https://host.example.org/push/notify/key': ['https://host.example.org', '/push/notify/key'],
      'http://host.example.org:8000/notify/key/': ['http://host.example.org:8000', '/notify/key'],
    };
    for (const [address, [host, path]] of Object.entries(places)) {
      await sendBy(server, address);
      const request = server.requests.pop();
      assert.deepEqual([request?.headers['x-meant-for'], request?.url], [host, path]);
    }
  });

  it('has failed when nothing is configured under the key', async () => {
    await using server = await WebServer.listen();
    server.answer = { status: 204 };
    assert.equal(
      (await failureBy(server, 'apprises://host.example.org/geheim')).message,
      'Apprise API at host.example.org has no services configured under the key of the address (status 204)',
    );
  });

  it('is not asked for ever when it reaches some of its services only', async () => {
    await using server = await WebServer.listen();
    server.answer = { status: 424, body: '{"error": "At least one notification failed"}' };
    const failure = await failureBy(server, 'apprises://host.example.org/key');
    assert.match(failure.message, /could not reach at least one of its services/);
    assert.equal(failure.retry.mostAttempts, 4);
  });
});
