import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { runTogether } from '../../src/lib/together.ts';

/** A part that goes on until it is told to stop, and then takes a moment. */
function part(name: string, log: string[]) {
  return async (signal: AbortSignal) => {
    log.push(`${name} begins`);
    while (!signal.aborted) await turn();
    await turn();
    log.push(`${name} ends`);
  };
}

describe('parts that run together', () => {
  it('end together when they are told to', async () => {
    const log: string[] = [];
    const stop = new AbortController();
    const running = runTogether([part('one', log), part('two', log)], stop.signal);
    await turn();
    assert.deepEqual(log, ['one begins', 'two begins']);
    stop.abort();
    await running;
    assert.deepEqual(log.slice(2).sort(), ['one ends', 'two ends']);
  });

  it('end when one of them fails, with what it has thrown, once the others have stopped', async () => {
    const log: string[] = [];
    const failure = new Error('the first failure');
    const failing = async () => {
      await turn();
      throw failure;
    };
    const failingLater = async (signal: AbortSignal) => {
      await part('two', log)(signal);
      throw new Error('a later failure');
    };
    await assert.rejects(runTogether([part('one', log), failing, failingLater], new AbortController().signal), failure);
    assert.deepEqual(log.slice(2).sort(), ['one ends', 'two ends']);
  });

  it('may end by themselves', async () => {
    await runTogether([async () => {}, async () => {}], new AbortController().signal);
    await runTogether([], new AbortController().signal);
  });
});
