import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { count, formatBytes, formatDuration, formatMoment, formatTimeLeft, listed } from '../../src/lib/text.ts';

describe('a size', () => {
  const sizes: [number, string][] = [
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [99_949, '99.9 kB'],
    [99_960, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [4_844_070_786, '4.8 GB'],
    [2_000_000_000_000, '2.0 TB'],
    [5_000_000_000_000_000, '5000 TB'],
  ];
  for (const [bytes, text] of sizes) it(`of ${bytes} bytes is ${text}`, () => assert.equal(formatBytes(bytes), text));

  it('has at most three digits that count, up to terabytes', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 9e14, noNaN: true }), (bytes) => {
        assert.match(formatBytes(bytes), /^(\d{1,3}|\d{1,2}\.\d) (B|kB|MB|GB|TB)$/);
      }),
    );
  });
});

describe('a duration', () => {
  const durations: [number, string][] = [
    [-5, '0 ms'],
    [0, '0 ms'],
    [850, '850 ms'],
    [1_000, '1.0 s'],
    [9_949, '9.9 s'],
    [9_960, '10 s'],
    [59_400, '59 s'],
    [59_999, '59 s'],
    [MINUTE_MS, '1 min'],
    [4 * MINUTE_MS + 59 * SECOND_MS, '4 min 59 s'],
    [HOUR_MS, '1 h'],
    [23 * HOUR_MS + 5 * MINUTE_MS + 7 * SECOND_MS, '23 h 5 min'],
    [DAY_MS, '24 h'],
    [2 * DAY_MS, '2 d'],
    [7 * DAY_MS + 3 * HOUR_MS, '7 d 3 h'],
  ];
  for (const [ms, text] of durations) it(`of ${ms} ms is ${text}`, () => assert.equal(formatDuration(ms), text));

  it('has no unit that is full', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 * DAY_MS }), (ms) => {
        const text = formatDuration(ms);
        for (const [, value, unit] of text.matchAll(/(\d+(?:\.\d)?) (ms|s|min|h|d)/g)) {
          const full = { ms: 1000, s: 60, min: 60, h: 48, d: 101 }[unit ?? ''] ?? 0;
          assert.ok(Number(value) < full, text);
        }
      }),
    );
  });
});

describe('a moment', () => {
  it('is told in UTC, to the minute', () => {
    assert.equal(formatMoment(Date.UTC(2026, 10, 21, 19, 5, 59, 999)), '2026-11-21 19:05 UTC');
  });
});

describe('a count', () => {
  it('is told with its noun', () => {
    assert.deepEqual(
      [count(0, 'file'), count(1, 'file'), count(3303, 'file'), count(2, 'mailbox', 'mailboxes')],
      ['0 files', '1 file', '3,303 files', '2 mailboxes'],
    );
  });
});

describe('A list in a sentence', () => {
  it('has commas, and an "and" before its last word', () => {
    assert.deepEqual(
      [listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c']), listed([])],
      ['a', 'a and b', 'a, b and c', ''],
    );
  });
});

describe('The time that is left', () => {
  const MINUTE_MS = 60_000;
  for (const [minutes, text] of [
    [24 * 60 - 0.03, '24 h'],
    [12 * 60 + 2, '12 h'],
    [11 * 60 + 50, '11 h 50 min'],
    [2 * 60, '2 h'],
    [119, '1 h 59 min'],
    [4.5, '4 min 30 s'],
  ] as const)
    it(`of ${minutes} minutes is ${text}`, () => assert.equal(formatTimeLeft(minutes * MINUTE_MS), text));
});
