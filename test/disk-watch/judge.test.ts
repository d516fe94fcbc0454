import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type DiskState, judgeDisk, limitOf } from '../../src/disk-watch/index.ts';
import { RESERVE_BYTES } from '../../src/lib/space.ts';

const GB = 1e9;
const NO_SHARE = { warnFreePercent: 0 };

function judge(before: DiskState, free: number, { need = 5 * GB, total = 1000 * GB, warnFreePercent = 0 } = {}) {
  return judgeDisk(before, { free, total, need }, { warnFreePercent });
}

describe('A disk', () => {
  it('has enough while the next export fits twice', () => {
    assert.equal(judge('enough', 10 * GB + RESERVE_BYTES), 'enough');
    assert.equal(judge('enough', 10 * GB + RESERVE_BYTES - 1), 'low');
  });

  it('is full when the next export does not fit', () => {
    assert.equal(judge('enough', 5 * GB + RESERVE_BYTES), 'low');
    assert.equal(judge('low', 5 * GB + RESERVE_BYTES - 1), 'full');
  });

  it('has enough, however small it is, where nothing was kept yet', () => {
    assert.equal(judge('enough', 0, { need: 0 }), 'enough');
  });

  it('is low below the share that is to stay free', () => {
    assert.equal(judge('enough', 99 * GB, { warnFreePercent: 10 }), 'low');
    assert.equal(judge('enough', 99 * GB, { need: 0, warnFreePercent: 10 }), 'low');
    assert.equal(judge('enough', 100 * GB, { warnFreePercent: 10 }), 'enough');
  });

  it('does not change its state by less than a quarter of the limit, back and forth', () => {
    const bytes = fc.integer({ min: 1, max: 100 * GB });
    const state = fc.constantFrom<DiskState[]>('enough', 'low', 'full');
    fc.assert(
      fc.property(
        state,
        bytes,
        bytes,
        fc.double({ min: 0.81, max: 1.24, noNaN: true }),
        (before, free, need, factor) => {
          const first = judge(before, free, { need });
          const second = judge(first, free * factor, { need });
          const third = judge(second, free, { need });
          // One way or the other, but never there and back again.
          if (first !== second) assert.equal(third, second);
        },
      ),
    );
    assert.ok(limitOf({ free: 0, total: 1, need: 1 }, NO_SHARE) > 0);
  });
});
