import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempDir } from '../support/temp-dir.ts';
import type { DeadWeek } from './dead-endpoint.ts';

const run = promisify(execFile);

const SCRIPT = fileURLToPath(new URL('dead-endpoint.ts', import.meta.url));

/** A message is of 20 kB and more: were they held in memory, it would be far more than this, which leaves room for code. */
const MOST_BYTES_A_MESSAGE = 10_000;

describe('an endpoint that is dead for a week', () => {
  it('takes no memory for what waits for it, is seldom asked, and gets one message when it is back', async (t) => {
    await using directory = await tempDir();
    const { stdout } = await run(process.execPath, ['--expose-gc', SCRIPT, directory.path]);
    const week = JSON.parse(stdout) as DeadWeek;
    const recorded = (week.messages * 6) / 7;
    const bytesAMessage = (week.heapAfterWeek - week.heapAfterDay) / recorded;
    t.diagnostic(`${Math.round(bytesAMessage)} bytes of heap a waiting message; ${week.attempts} attempts`);
    assert.ok(bytesAMessage < MOST_BYTES_A_MESSAGE, `${bytesAMessage} bytes`);
    // Hourly but for the first few.
    assert.ok(week.attempts < 7 * 24 * 2, `${week.attempts} attempts`);
    assert.deepEqual(week.arrived, ['digest']);
    assert.equal(week.stillWaiting, 0);
  });
});
