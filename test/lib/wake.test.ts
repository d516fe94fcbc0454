import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS } from '../../src/lib/clock.ts';
import { Alarm } from '../../src/lib/wake.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

/** An alarm clock in virtual time, and how its sleeps have ended so far. */
function scene() {
  const clock = new VirtualClock();
  const alarm = new Alarm(clock);
  const stop = new AbortController();
  const ended: string[] = [];
  const sleep = (name: string) => alarm.sleep(HOUR_MS, stop.signal).then(() => ended.push(name));
  return { clock, alarm, stop, ended, sleep };
}

describe('an alarm clock', () => {
  it('rings when the time has come, and no sooner', async () => {
    const { clock, ended, sleep } = scene();
    void sleep('one');
    await clock.advance(HOUR_MS - 1);
    assert.deepEqual(ended, []);
    await clock.advance(1);
    assert.deepEqual(ended, ['one']);
  });

  it('can be rung by hand', async () => {
    const { clock, alarm, ended, sleep } = scene();
    void sleep('one');
    await settle();
    alarm.wake();
    await settle();
    assert.deepEqual(ended, ['one']);
    assert.equal(clock.sleeping, 0);
  });

  it('that is rung while nobody sleeps rings at the next sleep, and once', async () => {
    const { clock, alarm, ended, sleep } = scene();
    alarm.wake();
    alarm.wake();
    await sleep('one');
    void sleep('two');
    await settle();
    assert.deepEqual(ended, ['one']);
    await clock.advance(HOUR_MS);
    assert.deepEqual(ended, ['one', 'two']);
  });

  it('that was rung during a sleep does not ring for the next', async () => {
    const { alarm, ended, sleep } = scene();
    void sleep('one');
    await settle();
    alarm.wake();
    await settle();
    void sleep('two');
    await settle();
    assert.deepEqual(ended, ['one']);
    alarm.wake();
    await settle();
    assert.deepEqual(ended, ['one', 'two']);
  });

  it('is quiet when the house is left', async () => {
    const { clock, stop, ended, sleep } = scene();
    void sleep('one');
    await settle();
    stop.abort();
    await settle();
    await sleep('two');
    assert.deepEqual(ended, ['one', 'two']);
    assert.equal(clock.sleeping, 0);
  });
});
