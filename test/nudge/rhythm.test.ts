import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS } from '../../src/lib/clock.ts';
import { type Counted, growthOf, rhythmFor } from '../../src/nudge/rhythm.ts';
import { TEST_START_MS as START } from '../support/virtual-clock.ts';

function counted(day: number, messages?: number): Counted {
  return { meta: { exportTime: START + day * DAY_MS, counts: messages === undefined ? {} : { messages } } };
}

describe('How fast an account grows', () => {
  it('is told by the first and the newest snapshot of the last half year, a week', () => {
    assert.equal(growthOf([counted(-400, 0), counted(0, 1000), counted(14, 1100), counted(28, 1400)]), 100);
  });

  it('is not told by one snapshot, by two of the same days, or without counts', () => {
    assert.equal(growthOf([]), undefined);
    assert.equal(growthOf([counted(0, 5)]), undefined);
    assert.equal(growthOf([counted(0, 5), counted(2, 500)]), undefined);
    assert.equal(growthOf([counted(0), counted(30)]), undefined);
  });

  it('is not told where messages were deleted', () => {
    assert.equal(growthOf([counted(0, 1000), counted(30, 10)]), undefined);
  });
});

describe('The rhythm that would suit an account', () => {
  for (const [perWeek, days] of [
    [0, 90],
    [20, 90],
    [60, 30],
    [200, 14],
    [500, 7],
    [5000, 7],
  ] as const) {
    it(`is ${days} days with ${perWeek} messages a week`, () => assert.equal(rhythmFor(perWeek), days));
  }
});
