import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Extent, Extents } from '../../../src/download/part/extents.ts';

const TOTAL = 60;
const stretch: fc.Arbitrary<Extent> = fc
  .tuple(fc.nat(TOTAL), fc.nat(TOTAL))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
const stretches = fc.array(stretch, { maxLength: 12 });

/** Which bytes stretches cover, one by one. */
function covered(extents: readonly Extent[]): Set<number> {
  return new Set(extents.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, index) => start + index)));
}

describe('the stretches of a body', () => {
  it('are the bytes of all that were added, in order, with a gap between each two', () => {
    fc.assert(
      fc.property(stretches, (added) => {
        const extents = Extents.of(added);
        const bytes = covered(added);
        assert.deepEqual(covered(extents.list), bytes);
        assert.equal(extents.bytes, bytes.size);
        assert.equal(extents.end, Math.max(0, ...[...bytes].map((byte) => byte + 1)));
        for (const [index, { start, end }] of extents.list.entries()) {
          assert.ok(start < end);
          assert.ok(start > (extents.list[index - 1]?.end ?? -1));
        }
      }),
    );
  });

  it('and what is missing are the whole body, and share no byte', () => {
    fc.assert(
      fc.property(stretches, fc.nat(TOTAL), (added, total) => {
        const missing = Extents.of(added).missing(total);
        const there = [...covered(added)].filter((byte) => byte < total);
        assert.deepEqual(
          [...covered(missing), ...there].toSorted((a, b) => a - b),
          [...Array(total).keys()],
        );
      }),
    );
  });

  it('can be cut off', () => {
    fc.assert(
      fc.property(stretches, fc.nat(TOTAL), (added, end) => {
        const left = covered(Extents.of(added).upTo(end).list);
        assert.deepEqual(left, new Set([...covered(added)].filter((byte) => byte < end)));
      }),
    );
  });

  it('of a body without a known end leave its rest missing', () => {
    const missing = Extents.of([{ start: 10, end: 20 }]).missing(Number.POSITIVE_INFINITY);
    assert.deepEqual(missing, [
      { start: 0, end: 10 },
      { start: 20, end: Number.POSITIVE_INFINITY },
    ]);
  });

  it('stay as they are when others are made of them', () => {
    const extents = Extents.of([{ start: 0, end: 5 }]);
    extents.with({ start: 5, end: 9 });
    extents.upTo(2);
    assert.deepEqual(extents.list, [{ start: 0, end: 5 }]);
  });
});
