import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { mapConcurrently } from '../../src/lib/concurrency.ts';

describe('work on many items', () => {
  it('gives the results in the order of the items, with no more under way than the limit', async () => {
    let underWay = 0;
    let most = 0;
    const results = await mapConcurrently([5, 1, 4, 2, 3], 2, undefined, async (turns) => {
      underWay += 1;
      most = Math.max(most, underWay);
      for (let done = 0; done < turns; done += 1) await turn();
      underWay -= 1;
      return turns * 10;
    });
    assert.deepEqual(results, [50, 10, 40, 20, 30]);
    assert.equal(most, 2);
  });

  it('fails with the first failure, once all that was under way has been told and has ended', async () => {
    const log: string[] = [];
    const work = mapConcurrently(['bad', 'slow', 'never begun'], 2, undefined, async (item, signal) => {
      if (item === 'bad') throw new Error('bad');
      log.push(`${item} begins`);
      while (!signal.aborted) await turn();
      log.push(`${item} ends`);
      throw new Error('a second failure');
    });
    await assert.rejects(work, /^Error: bad$/);
    assert.deepEqual(log, ['slow begins', 'slow ends']);
  });

  it('ends with the reason of the signal', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const begun: number[] = [];
    const work = mapConcurrently([1, 2, 3], 1, controller.signal, async (item) => {
      begun.push(item);
      controller.abort(reason);
    });
    await assert.rejects(work, reason);
    assert.deepEqual(begun, [1]);
  });
});
