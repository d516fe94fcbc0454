import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { eventually } from './support/eventually.ts';
import { type Soaked, startSoakWorld } from './support/soak.ts';
import { watchForSoak } from './support/soak-watcher.ts';

/* `npm run bench -- soak` is the same with 2,000 reconnections and 10,000 mails, and looks at memory. */

const SIZE = { reconnects: 50, mails: 200 };

describe('A mailbox whose connection breaks again and again', () => {
  it('gives every mail once, read as what it is, and leaves nothing open', async () => {
    await using world = await startSoakWorld();
    const before = await openHandles();
    const outcomes = new Map<string, string[]>();
    let signIns = 0;
    const soaked: Soaked = { signIns: () => signIns, outcomes };
    const stop = new AbortController();
    const watching = watchForSoak(
      world.place,
      {
        onSignIn: () => {
          signIns += 1;
        },
        onHandedOn: (messageId, outcome) => void outcomes.set(messageId, [...(outcomes.get(messageId) ?? []), outcome]),
      },
      stop.signal,
    );
    const { wrong, mails, reconnects } = await world.run(SIZE, soaked);
    stop.abort();
    await watching;
    assert.deepEqual(wrong, []);
    assert.equal(mails, SIZE.mails);
    assert.ok(reconnects >= SIZE.reconnects);
    await eventually(async () => (await openHandles()) <= before);
  });
});

/** What keeps this process alive: sockets, timers, pipes; and its open files. */
async function openHandles(): Promise<number> {
  return process.getActiveResourcesInfo().length + (await readdir('/proc/self/fd')).length;
}
