import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RateLimit } from '../../../src/download/fetch/rate-limit.ts';
import { TEST_START_MS, VirtualClock } from '../../support/virtual-clock.ts';
import { inVirtualTime } from '../../support/virtual-time.ts';

const NEVER = new AbortController().signal;
/** 1 MB/s. */
const RATE = 1_000_000;

describe('a limited line', () => {
  it('is as wide as told, whatever the pieces and however many share it', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.array(sizes, { minLength: 1, maxLength: 8 }), async (connections) => {
        const clock = new VirtualClock();
        const limit = new RateLimit(RATE, clock);
        const run = async (pieces: readonly number[]) => {
          for (const bytes of pieces) await limit.pass(bytes, NEVER);
        };
        await inVirtualTime(clock, Promise.all(connections.map(run)));
        const bytes = connections.flat().reduce((sum, size) => sum + size, 0);
        const tookMs = clock.now() - TEST_START_MS;
        assert.ok(tookMs <= bytes / 1000 + 1, `${bytes} bytes in ${tookMs} ms`);
        assert.ok(tookMs >= bytes / 1000 - 20 - 1, `${bytes} bytes in ${tookMs} ms`);
      }),
      { numRuns: 50 },
    );
  });

  it('does not make up for the time in which nothing came', async () => {
    const clock = new VirtualClock();
    const limit = new RateLimit(RATE, clock);
    await inVirtualTime(clock, limit.pass(1000, NEVER));
    await clock.advance(60_000);
    const from = clock.now();
    await inVirtualTime(clock, limit.pass(500_000, NEVER));
    assert.equal(clock.now() - from, 500);
  });

  it('is not blocked by a clock that is set back', async () => {
    let offset = 0;
    const virtual = new VirtualClock();
    const clock = { now: () => virtual.now() + offset, sleep: virtual.sleep };
    const limit = new RateLimit(RATE, clock);
    await inVirtualTime(virtual, limit.pass(500_000, NEVER));
    offset = -3_600_000;
    const from = virtual.now();
    await inVirtualTime(virtual, limit.pass(500_000, NEVER));
    assert.ok(virtual.now() - from <= 1000);
  });

  it('is left at once when it is aborted', async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const passing = new RateLimit(1, clock).pass(1000, stop.signal);
    const reason = new Error('enough');
    stop.abort(reason);
    await assert.rejects(passing, reason);
    assert.equal(clock.sleeping, 0);
  });
});
