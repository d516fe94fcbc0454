import fc from 'fast-check';

/** What is done to an archive; places as a share of its bytes, 0 to 1. */
export type Change =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'splice'; readonly at: number; readonly from: number; readonly bytes: number }
  | { readonly kind: 'lie'; readonly at: number; readonly value: number };

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** Near the end lies the directory, where a change does the most. */
const lateOrAny = fc.oneof(
  place,
  place.map((at) => 1 - at * 0.02),
);

/** One to four changes, at any place of an archive and of any kind. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: lateOrAny, bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('cut' as const), at: lateOrAny }),
    fc.record({
      kind: fc.constant('splice' as const),
      at: lateOrAny,
      from: place,
      bytes: fc.integer({ min: 1, max: 500 }),
    }),
    fc.record({
      kind: fc.constant('lie' as const),
      at: lateOrAny,
      value: fc.constantFrom(0, 1, 0x7fffffff, 0xffffffff),
    }),
  ),
  { minLength: 1, maxLength: 4 },
);

/** A changed copy of `zip`. */
export function mutantOf(zip: Buffer, all: readonly Change[]): Buffer {
  let mutant = Buffer.from(zip);
  for (const change of all) {
    const at = Math.min(Math.floor(change.at * mutant.length), mutant.length - 5);
    if (at < 0) break;
    if (change.kind === 'flip') mutant[at] = (mutant[at] ?? 0) ^ (1 << change.bit);
    if (change.kind === 'cut') mutant = mutant.subarray(0, at);
    if (change.kind === 'lie') mutant.writeUInt32LE(change.value, at);
    if (change.kind === 'splice') {
      const from = Math.floor(change.from * mutant.length);
      mutant.set(mutant.subarray(from, from + Math.min(change.bytes, mutant.length - at)), at);
    }
  }
  return mutant;
}
