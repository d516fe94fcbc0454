import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { TimeoutError, withTimeout } from '../../src/lib/signals.ts';

/** Work that goes on until its signal aborts, and then fails with the signal's reason. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

const never = () => new Promise<never>(() => {});

describe('work with a time limit', () => {
  it('gives its result, and leaves no timer behind', async () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    assert.equal(await withTimeout('the work', 60_000, undefined, async () => 'result'), 'result');
    assert.equal(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length, before);
  });

  it('fails as it fails', async () => {
    const failure = new Error('failed');
    await assert.rejects(
      withTimeout('the work', 60_000, undefined, () => Promise.reject(failure)),
      failure,
    );
    const thrower = () => {
      throw failure;
    };
    await assert.rejects(withTimeout('the work', 60_000, undefined, thrower), failure);
  });

  for (const [how, work] of Object.entries({ 'heeds its signal': untilAborted, 'does not': never })) {
    it(`ends when the time is up, whether or not the work does (it ${how})`, async () => {
      mock.timers.enable({ apis: ['setTimeout'] });
      try {
        const end = withTimeout('the work', 1500, undefined, work);
        mock.timers.tick(1499);
        mock.timers.tick(1);
        await assert.rejects(end, (error) => {
          assert.ok(error instanceof TimeoutError);
          assert.equal(error.message, 'the work took longer than 1.5 s');
          return true;
        });
      } finally {
        mock.timers.reset();
      }
    });

    it(`ends when it is told to, with that reason (it ${how})`, async () => {
      const parent = new AbortController();
      const reason = new Error('enough');
      const end = withTimeout('the work', 60_000, parent.signal, work);
      parent.abort(reason);
      await assert.rejects(end, reason);
    });
  }

  it('is not begun when it has been told to end', async () => {
    const reason = new Error('enough');
    let begun = false;
    const work = async () => {
      begun = true;
    };
    await assert.rejects(withTimeout('the work', 60_000, AbortSignal.abort(reason), work), reason);
    assert.equal(begun, false);
  });
});
