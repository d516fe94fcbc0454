import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureBy, MESSAGE, sendBy, WebServer } from '../support.ts';

const USER = 'u'.repeat(29).concat('1');
const TOKEN = 'a'.repeat(29).concat('2');
const ADDRESS = `pover://${USER}@${TOKEN}`;
const OK = { status: 200, body: '{"status":1,"request":"r"}' };

describe('Pushover', () => {
  it('gets a form with both keys, the text, its time, and a priority by level', async () => {
    await using server = await WebServer.listen();
    server.answer = OK;
    for (const [level, priority] of [
      ['info', '-1'],
      ['success', '0'],
      ['warning', '0'],
      ['failure', '1'],
    ] as const) {
      await sendBy(server, ADDRESS, { ...MESSAGE, level });
      const request = server.requests.pop();
      assert.equal(request?.method, 'POST');
      assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded');
      assert.equal(request.headers['x-meant-for'], 'https://api.pushover.net');
      assert.equal(request.url, '/1/messages.json');
      assert.deepEqual(request.body, {
        token: TOKEN,
        user: USER,
        title: MESSAGE.title,
        message: MESSAGE.body,
        priority,
        timestamp: String(Math.round(MESSAGE.at / 1000)),
      });
    }
  });

  it('takes the forms of Apprise and Shoutrrr, with devices; an emergency is repeated for an hour', async () => {
    await using server = await WebServer.listen();
    server.answer = OK;
    for (const address of [
      `pover://${USER}@${TOKEN}/phone/tablet?priority=emergency&sound=siren`,
      `pushover://shoutrrr:${TOKEN}@${USER}/?devices=phone,tablet&priority=2&sound=siren`,
    ]) {
      await sendBy(server, address);
      const body = server.requests.pop()?.body as Record<string, string>;
      const { token, user, device, priority, sound, retry, expire } = body;
      assert.deepEqual(
        { token, user, device, priority, sound, retry, expire },
        {
          token: TOKEN,
          user: USER,
          device: 'phone,tablet',
          priority: '2',
          sound: 'siren',
          retry: '60',
          expire: '3600',
        },
      );
    }
  });

  it('gets 1024 characters of text and 250 of title at the most', async () => {
    await using server = await WebServer.listen();
    server.answer = OK;
    await sendBy(server, ADDRESS, { ...MESSAGE, title: 't'.repeat(400), body: 'b'.repeat(4000) });
    const body = server.requests[0]?.body as Record<string, string>;
    assert.equal(body.title?.length, 250);
    assert.equal(body.message?.length, 1024);
  });

  it('says in its answer what it does not take', async () => {
    await using server = await WebServer.listen();
    server.answer = {
      status: 400,
      body: '{"user":"invalid","errors":["user identifier is not a valid user"],"status":0,"request":"r"}',
    };
    assert.equal(
      (await failureBy(server, ADDRESS)).message,
      'Pushover does not know the user or group key, or it has no active device (status 400)',
    );
    server.answer = { status: 400, body: '{"token":"invalid","errors":["application token is invalid"],"status":0}' };
    assert.match((await failureBy(server, ADDRESS)).message, /does not accept the token of the application/);
    server.answer = { status: 200, body: '{"status":0}' };
    assert.match((await failureBy(server, ADDRESS)).message, /did not take the message/);
  });
});
