/** A stretch of a body: the bytes from `start` up to `end`, which is not part of it. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** Which bytes of a body are there: stretches in order that neither overlap nor touch. A value: it never changes. */
export class Extents {
  static readonly NONE = new Extents([]);
  readonly list: readonly Extent[];

  private constructor(list: readonly Extent[]) {
    this.list = list;
  }

  /** The stretches may overlap, touch and stand in any order. */
  static of(extents: readonly Extent[]): Extents {
    return extents.reduce<Extents>((all, extent) => all.with(extent), Extents.NONE);
  }

  /** How many bytes are there. */
  get bytes(): number {
    return this.list.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** The end of the last stretch. */
  get end(): number {
    return this.list.at(-1)?.end ?? 0;
  }

  with(extent: Extent): Extents {
    if (extent.end <= extent.start) return this;
    const before = this.list.filter(({ end }) => end < extent.start);
    const after = this.list.filter(({ start }) => start > extent.end);
    const joined = this.list.slice(before.length, this.list.length - after.length);
    const start = Math.min(extent.start, joined[0]?.start ?? extent.start);
    const end = Math.max(extent.end, joined.at(-1)?.end ?? extent.end);
    return new Extents([...before, { start, end }, ...after]);
  }

  /** What is there before `end`. */
  upTo(end: number): Extents {
    return Extents.of(this.list.map((extent) => ({ start: extent.start, end: Math.min(extent.end, end) })));
  }

  /** What is wanting of a body of `total` bytes, in order; `total` may be infinite. */
  missing(total: number): Extent[] {
    const starts = [0, ...this.list.map(({ end }) => end)];
    const ends = [...this.list.map(({ start }) => start), total];
    return starts
      .map((start, index) => ({ start, end: Math.min(ends[index] ?? total, total) }))
      .filter(({ start, end }) => start < end);
  }
}
