import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { createSignIn, type MailboxState, MailboxWatcher, type MessageHandler } from '../../src/mailbox/index.ts';
import { TEST_START_MS, VirtualClock } from '../support/virtual-clock.ts';
import { FakeServer, type MailboxPlace, mailboxConfig, refused, SeenInMemory, unreachable } from './fake-server.ts';

interface Setup {
  readonly server?: FakeServer;
  readonly config?: Partial<MailboxPlace>;
  readonly onMessage?: MessageHandler;
  readonly random?: () => number;
  readonly signInFingerprint?: () => Promise<string>;
}

const running: (() => Promise<void>)[] = [];

function watch({
  server = new FakeServer(),
  config = {},
  onMessage,
  random = () => 0.5,
  signInFingerprint = async () => '',
}: Setup = {}) {
  const clock = new VirtualClock();
  const seen = new SeenInMemory();
  const states: MailboxState[] = [];
  const abort = new AbortController();
  const watcher = new MailboxWatcher({
    config: mailboxConfig(config),
    senders: ['openai'],
    connect: server.connect,
    signIn: { ...createSignIn(mailboxConfig(config)), fingerprint: signInFingerprint },
    seen,
    onMessage: onMessage ?? seen.take,
    onState: (state) => states.push(state),
    clock,
    random,
  });
  const run = watcher.run(abort.signal);
  const stop = async () => {
    abort.abort();
    await run;
  };
  running.push(stop);
  const dialsSince = (ms: number) => server.dials.filter((at) => at >= ms).length;
  return { watcher, server, clock, seen, states, stop, dialsSince };
}

afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

describe('A mailbox that is watched', () => {
  it('hands on what lies there at the start, oldest first', async () => {
    const server = new FakeServer();
    server.put(12);
    server.put(3);
    const { seen, clock } = watch({ server });
    await clock.advance(0);
    assert.deepEqual(seen.uids, [3, 12]);
  });

  it('hands on a message with all that names it', async () => {
    const server = new FakeServer();
    server.put(3, { bytes: 4_321, receivedAt: TEST_START_MS - HOUR_MS });
    const { seen, clock } = watch({ server });
    await clock.advance(0);
    assert.deepEqual(seen.taken, [
      {
        mailbox: 'ada',
        folder: 'INBOX',
        uidValidity: '7',
        uid: 3,
        receivedAt: TEST_START_MS - HOUR_MS,
        messageId: '<3@test>',
        bytes: 4_321,
        source: Buffer.from('message 3'),
      },
    ]);
  });

  it('hands on an announced message at once', async () => {
    const { server, seen, clock } = watch();
    await clock.advance(2 * SECOND_MS);
    server.put(1);
    await clock.advance(0);
    assert.deepEqual(seen.uids, [1]);
  });

  it('finds a message that the server forgot to announce at the next search', async () => {
    const { server, seen, clock } = watch({ config: { searchEveryMinutes: 5 } });
    await clock.advance(2 * SECOND_MS);
    server.put(1, {}, { announced: false });
    await clock.advance(5 * MINUTE_MS);
    assert.deepEqual(seen.uids, [1]);
  });

  it('asks for messages of senders that hold "openai", one day further back than configured', async () => {
    const { server, clock } = watch({ config: { lookBackDays: 7 } });
    await clock.advance(0);
    assert.deepEqual(server.searches, [
      { folder: 'INBOX', from: ['openai'], since: TEST_START_MS - 8 * DAY_MS, at: TEST_START_MS },
    ]);
  });

  it('hands on no message twice', async () => {
    const { server, seen, clock } = watch();
    server.put(1);
    await clock.advance(HOUR_MS);
    server.drop();
    await clock.advance(HOUR_MS);
    assert.deepEqual(seen.uids, [1]);
    assert.ok(server.searches.length > 20);
  });

  it('hands on every message anew when the folder gets a new UIDVALIDITY', async () => {
    const { server, seen, clock } = watch();
    server.put(1);
    await clock.advance(MINUTE_MS);
    server.folders.set('INBOX', { uidValidity: '8', messages: new Map([[1, {}]]) });
    server.drop();
    await clock.advance(MINUTE_MS);
    assert.deepEqual(
      seen.taken.map(({ uidValidity, uid }) => [uidValidity, uid]),
      [
        ['7', 1],
        ['8', 1],
      ],
    );
  });

  it('hands on a message over 5 MB without downloading it', async () => {
    const server = new FakeServer();
    server.put(1, { bytes: 6_000_000 });
    const { seen, clock } = watch({ server });
    await clock.advance(0);
    assert.equal(seen.taken[0]?.bytes, 6_000_000);
    assert.equal(seen.taken[0]?.source, undefined);
  });

  it('takes now for the time of receipt where the server gives none', async () => {
    const { server, seen, clock } = watch();
    server.put(1);
    await clock.advance(0);
    assert.equal(seen.taken[0]?.receivedAt, TEST_START_MS);
  });

  it('searches every folder each minute when there are several, and waits on the first', async () => {
    const server = new FakeServer(['INBOX', 'Spam']);
    const { seen, clock } = watch({ server, config: { folders: ['INBOX', 'Spam'] } });
    await clock.advance(2 * SECOND_MS);
    assert.deepEqual(
      server.searches.map(({ folder }) => folder),
      ['Spam', 'INBOX'],
    );
    server.put(1, {}, { folder: 'Spam', announced: false });
    await clock.advance(MINUTE_MS);
    assert.deepEqual(
      seen.taken.map(({ folder }) => folder),
      ['Spam'],
    );
  });

  it('goes on with the other folders when one is missing, and says which', async () => {
    const server = new FakeServer(['INBOX']);
    server.put(1);
    const { watcher, seen, clock } = watch({ server, config: { folders: ['INBOX', 'Spam'] } });
    await clock.advance(0);
    assert.deepEqual(seen.uids, [1]);
    const state = watcher.state;
    assert.equal(state.name, 'watching');
    assert.deepEqual(state.name === 'watching' && state.trouble, {
      kind: 'folder-missing',
      detail: 'The folder Spam cannot be opened.',
    });
  });

  it('waits and tries again when every folder is missing', async () => {
    const server = new FakeServer([]);
    const { watcher, seen, clock } = watch({ server });
    await clock.advance(0);
    const state = watcher.state;
    assert.equal(state.name === 'waiting' && state.trouble.kind, 'folder-missing');
    server.folders.set('INBOX', { uidValidity: '7', messages: new Map([[1, {}]]) });
    await clock.advance(MINUTE_MS);
    assert.deepEqual(seen.uids, [1]);
  });

  it('beats with every answer of the server, search or not', async () => {
    const { watcher, clock } = watch({ config: { searchEveryMinutes: 60 } });
    await clock.advance(30 * MINUTE_MS);
    assert.ok((watcher.lastAnswer ?? 0) >= clock.now() - 4 * MINUTE_MS);
    const state = watcher.state;
    assert.equal(state.name === 'watching' && state.lastAnswer, watcher.lastAnswer);
  });

  it('beats no more when the server is away', async () => {
    const { watcher, server, clock } = watch();
    await clock.advance(MINUTE_MS);
    server.signInError = unreachable;
    server.drop();
    await clock.advance(HOUR_MS);
    assert.equal(watcher.lastAnswer, TEST_START_MS);
  });

  it('is not kept busy by a server that announces messages without end', async () => {
    const { server, clock } = watch();
    await clock.advance(0);
    for (let ms = 0; ms < MINUTE_MS; ms += 10) {
      server.put(1);
      await clock.advance(10);
    }
    assert.ok(server.searches.length <= 122, `${server.searches.length} searches in a minute`);
  });
});

describe('A mailbox whose folders are not configured', () => {
  function gmail(): FakeServer {
    const server = new FakeServer();
    server.folders.set('[Gmail]/Spam', { uidValidity: '7', messages: new Map(), flags: ['\\Junk'], name: 'Spam' });
    server.folders.set('[Gmail]/All Mail', {
      uidValidity: '7',
      messages: new Map(),
      flags: ['\\All'],
      name: 'All Mail',
    });
    return server;
  }

  it('is searched in its inbox, its spam and its archive, every few minutes', async () => {
    const { server, clock } = watch({ server: gmail(), config: { folders: undefined } });
    await clock.advance(9 * MINUTE_MS);
    const round = ['[Gmail]/All Mail', '[Gmail]/Spam', 'INBOX'];
    assert.deepEqual(
      server.searches.map(({ folder }) => folder),
      [...round, ...round],
    );
  });

  it('is searched in the inbox alone when the server announces messages there', async () => {
    const { server, seen, clock } = watch({ server: gmail(), config: { folders: undefined } });
    await clock.advance(2 * SECOND_MS);
    server.put(1);
    await clock.advance(SECOND_MS);
    assert.deepEqual(seen.uids, [1]);
    assert.deepEqual(
      server.searches.slice(3).map(({ folder }) => folder),
      ['INBOX'],
    );
  });

  it('is asked anew which folders it has once an hour', async () => {
    const { server, seen, clock } = watch({ config: { folders: undefined } });
    await clock.advance(50 * MINUTE_MS);
    assert.equal(server.listings, 1);
    server.folders.set('Junk', { uidValidity: '7', messages: new Map([[1, {}]]) });
    await clock.advance(15 * MINUTE_MS);
    assert.equal(server.listings, 2);
    assert.deepEqual(
      seen.taken.map(({ folder }) => folder),
      ['Junk'],
    );
  });

  it('goes on without a folder that has gone since, and nobody has to hear of it', async () => {
    const { server, watcher, clock } = watch({ server: gmail(), config: { folders: undefined } });
    await clock.advance(MINUTE_MS);
    server.folders.delete('[Gmail]/Spam');
    await clock.advance(10 * MINUTE_MS);
    const state = watcher.state;
    assert.equal(state.name === 'watching' && state.trouble, undefined);
    assert.equal(server.searches.at(-1)?.folder, 'INBOX');
  });
});

describe('By when all of a mailbox was read', () => {
  it('is known since the last search of every folder began, and not before the first has ended', async () => {
    const server = new FakeServer(['INBOX', 'Exports']);
    const { watcher, clock } = watch({ server, config: { folders: ['INBOX', 'Exports'], searchEveryMinutes: 1 } });
    assert.equal(watcher.readUpTo, undefined);
    await clock.advance(0);
    assert.equal(watcher.readUpTo, TEST_START_MS);
    assert.deepEqual(watcher.folders, ['INBOX', 'Exports']);
    await clock.advance(3 * MINUTE_MS + SECOND_MS);
    assert.equal(watcher.readUpTo, TEST_START_MS + 3 * MINUTE_MS);
    server.signInError = unreachable;
    server.drop();
    await clock.advance(HOUR_MS);
    assert.equal(watcher.readUpTo, TEST_START_MS + 3 * MINUTE_MS);
  });

  it('stays what it was while a message cannot be taken, even if a folder is missing besides', async () => {
    const server = new FakeServer();
    server.put(1);
    let fails = true;
    const { watcher, clock } = watch({
      server,
      config: { folders: ['Missing', 'INBOX'], searchEveryMinutes: 1 },
      onMessage: async () => {
        if (fails) throw new Error('DNS is down');
      },
    });
    await clock.advance(5 * MINUTE_MS);
    assert.equal(watcher.readUpTo, undefined);
    fails = false;
    await clock.advance(MINUTE_MS);
    assert.equal(watcher.readUpTo, TEST_START_MS + 6 * MINUTE_MS);
  });
});

describe('A handler that fails', () => {
  it('does not hold up the other messages, and its trouble is told', async () => {
    const server = new FakeServer();
    for (const uid of [1, 2, 3]) server.put(uid);
    const seen = new SeenInMemory();
    const { clock, watcher } = watch({
      server,
      onMessage: async (message) => {
        if (message.uid === 1) throw new Error('the disk is full');
        await seen.take(message);
      },
    });
    await clock.advance(0);
    assert.deepEqual(seen.uids, [2, 3]);
    const state = watcher.state;
    assert.deepEqual(state.name === 'watching' && state.trouble, {
      kind: 'handler-failed',
      detail: 'Message 1 of INBOX could not be taken: the disk is full',
    });
  });

  it('gets its message again within a minute, on the same connection', async () => {
    const taken: number[] = [];
    let failures = 1;
    const { clock, server, states } = watch({
      onMessage: async ({ uid }) => {
        if (failures-- > 0) throw new Error('the disk is full');
        taken.push(uid);
      },
    });
    server.put(1);
    await clock.advance(MINUTE_MS + SECOND_MS);
    assert.equal(taken[0], 1);
    assert.equal(server.dials.length, 1);
    assert.deepEqual(
      states.map((state) => (state.name === 'watching' ? state.trouble?.kind : state.name)),
      ['connecting', 'handler-failed', undefined],
    );
  });

  it('is never called for two messages at the same time', async () => {
    const server = new FakeServer();
    for (const uid of [1, 2, 3]) server.put(uid);
    let active = 0;
    let most = 0;
    const holder: { clock?: VirtualClock } = {};
    const { clock, seen } = watch({
      server,
      onMessage: async (message) => {
        active += 1;
        most = Math.max(most, active);
        await holder.clock?.sleep(SECOND_MS);
        active -= 1;
        await seen.take(message);
      },
    });
    holder.clock = clock;
    await clock.advance(10 * SECOND_MS);
    assert.equal(most, 1);
    assert.deepEqual(seen.uids, [1, 2, 3]);
  });

  it('tells nothing secret in the trouble it leaves', async () => {
    const { clock, server, watcher } = watch({
      onMessage: async () => {
        throw new Error('cannot fetch https://chatgpt.com/backend-api/estuary/content?sig=SECRET');
      },
    });
    server.put(1);
    await clock.advance(0);
    assert.doesNotMatch(JSON.stringify(watcher.state), /SECRET/);
  });

  it('is asked to stop when the watcher is, and waited for', async () => {
    let stopped = false;
    const { clock, server, stop } = watch({
      onMessage: (_message, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            stopped = true;
            reject(signal.reason);
          });
        }),
    });
    server.put(1);
    await clock.advance(0);
    await stop();
    assert.equal(stopped, true);
    assert.equal(server.open, 0);
  });
});

describe('A message that cannot be fetched', () => {
  it('does not stand in the way of the others', async () => {
    const server = new FakeServer();
    for (const uid of [1, 2, 3]) server.put(uid);
    server.fetchErrors.set(1, unreachable);
    const { clock, seen } = watch({ server });
    await clock.advance(MINUTE_MS);
    assert.deepEqual(seen.uids, [2, 3]);
  });

  it('is passed over when it is gone', async () => {
    const server = new FakeServer();
    server.put(1);
    const { clock, seen, watcher } = watch({
      server,
      config: { folders: ['INBOX'] },
      onMessage: async (message) => {
        server.folders.get('INBOX')?.messages.delete(2);
        await seen.take(message);
      },
    });
    server.put(2);
    await clock.advance(0);
    assert.deepEqual(seen.uids, [1]);
    assert.equal(watcher.state.name, 'watching');
  });
});

describe('A connection that breaks', () => {
  it('is dialled again after about a second when it had held', async () => {
    const { server, clock } = watch();
    await clock.advance(HOUR_MS);
    server.drop();
    await clock.advance(SECOND_MS);
    assert.equal(server.dials.length, 2);
  });

  it('is dialled ever more slowly while the server is away, and never less than every 5 minutes', async () => {
    const server = new FakeServer();
    server.signInError = unreachable;
    const { clock } = watch({ server, random: () => 1 });
    await clock.advance(HOUR_MS);
    const waits = server.dials.slice(1).map((at, index) => (at - (server.dials[index] ?? 0)) / SECOND_MS);
    assert.deepEqual(waits.slice(0, 11), [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  it('is searched again after the reconnection', async () => {
    const { server, clock, seen } = watch();
    await clock.advance(HOUR_MS);
    server.signInError = unreachable;
    server.drop();
    await clock.advance(MINUTE_MS);
    server.put(1, {}, { announced: false });
    server.signInError = undefined;
    await clock.advance(5 * MINUTE_MS);
    assert.deepEqual(seen.uids, [1]);
  });

  it('does not count as held when it drops within a minute of the sign-in', async () => {
    const { server, clock } = watch({ random: () => 1 });
    for (let drop = 0; drop < 8; drop += 1) {
      await clock.advance((clock.nextWake ?? 0) - clock.now());
      server.drop();
      await clock.advance(0);
    }
    const before = server.dials.length;
    await clock.advance(10 * SECOND_MS);
    assert.equal(server.dials.length, before);
  });

  it('numbers its attempts, and begins anew after a connection that held', async () => {
    const server = new FakeServer();
    server.signInError = unreachable;
    const { clock, states } = watch({ server, random: () => 1 });
    await clock.advance(3 * SECOND_MS);
    server.signInError = undefined;
    await clock.advance(HOUR_MS);
    server.drop();
    await clock.advance(MINUTE_MS);
    assert.deepEqual(
      states.filter((state) => state.name === 'connecting').map(({ attempt }) => attempt),
      [1, 2, 3, 4, 1],
    );
  });
});

describe('A sign-in that is refused', () => {
  it('is told at once, and tried again after 15 to 60 minutes', async () => {
    const server = new FakeServer();
    server.signInError = refused;
    const { clock, states } = watch({ server });
    await clock.advance(0);
    const told = states.at(-1);
    assert.equal(told?.name === 'waiting' && told.trouble.kind, 'sign-in-refused');
    await clock.advance(DAY_MS);
    for (const [index, at] of server.dials.slice(1).entries()) {
      const waited = at - (server.dials[index] ?? 0);
      assert.ok(waited >= 15 * MINUTE_MS && waited <= 60 * MINUTE_MS, `${waited / MINUTE_MS} min`);
    }
    assert.ok(server.dials.length > 20);
  });

  it('is tried again as soon as the user has renewed the way in', async () => {
    const server = new FakeServer();
    server.signInError = refused;
    let renewed = 0;
    const { clock, dialsSince } = watch({ server, signInFingerprint: async () => String(renewed) });
    await clock.advance(MINUTE_MS);
    const since = clock.now();
    renewed += 1;
    await clock.advance(10 * SECOND_MS);
    assert.equal(dialsSince(since), 1);
    await clock.advance(10 * MINUTE_MS);
    assert.equal(dialsSince(since), 1);
  });

  it('waits that long even if the server was unreachable before', async () => {
    const server = new FakeServer();
    server.signInError = unreachable;
    const { clock, dialsSince } = watch({ server });
    await clock.advance(10 * MINUTE_MS);
    server.signInError = refused;
    await clock.advance(5 * MINUTE_MS);
    const since = clock.now();
    await clock.advance(8 * MINUTE_MS);
    assert.equal(dialsSince(since), 0);
  });
});

describe('A watcher that is stopped', () => {
  it('closes the connection and says so', async () => {
    const { server, clock, stop, watcher } = watch();
    await clock.advance(MINUTE_MS);
    await stop();
    assert.equal(server.open, 0);
    assert.deepEqual(watcher.state, { name: 'stopped' });
  });

  it('ends in the middle of a long wait for the next attempt', async () => {
    const server = new FakeServer();
    server.signInError = refused;
    const { clock, stop } = watch({ server });
    await clock.advance(0);
    await stop();
    assert.equal(clock.sleeping, 0);
  });
});

describe('The number of sign-ins', () => {
  /** The waits before the first dials add up to more than a minute by the eighth. */
  const MOST_IN_A_MINUTE = 8;

  const event = fc.record({
    afterMs: fc.integer({ min: 0, max: 3 * MINUTE_MS }),
    does: fc.constantFrom('drop', 'refuse', 'vanish', 'recover', 'announce', 'lose-folder', 'find-folder'),
  });

  it('stays below a handful a minute, whatever the server does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 40 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (events, luck) => {
          const { server, clock, stop } = watch({ random: () => luck });
          for (const { afterMs, does } of events) {
            await clock.advance(afterMs);
            if (does === 'drop') server.drop();
            if (does === 'refuse') server.signInError = refused;
            if (does === 'vanish') server.signInError = unreachable;
            if (does === 'recover') server.signInError = undefined;
            if (does === 'announce') server.put(1);
            if (does === 'lose-folder') server.folders.clear();
            if (does === 'find-folder') server.folders.set('INBOX', { uidValidity: '7', messages: new Map() });
          }
          await stop();
          for (const from of server.dials) {
            const within = server.dials.filter((at) => at >= from && at < from + MINUTE_MS).length;
            assert.ok(within <= MOST_IN_A_MINUTE, `${within} sign-ins in a minute`);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('stays that low for a server that takes the sign-in and drops the line each time', async () => {
    const { server, clock } = watch({ random: () => 0 });
    for (let ms = 0; ms < HOUR_MS; ms += 100) {
      server.drop();
      await clock.advance(100);
    }
    for (const from of server.dials) {
      const within = server.dials.filter((at) => at >= from && at < from + MINUTE_MS).length;
      assert.ok(within <= MOST_IN_A_MINUTE, `${within} sign-ins in a minute`);
    }
  });

  it('is two a minute at the most after the first minute, for ten minutes of that', async () => {
    const { server, clock } = watch({ random: () => 0 });
    const start = clock.now();
    for (let ms = 0; ms < 10 * MINUTE_MS; ms += 100) {
      server.drop();
      await clock.advance(100);
    }
    const later = server.dials.filter((at) => at >= start + MINUTE_MS);
    assert.ok(later.length > 0);
    for (const from of later) {
      const within = later.filter((at) => at >= from && at < from + MINUTE_MS).length;
      assert.ok(within <= 2, `${within} sign-ins in a minute`);
    }
  });
});
