import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';

describe("the machine's clock", () => {
  it('tells the time in ms since the epoch', () => {
    const before = Date.now();
    const now = systemClock.now();
    assert.ok(before <= now && now <= Date.now());
  });

  it('sleeps, and not at all for no time or less', async () => {
    await systemClock.sleep(1);
    await systemClock.sleep(0);
    await systemClock.sleep(-5);
  });

  it('sleeps for longer than a timer can', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    let woken = false;
    const sleep = systemClock.sleep(1e12, stop.signal).then(() => {
      woken = true;
    });
    await systemClock.sleep(20);
    assert.equal(woken, false);
    stop.abort(reason);
    await assert.rejects(sleep, reason);
  });

  it('wakes with the reason of the signal, also of one that has aborted before', async () => {
    const reason = new Error('enough');
    await assert.rejects(systemClock.sleep(60_000, AbortSignal.abort(reason)), reason);
  });
});
