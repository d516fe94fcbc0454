import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { reachBrowser } from '../../../../src/download/logins/browser/endpoint.ts';

const { signal } = new AbortController();

/** What asks for the browser meets at an address where something else listens. */
async function meeting(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  host = '127.0.0.1',
): Promise<{ detail: string; asked: IncomingMessage[]; upgrades: IncomingMessage[] }> {
  const [asked, upgrades]: [IncomingMessage[], IncomingMessage[]] = [[], []];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  server.on('upgrade', (request, socket) => {
    upgrades.push(request);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  server.listen(0);
  await once(server, 'listening');
  const cdpUrl = `http://${host}:${(server.address() as AddressInfo).port}`;
  try {
    const reached = await reachBrowser(cdpUrl, signal, 3_000);
    assert.ok(reached.kind === 'unusable');
    return { detail: reached.detail.replace(cdpUrl, 'URL'), asked, upgrades };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function version(webSocketDebuggerUrl: string, more = {}): (_: unknown, response: ServerResponse) => void {
  return (_, response) => response.end(JSON.stringify({ 'User-Agent': 'Chrome', webSocketDebuggerUrl, ...more }));
}

describe('the address of a browser', () => {
  it('is asked for by number, since Chromium answers to no name but localhost', async () => {
    const { asked } = await meeting(version('ws://x/devtools/browser/1'), 'localhost');
    assert.match(asked[0]?.headers.host ?? '', /^(127\.0\.0\.1|\[::1\]):\d+$/);
  });

  it('is connected to where it was asked, whatever it says of itself, and without compression', async () => {
    for (const told of ['ws://192.0.2.1:1/devtools/browser/1', 'ws://a//192.0.2.1/x', 'https://192.0.2.1/x']) {
      const { upgrades, detail } = await meeting(version(told));
      assert.equal(upgrades.length, 1);
      assert.equal(upgrades[0]?.headers['sec-websocket-extensions'], undefined);
      assert.match(detail, /^The browser at URL cannot be reached/);
    }
  });

  const others = {
    'a page': (_: unknown, response: ServerResponse) => response.end('<html>'),
    'an error': (_: unknown, response: ServerResponse) => response.writeHead(500).end(),
    'another JSON': (_: unknown, response: ServerResponse) => response.end('{"version":"1"}'),
    'a name that forges a header field': version('ws://x/1', { 'User-Agent': 'a\r\nb' }),
    'no address': version('not an address'),
  };
  for (const [what, answer] of Object.entries(others)) {
    it(`at which ${what} is met is not one`, async () => {
      const { detail } = await meeting(answer);
      assert.equal(detail, 'The browser at URL answers as no browser does. Is something else listening there?');
    });
  }

  it('at which the answer does not end is not one', async () => {
    const { detail } = await meeting((_, response) => response.end('x'.repeat(1_000_000)));
    assert.match(detail, /^The browser at URL cannot be reached/);
  });

  it('at which nobody answers is given up', async () => {
    const { detail } = await meeting(() => {});
    assert.equal(detail, 'The browser at URL does not answer. Is it busy, or is something else listening there?');
  });

  it('is not asked in clear text across the internet', async () => {
    const reached = await reachBrowser('http://1.1.1.1:9222', signal);
    assert.ok(reached.kind === 'unusable');
    assert.match(reached.detail, /is at a public address, .*: give an https address/);
  });

  it('is given up with the reason of the signal', async () => {
    const reason = new Error('enough');
    await assert.rejects(reachBrowser('http://127.0.0.1:9', AbortSignal.abort(reason)), reason);
  });
});
