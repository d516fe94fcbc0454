import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { backoffMs } from '../../src/lib/backoff.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';

const LIMITS = { firstMs: 2 * SECOND_MS, mostMs: 10 * MINUTE_MS };

describe('the wait before a retry', () => {
  it('doubles from the first to the longest', () => {
    const waits = [1, 2, 3, 4, 9, 10, 11, 1000, Number.MAX_SAFE_INTEGER].map((attempt) =>
      backoffMs(attempt, LIMITS, () => 1),
    );
    assert.deepEqual(waits, [2_000, 4_000, 8_000, 16_000, 512_000, 600_000, 600_000, 600_000, 600_000]);
  });

  it('is drawn from the upper half', () => {
    assert.equal(
      backoffMs(3, LIMITS, () => 0),
      4_000,
    );
    assert.equal(
      backoffMs(3, LIMITS, () => 0.5),
      6_000,
    );
  });

  it('is within its bounds for any attempt, limits and luck', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer(), fc.nat(1e6), fc.nat(1e9), random, (attempt, firstMs, mostMs, luck) => {
        const wait = backoffMs(attempt, { firstMs, mostMs }, () => luck);
        assert.ok(Number.isInteger(wait) && wait >= 0 && wait <= mostMs);
        assert.ok(wait >= Math.floor(Math.min(firstMs, mostMs) / 2));
      }),
    );
  });
});
