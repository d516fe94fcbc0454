import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Mutex } from '../../src/lib/mutex.ts';

describe('a mutex', () => {
  it('lets one at a time in, in the order of asking, however long each takes and however it ends', async () => {
    const work = fc.record({ turns: fc.nat(5), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(work, { maxLength: 10 }), async (works) => {
        const mutex = new Mutex();
        const log: string[] = [];
        const results = await Promise.allSettled(
          works.map(({ turns, fails }, index) =>
            mutex.run(async () => {
              log.push(`${index} in`);
              for (let done = 0; done < turns; done += 1) await turn();
              log.push(`${index} out`);
              if (fails) throw new Error(`${index}`);
              return index;
            }),
          ),
        );
        assert.deepEqual(
          log,
          works.flatMap((_, index) => [`${index} in`, `${index} out`]),
        );
        assert.deepEqual(
          results.map(({ status }) => status),
          works.map(({ fails }) => (fails ? 'rejected' : 'fulfilled')),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('lets in at once when nobody is in', async () => {
    const mutex = new Mutex();
    assert.equal(await mutex.run(async () => 'one'), 'one');
    assert.equal(await mutex.run(async () => 'two'), 'two');
  });
});
