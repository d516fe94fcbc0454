import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Allotment, type Piece } from '../../../src/download/fetch/allotment.ts';
import { type Extent, Extents } from '../../../src/download/part/extents.ts';

const LEAST = 10;

/** A body of which nothing has arrived. */
class Body {
  arrived: Extents = Extents.NONE;
  readonly allotment: Allotment;
  readonly #total: number;

  constructor(total: number) {
    this.#total = total;
    this.allotment = new Allotment(() => this.missing, LEAST);
  }

  get missing(): Extent[] {
    return this.arrived.missing(this.#total);
  }

  arrive(extent: Extent): void {
    this.arrived = this.arrived.with(extent);
  }
}

/** Lets each connection in turn take a piece, and all of it arrive, until nothing is left; gives the pieces. */
function pieces(total: number, connections: number): Piece[] {
  const body = new Body(total);
  const taken: Piece[] = [];
  const underWay: Piece[] = [];
  for (;;) {
    const piece = body.allotment.take(connections);
    if (piece !== undefined) {
      taken.push(piece);
      underWay.push(piece);
    }
    if (piece !== undefined && underWay.length < connections) continue;
    const oldest = underWay.shift();
    if (oldest === undefined) return taken;
    body.arrive(oldest);
    body.allotment.release(oldest);
  }
}

describe('the pieces of a body', () => {
  it('are together the body, one after another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 8 }), (total, connections) => {
        let end = 0;
        for (const piece of pieces(total, connections)) {
          assert.equal(piece.start, end);
          assert.ok(piece.end > piece.start);
          end = piece.end;
        }
        assert.equal(end, total);
      }),
    );
  });

  it('are one for one connection', () => {
    assert.deepEqual(pieces(5000, 1), [{ start: 0, end: 5000 }]);
  });

  it('become smaller towards the end, but none too small to be worth a request', () => {
    const sizes = pieces(5000, 4).map(({ start, end }) => end - start);
    assert.equal(sizes[0], 625);
    assert.ok(
      sizes.every((size) => size >= LEAST),
      String(sizes),
    );
    assert.ok(
      sizes.every((size, index) => size <= (sizes[index - 1] ?? size) + LEAST),
      String(sizes),
    );
    assert.ok((sizes.at(-1) ?? 0) < 2 * LEAST);
  });

  it('are few: their number grows with the logarithm of the size', () => {
    assert.ok(pieces(5_000_000, 4).length < 100, String(pieces(5_000_000, 4).length));
  });

  it('are not shared out at all where the body is small', () => {
    assert.deepEqual(pieces(2 * LEAST - 1, 4), [{ start: 0, end: 2 * LEAST - 1 }]);
  });
});

describe('a piece', () => {
  it('that was not fetched to its end is taken by the next', () => {
    const body = new Body(1000);
    const piece = body.allotment.take(2);
    assert.deepEqual(piece, { start: 0, end: 250 });
    body.arrive({ start: 0, end: 100 });
    body.allotment.release(piece);
    assert.deepEqual(body.allotment.take(1), { start: 100, end: 1000 });
  });

  it('is not taken twice, even where nothing of it has arrived', () => {
    const body = new Body(1000);
    body.allotment.take(1);
    assert.equal(body.allotment.take(1), undefined);
  });

  it('without end can be left to others but for its share', () => {
    const body = new Body(1000);
    const all = body.allotment.takeAll();
    assert.deepEqual(all, { start: 0, end: Number.POSITIVE_INFINITY });
    assert.deepEqual(body.allotment.divide(all, 2), { start: 0, end: 250 });
    assert.deepEqual(body.allotment.take(1), { start: 250, end: 1000 });
  });

  it('of a body without a known length is all of its rest', () => {
    const body = new Body(Number.POSITIVE_INFINITY);
    body.arrive({ start: 0, end: 70 });
    assert.deepEqual(body.allotment.take(1), { start: 70, end: Number.POSITIVE_INFINITY });
  });

  it('of nothing is empty', () => {
    const body = new Body(0);
    assert.deepEqual(body.allotment.divide(body.allotment.takeAll(), 1), { start: 0, end: 0 });
  });
});
