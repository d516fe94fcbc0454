import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { MailboxConfig } from '../../src/config/index.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { startMailProxy } from '../support/mail-proxy.ts';
import type { MailServer } from '../support/mail-server.ts';
import { type Cable, layCable } from '../support/network.ts';
import type { MailboxPlace } from './fake-server.ts';
import { email, settingsFor, until, untilWatching, watchMailbox } from './watching.ts';

/** The usual limits, made short: what takes minutes in a mailbox's life takes seconds here. */
export const SHORT = {
  connectMs: 1_500,
  greetingMs: 1_500,
  signInMs: 2_500,
  commandMs: 2_000,
  socketMs: 1_000,
  idlePauseMs: 500,
};

/** What is looked for, and what is not. */
const OURS = 'OpenAI <noreply@tm.openai.com>';
const OTHERS = 'Grace <grace@example.test>';

const UNRELATED_A_MINUTE = 500;
const UNRELATED_FOR_MS = 6 * SECOND_MS;

interface ServerToLiveWith {
  readonly name: string;
  start(options: { readonly cable?: Cable }): Promise<MailServer>;
  /** The same, in clear text, so that a proxy can tell what passes. */
  startInClear(): Promise<MailServer>;
}

/** What a mailbox goes through, and that the mail is found, whichever server it lies on. */
export function aMailIsFound({ name, start, startInClear }: ServerToLiveWith): void {
  /** A server in clear text behind a proxy, and the settings that lead there. */
  async function behindProxy(overrides: Partial<MailboxPlace> = {}) {
    const server = await startInClear();
    const proxy = await startMailProxy(server);
    const { user, password } = server;
    const config = settingsFor(
      { host: proxy.host, port: proxy.port, user, password },
      { security: 'none', searchEveryMinutes: 60, ...overrides },
    );
    return {
      server,
      proxy,
      config,
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  }

  const settings = (server: MailServer, overrides: Partial<MailboxPlace> = {}): MailboxConfig =>
    settingsFor(server, { searchEveryMinutes: 60, ...overrides });

  describe(`A mail that arrives on ${name} is found`, () => {
    it('when it lay there before', async () => {
      await using server = await start({});
      await server.deliver(email('other', { from: OTHERS }));
      await server.deliver(email('before'));
      await using watching = watchMailbox(settings(server));
      await untilWatching(watching);
      assert.deepEqual(watching.names(), ['before']);
    });

    it('while the mailbox is watched', async () => {
      await using server = await start({});
      await using watching = watchMailbox(settings(server));
      await untilWatching(watching);
      await server.deliver(email('later'));
      await until('the message', () => watching.names().includes('later'));
    });

    it('when the server was away meanwhile', async () => {
      await using server = await start({});
      await using watching = watchMailbox(settings(server), SHORT);
      await untilWatching(watching);
      await server.stop();
      await server.deliver(email('meanwhile'));
      await until('the loss', () => watching.watcher.state.name !== 'watching');
      await server.start();
      await until('the message', () => watching.names().includes('meanwhile'));
    });

    it('when the server was frozen meanwhile, with every connection open', async () => {
      await using server = await start({});
      await using watching = watchMailbox(settings(server), SHORT);
      await untilWatching(watching);
      server.pause();
      await server.deliver(email('meanwhile'));
      await until('the loss', () => watching.watcher.state.name !== 'watching');
      server.resume();
      await until('the message', () => watching.names().includes('meanwhile'));
    });

    it('when every packet was dropped meanwhile, and nobody said goodbye', async () => {
      await using cable = await layCable();
      await using server = await start({ cable });
      await using watching = watchMailbox(settings(server), SHORT);
      await untilWatching(watching);
      await cable.cut();
      await server.deliver(email('meanwhile'));
      await until('the loss', () => watching.watcher.state.name !== 'watching');
      await cable.mend();
      await until('the message', () => watching.names().includes('meanwhile'));
    });

    it('when the server took the sign-in and dropped the line, over and over', async () => {
      await using scene = await behindProxy();
      await using watching = watchMailbox(scene.config);
      await untilWatching(watching);
      scene.proxy.mood = 'drop-after-sign-in';
      scene.proxy.cut('end');
      await scene.server.deliver(email('meanwhile'));
      await until('two of that', () => scene.proxy.signIns.length === 3);
      assert.deepEqual(watching.names(), []);
      scene.proxy.mood = 'pass';
      await until('the message', () => watching.names().includes('meanwhile'));
      assert.equal(scene.proxy.signIns.length, 4);
    });

    it('when the folder was made anew, with another UIDVALIDITY and the same UIDs', async () => {
      await using server = await start({});
      const folder = 'Exports';
      await server.deliver(email('before'), { folder });
      await using watching = watchMailbox(settings(server, { folders: [folder], searchEveryMinutes: 0.02 }), SHORT);
      await until('the first message', () => watching.names().length === 1);
      await server.renewFolder(folder);
      await server.deliver(email('meanwhile'), { folder });
      await until('the second message', () => watching.names().includes('meanwhile'));
      assert.deepEqual(watching.seen.uids, [1, 1]);
      assert.equal(new Set(watching.seen.taken.map(({ uidValidity }) => uidValidity)).size, 2);
    });

    it('among 20,000 old ones, of which none is downloaded', async () => {
      await using server = await start({});
      const receivedAt = Date.now() - 400 * DAY_MS;
      await server.deliverCopies(email('old'), 10_000, { receivedAt });
      await server.deliverCopies(email('old-and-of-others', { from: OTHERS }), 10_000, { receivedAt });
      await server.deliver(email('new'));
      await using watching = watchMailbox(settings(server));
      await untilWatching(watching);
      assert.deepEqual(watching.names(), ['new']);
      await server.deliver(email('later'));
      await until('the announced message', () => watching.names().length === 2);
      assert.deepEqual(watching.names(), ['new', 'later']);
    });

    it('beside unrelated ones, 500 of them a minute', async () => {
      await using scene = await behindProxy();
      await using watching = watchMailbox(scene.config);
      await untilWatching(watching);
      const everyMs = MINUTE_MS / UNRELATED_A_MINUTE;
      const begun = performance.now();
      for (let count = 0; count * everyMs < UNRELATED_FOR_MS; count += 1) {
        await delay(Math.max(0, begun + count * everyMs - performance.now()));
        await scene.server.deliver(email(`other-${count}`, { from: OTHERS }));
        if (count === 25) await scene.server.deliver(email('ours'));
      }
      await until('the message', () => watching.names().length > 0);
      assert.deepEqual(watching.names(), ['ours']);
      assert.equal(scene.proxy.signIns.length, 1);
    });

    it('though the server never announces anything', async () => {
      await using scene = await behindProxy({ searchEveryMinutes: 0.02 });
      scene.proxy.mood = 'mute';
      await using watching = watchMailbox(scene.config, { idlePauseMs: 200 });
      await untilWatching(watching);
      await scene.server.deliver(email('meanwhile', { from: OURS }));
      await until('the message', () => watching.names().includes('meanwhile'));
    });
  });
}
