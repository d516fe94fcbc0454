import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { requestedRange } from './range.ts';

describe('a Range header', () => {
  const ignored = [
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=1-2,5-6',
    'items=0-5',
    'bytes=a-b',
    'bytes 0-5',
  ];
  for (const header of ignored) {
    it(`is ignored: ${header}`, () => assert.deepEqual(requestedRange(header, 100), { kind: 'whole' }));
  }

  for (const header of ['bytes=100-', 'bytes=100-200', 'bytes=-0']) {
    it(`cannot be satisfied out of 100 bytes: ${header}`, () =>
      assert.deepEqual(requestedRange(header, 100), { kind: 'unsatisfiable' }));
  }

  it('is cut to what there is', () => {
    assert.deepEqual(requestedRange('bytes=90-999', 100), { kind: 'part', first: 90, last: 99 });
    assert.deepEqual(requestedRange('bytes=-999', 100), { kind: 'part', first: 0, last: 99 });
  });

  it('cannot be satisfied by nothing', () => {
    assert.deepEqual(requestedRange('bytes=0-', 0), { kind: 'unsatisfiable' });
    assert.deepEqual(requestedRange('bytes=-1', 0), { kind: 'unsatisfiable' });
  });

  it('names the bytes from the first to the last, to the end, or the last so many', () => {
    const bytes = fc.integer({ min: 1, max: 1000 }).map((size) => Array.from({ length: size }, (_, index) => index));
    const at = fc.nat(1200);
    fc.assert(
      fc.property(bytes, at, at, (all, a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        assert.deepEqual(taken(all, `bytes=${from}-${to}`), all.slice(from, to + 1));
        assert.deepEqual(taken(all, `BYTES=${from}-`), all.slice(from));
        assert.deepEqual(taken(all, `bytes=-${to}`), to === 0 ? [] : all.slice(-to));
      }),
    );
  });
});

function taken(all: readonly number[], header: string): readonly number[] {
  const range = requestedRange(header, all.length);
  assert.notEqual(range.kind, 'whole');
  return range.kind === 'part' ? all.slice(range.first, range.last + 1) : [];
}
