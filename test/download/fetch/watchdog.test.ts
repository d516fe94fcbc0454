import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Watchdog } from '../../../src/download/fetch/watchdog.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** A watchdog at work, with a limit of a second. */
function watching(clock: { now(): number; sleep: VirtualClock['sleep'] }) {
  const watchdog = new Watchdog(1000, clock);
  const ended = new AbortController();
  let barked = false;
  const bark = () => {
    barked = true;
  };
  const end = watchdog.watch(bark, ended.signal);
  return { watchdog, end, ended, barked: () => barked };
}

describe('the watchdog', () => {
  it('barks when nothing is heard for as long as its limit, and no sooner', async () => {
    const clock = new VirtualClock();
    const { watchdog, barked, end } = watching(clock);
    await clock.advance(999);
    watchdog.heard();
    watchdog.listen();
    await clock.advance(999);
    assert.equal(barked(), false);
    await clock.advance(1);
    assert.equal(barked(), true);
    await end;
  });

  it('does not mind how long is spent on what was heard', async () => {
    const clock = new VirtualClock();
    const { watchdog, barked } = watching(clock);
    watchdog.heard();
    await clock.advance(60_000);
    assert.equal(barked(), false);
    watchdog.listen();
    await clock.advance(2000);
    assert.equal(barked(), true);
  });

  it('barks in time, though the clock was set back', async () => {
    let offset = 0;
    const virtual = new VirtualClock();
    const { barked } = watching({ now: () => virtual.now() + offset, sleep: virtual.sleep });
    offset = -3_600_000;
    await virtual.advance(2000);
    assert.equal(barked(), true);
  });

  it('leaves no timer when it is over', async () => {
    const clock = new VirtualClock();
    const { ended, end } = watching(clock);
    ended.abort();
    await end;
    assert.equal(clock.sleeping, 0);
  });
});
