import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ValueScanner } from '../../../src/chatgpt/json/value-scanner.ts';

/** Where the value that `bytes` begin with ends, handed over in pieces that end at `cuts`; -1 where it does not. */
function endOf(bytes: Buffer, cuts: readonly number[] = []): number {
  const scanner = new ValueScanner();
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  for (const [index, from] of edges.entries()) {
    const end = scanner.scan(bytes.subarray(from, edges[index + 1] ?? bytes.length));
    if (end !== -1) return from + end;
  }
  return -1;
}

const cuts = fc.array(fc.nat(10_000), { maxLength: 12 });
/** Texts that are as hard as they come: quotes, backslashes, brackets, and long enough for the native search. */
const hardText = fc
  .array(fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', 'é', '\n', 'x'.repeat(90)))
  .map((parts) => parts.join(''));
const hardJson = fc.json().chain((json) => hardText.map((text): unknown => [JSON.parse(json), { [text]: text }, text]));

describe('The scanner of a JSON value', () => {
  it('finds the end of any array or object, however it is printed and cut into pieces', () => {
    fc.assert(
      fc.property(hardJson, fc.constantFrom(undefined, 2), cuts, hardText, (value, indent, where, behind) => {
        const json = Buffer.from(JSON.stringify(value, null, indent));
        assert.equal(endOf(Buffer.concat([json, Buffer.from(behind)]), where), json.length);
      }),
      { numRuns: 400 },
    );
  });

  it('finds the end of any text', () => {
    fc.assert(
      fc.property(hardText, cuts, hardText, (text, where, behind) => {
        const json = Buffer.from(JSON.stringify(text));
        assert.equal(endOf(Buffer.concat([json, Buffer.from(behind)]), where), json.length);
      }),
      { numRuns: 400 },
    );
  });

  it('finds no end in what is cut short', () => {
    fc.assert(
      fc.property(hardJson, fc.nat(), cuts, (value, at, where) => {
        const json = Buffer.from(JSON.stringify(value));
        assert.equal(endOf(json.subarray(0, at % json.length), where), -1);
      }),
    );
  });

  it('comes to the same end in any bytes, in one piece or in many', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      fc.array(fc.constantFrom(...Buffer.from('{}[]",\\x')), { maxLength: 500 }),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom('{', '[', '"'), cuts, (behind, first, where) => {
        const all = Buffer.concat([Buffer.from(first), Buffer.from(behind)]);
        assert.equal(endOf(all, where), endOf(all));
      }),
      { numRuns: 400 },
    );
  });

  it('counts values, so that many small ones can be told from one long text', () => {
    const many = new ValueScanner();
    many.scan(Buffer.from(`[${'{},'.repeat(1000)}0]`));
    const long = new ValueScanner();
    long.scan(Buffer.from(`["${'{},'.repeat(1000)}"]`));
    assert.ok(many.values >= 2000);
    assert.equal(long.values, 1);
  });
});
