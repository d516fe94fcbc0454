import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { endOfQuiet, readQuietHours } from '../../src/lib/quiet-hours.ts';

function quiet(text: string) {
  const hours = readQuietHours(text);
  assert(hours !== undefined);
  return hours;
}

const endOf = (text: string, moment: string): string | undefined => {
  const end = endOfQuiet(quiet(text), Date.parse(moment));
  return end === undefined ? undefined : new Date(end).toISOString();
};

describe('quiet hours', () => {
  const zone = process.env.TZ;
  before(() => {
    process.env.TZ = 'Europe/Berlin';
  });
  after(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  it('are read from two times of the day', () => {
    assert.deepEqual(readQuietHours('22:00-07:00'), { from: 22 * 60, to: 7 * 60 });
    assert.deepEqual(readQuietHours(' 9:30 - 10:15 '), { from: 570, to: 615 });
    for (const text of ['', '22-7', '24:00-07:00', '22:60-07:00', '22:00', '22:00-22:00', '22:00-07:00 UTC']) {
      assert.equal(readQuietHours(text), undefined, text);
    }
  });

  it('are those of the clock on the wall, over midnight if need be', () => {
    assert.equal(endOf('22:00-07:00', '2026-11-21T20:59:59Z'), undefined);
    assert.equal(endOf('22:00-07:00', '2026-11-21T21:00:00Z'), '2026-11-22T06:00:00.000Z');
    assert.equal(endOf('22:00-07:00', '2026-11-22T05:59:00Z'), '2026-11-22T06:00:00.000Z');
    assert.equal(endOf('22:00-07:00', '2026-11-22T06:00:00Z'), undefined);
    assert.equal(endOf('12:00-13:30', '2026-11-22T11:15:00Z'), '2026-11-22T12:30:00.000Z');
  });

  it('end at the time on the wall in the nights in which clocks are changed', () => {
    // 2026-03-29: 02:00 becomes 03:00. 2026-10-25: 03:00 becomes 02:00.
    assert.equal(endOf('22:00-07:00', '2026-03-28T22:00:00Z'), '2026-03-29T05:00:00.000Z');
    assert.equal(endOf('22:00-07:00', '2026-10-24T21:00:00Z'), '2026-10-25T06:00:00.000Z');
    // An end that does not exist that night, and one that comes twice.
    assert.equal(endOf('22:00-02:30', '2026-03-28T22:00:00Z'), '2026-03-29T01:00:00.000Z');
    assert.equal(endOf('22:00-02:30', '2026-10-24T21:00:00Z'), '2026-10-25T00:30:00.000Z');
  });

  it('always end later than now, and within a day', () => {
    for (let now = Date.parse('2026-10-23T00:00:00Z'); now < Date.parse('2026-10-27T00:00:00Z'); now += 7 * MINUTE_MS) {
      for (const text of ['22:00-07:00', '00:00-23:59', '02:15-02:45']) {
        const end = endOfQuiet(quiet(text), now);
        assert(
          end === undefined || (end > now && end <= now + 25 * HOUR_MS),
          `${text} at ${new Date(now).toISOString()}`,
        );
        assert(end === undefined || endOfQuiet(quiet(text), end) === undefined);
      }
    }
  });
});
