import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureBy, lastBody, MESSAGE, sendBy, WebServer } from '../support.ts';

describe('Gotify', () => {
  it('gets title, message and a priority by level at /message, with the token in its header', async () => {
    await using server = await WebServer.listen();
    for (const [level, priority] of [
      ['info', 2],
      ['success', 4],
      ['warning', 6],
      ['failure', 8],
    ] as const) {
      await sendBy(server, 'gotify://gotify.example.org/A1b2.C3-d4_', { ...MESSAGE, level });
      const request = server.requests.pop();
      assert.equal(request?.method, 'POST');
      assert.equal(request.headers['x-meant-for'], 'https://gotify.example.org');
      assert.equal(request.url, '/message');
      assert.equal(request.headers['x-gotify-key'], 'A1b2.C3-d4_');
      assert.deepEqual(request.body, {
        title: MESSAGE.title,
        message: MESSAGE.body,
        priority,
        extras: { 'client::display': { contentType: 'text/plain' } },
      });
    }
  });

  it('may live below a path, have a priority of its own, and be pasted', async () => {
    await using server = await WebServer.listen();
    const places = {
      'gotifys://host.example.org:8443/push/gotify/Token1?priority=high': [
        'https://host.example.org:8443',
        '/push/gotify/message',
        8,
      ],
      'gotify://host.example.org/Token1?disabletls=Yes&priority=10': ['http://host.example.org', '/message', 10],
      'https://host.example.org/push/message?token=Token1': ['https://host.example.org', '/push/message', 6],
      'http://192.0.2.1:8080/message?token=Token1': ['http://192.0.2.1:8080', '/message', 6],
    };
    for (const [address, [host, path, priority]] of Object.entries(places)) {
      await sendBy(server, address);
      const request = server.requests.at(-1);
      assert.equal(request?.headers['x-meant-for'], host);
      assert.equal(request?.url, path);
      assert.equal(request?.headers['x-gotify-key'], 'Token1');
      assert.equal(lastBody<{ priority: number }>(server).priority, priority);
    }
  });

  it('tells that it does not accept the token, without showing it', async () => {
    await using server = await WebServer.listen();
    server.answer = {
      status: 401,
      body: '{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token (geheim)"}',
    };
    const { message } = await failureBy(server, 'gotify://host.example.org/geheim');
    assert.equal(
      message,
      'Gotify at host.example.org answered with status 401: it does not accept the user, password or token of the address',
    );
  });
});
