import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS } from '../../src/lib/clock.ts';
import { type NudgeFacts, type NudgeRecord, nextNudge, stepNudge } from '../../src/nudge/nudge.ts';
import { TEST_START_MS as START } from '../support/virtual-clock.ts';

const SETTINGS = { afterMs: 30 * DAY_MS, againMs: 7 * DAY_MS };

/** The days (after the start) on which a person is reminded, looked at every hour. */
function remindedOn(days: number, factsOn: (day: number) => Partial<NudgeFacts>, first?: NudgeRecord): number[] {
  let last = first;
  const reminded: number[] = [];
  for (let now = START; now <= START + days * DAY_MS; now += HOUR_MS) {
    const day = (now - START) / DAY_MS;
    const facts = { newestAt: START, underWay: false, ...factsOn(day) };
    const { record, remind } = stepNudge(last, facts, { ...SETTINGS, now });
    last = record;
    if (remind) reminded.push(Math.floor(day));
  }
  return reminded;
}

describe('The reminder to ask for an export', () => {
  it('comes 30 days after the newest export was made, then weekly', () => {
    assert.deepEqual(
      remindedOn(60, () => ({})),
      [30, 37, 44, 51, 58],
    );
  });

  it('does not come as long as there are new snapshots', () => {
    assert.deepEqual(
      remindedOn(90, (day) => ({ newestAt: START + Math.floor(day / 28) * 28 * DAY_MS })),
      [],
    );
  });

  it('does not come while an export is under way, nor in the week after it came to nothing', () => {
    assert.deepEqual(
      remindedOn(50, (day) => ({ underWay: day > 28 && day < 35 })),
      [41, 48],
    );
  });

  it('comes 3 days after the first start where there never was a snapshot, then weekly', () => {
    assert.deepEqual(
      remindedOn(20, () => ({ newestAt: undefined })),
      [3, 10, 17],
    );
  });

  it('counts from the first export on as soon as there is one', () => {
    assert.deepEqual(
      remindedOn(50, (day) => ({ newestAt: day < 12 ? undefined : START + 12 * DAY_MS })),
      [3, 10, 42, 49],
    );
  });

  it('comes at once for an export that was old when it was taken in, and is told apart from the next', () => {
    assert.deepEqual(
      remindedOn(8, () => ({ newestAt: START - 400 * DAY_MS })),
      [0, 7],
    );
  });

  it('is announced for the moment at which it comes', () => {
    const record = fc.record({
      what: fc.constantFrom<NudgeRecord['what'][]>('first-seen', 'under-way', 'nudged'),
      at: fc.integer({ min: START - 40 * DAY_MS, max: START }),
    });
    const newestAt = fc.option(fc.integer({ min: START - 60 * DAY_MS, max: START }), { nil: undefined });
    fc.assert(
      fc.property(record, newestAt, (last, newest) => {
        const facts = { newestAt: newest, underWay: false };
        const at = nextNudge(last, facts, { ...SETTINGS, now: START });
        assert.equal(stepNudge(last, facts, { ...SETTINGS, now: at }).remind, true);
        assert.equal(stepNudge(last, facts, { ...SETTINGS, now: at - 1 }).remind, false);
      }),
    );
  });
});
