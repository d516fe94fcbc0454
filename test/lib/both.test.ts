import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { both } from '../../src/lib/both.ts';

/** Work that ends, a little late, when it is told to stop. */
function untilStopped(onEnd: () => void): (signal: AbortSignal) => Promise<never> {
  return (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () =>
        setImmediate(() => {
          onEnd();
          reject(new Error('stopped'));
        }),
      );
    });
}

describe('Two pieces of work side by side', () => {
  it('give both results', async () => {
    const results = await both(
      undefined,
      async () => 1,
      async () => 'two',
    );
    assert.deepEqual(results, [1, 'two']);
  });

  it('fail with the first failure, and only when both have ended', async () => {
    let ended = false;
    const failure = new Error('the first failure');
    const fail = async () => {
      throw failure;
    };
    const stopped = untilStopped(() => {
      ended = true;
    });
    await assert.rejects(both(undefined, stopped, fail), failure);
    assert.equal(ended, true);
    await assert.rejects(
      both(
        undefined,
        fail,
        untilStopped(() => undefined),
      ),
      failure,
    );
  });

  it('are both stopped from outside, for the reason given', async () => {
    const parent = new AbortController();
    const ends: string[] = [];
    const work = both(
      parent.signal,
      untilStopped(() => ends.push('first')),
      untilStopped(() => ends.push('second')),
    );
    const reason = new Error('the service is stopped');
    parent.abort(reason);
    await assert.rejects(work, reason);
    assert.deepEqual(ends.sort(), ['first', 'second']);
  });
});
