import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Crew } from '../../../src/download/fetch/crew.ts';

/** A crew whose work ends when it is told to, one way or another. */
function crew() {
  const works: { readonly signal: AbortSignal; finish(): void; fail(error: unknown): void }[] = [];
  const failures: unknown[] = [];
  const made = new Crew(
    (signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      works.push({ signal, finish: resolve, fail: reject });
      signal.addEventListener('abort', () => reject(signal.reason));
      return promise;
    },
    (error) => failures.push(error),
  );
  return { crew: made, works, failures };
}

describe('a crew', () => {
  it('has as many at work as it was told, and takes on others for those who have finished', async () => {
    const { crew: helpers, works } = crew();
    helpers.muster(2);
    helpers.muster(2);
    assert.equal(works.length, 2);
    works[0]?.finish();
    await turn();
    helpers.muster(2);
    assert.equal(works.length, 3);
    helpers.muster(1);
    assert.equal(works.length, 3);
    await helpers.dismiss();
  });

  it('has ended when the last has, those included who were taken on meanwhile', async () => {
    const { crew: helpers, works } = crew();
    helpers.muster(1);
    let hasEnded = false;
    const ended = helpers.ended().then(() => {
      hasEnded = true;
    });
    helpers.muster(2);
    works[0]?.finish();
    await turn();
    assert.equal(hasEnded, false);
    works[1]?.finish();
    await ended;
  });

  it('can be dismissed, and mustered again', async () => {
    const { crew: helpers, works, failures } = crew();
    helpers.muster(2);
    await helpers.dismiss();
    assert.ok(works.every(({ signal }) => signal.aborted));
    assert.deepEqual(failures, []);
    helpers.muster(1);
    assert.equal(works[2]?.signal.aborted, false);
    await helpers.dismiss();
  });

  it('tells of a failure, and rejects nothing', async () => {
    const { crew: helpers, works, failures } = crew();
    helpers.muster(2);
    works[0]?.fail('why');
    await turn();
    assert.deepEqual(failures, ['why']);
    works[1]?.finish();
    await helpers.ended();
  });
});
