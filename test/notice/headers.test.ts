import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HEADERS_MOST_BYTES, HEADERS_MOST_LINES, readHeaders, readSender, valuesOf } from '../../src/notice/headers.ts';

const OURS = 'noreply@tm.openai.com';

function sender(from: string) {
  return readSender(readHeaders(Buffer.from(`From: ${from}\r\n\r\n`)) ?? []);
}

describe('The header', () => {
  it('is read up to the first empty line, folded lines joined, names in lower case', () => {
    const source = Buffer.from('Subject : a\r\n b\r\nX-Y:z\nno field\r\n\r\nFrom: body');
    assert.deepEqual(readHeaders(source), [
      { name: 'subject', value: 'a b' },
      { name: 'x-y', value: 'z' },
    ]);
  });

  it('gives the values of a field from top to bottom', () => {
    const fields = readHeaders(Buffer.from('A: 1\r\nB: x\r\na: 2\r\n\r\n')) ?? [];
    assert.deepEqual(valuesOf(fields, 'a'), ['1', '2']);
  });

  it('is not read if it is longer than any honest one', () => {
    assert.equal(readHeaders(Buffer.alloc(HEADERS_MOST_BYTES + 1, 'A: b\r\n')), undefined);
  });

  it('is not read if it has more lines than any honest one', () => {
    const lines = (count: number) => Buffer.from(`A: ${'\r\n b'.repeat(count - 1)}\r\n\r\nbody`);
    assert.equal(readHeaders(lines(HEADERS_MOST_LINES))?.length, 1);
    assert.equal(readHeaders(lines(HEADERS_MOST_LINES + 1)), undefined);
  });
});

describe('The sender', () => {
  it('is the address, whatever stands around it', () => {
    const ways = [
      OURS,
      `<${OURS}>`,
      `"a@b.test" <${OURS}>`,
      `${OURS} (a@b.test)`,
      `"x \\" a@b.test" <NoReply@TM.openai.com>`,
    ];
    for (const from of ways) {
      assert.deepEqual(sender(from), { kind: 'one', address: OURS, domain: 'tm.openai.com' }, from);
    }
  });

  it('is read without an error, and is one only if one @ stands outside quotes and comments', () => {
    const piece = fc.constantFrom(
      OURS,
      'x@evil.test',
      '"',
      '(',
      ')',
      '<',
      '>',
      ',',
      ';',
      ':',
      '\\',
      ' ',
      '\r',
      '\0',
      '@',
      '=?utf-8?q?',
      '?=',
    );
    const value = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
      fc.tuple(piece, fc.nat({ max: 5_000 })).map(([each, times]) => each.repeat(times)),
    );
    fc.assert(
      fc.property(value, (from) => {
        const read = sender(from.replace(/\n/g, ''));
        if (read.kind === 'one') assert.ok(read.address.endsWith(`@${read.domain}`));
        // Both addresses in plain sight: no program may take one of them for the only one.
        const bare = from.replace(/["()\\]/g, '');
        if (bare === from && from.includes(OURS) && from.includes('x@evil.test')) assert.notEqual(read.kind, 'one');
      }),
      { numRuns: 2_000 },
    );
  });

  it('is found in a header of any bytes without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        readSender(readHeaders(Buffer.from(bytes)) ?? []);
      }),
    );
  });
});
