import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { DAY_MS } from '../../src/lib/clock.ts';
import { LastingTrouble } from '../../src/lib/lasting-trouble.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** Trouble in virtual time, and what was logged of it. */
function scene() {
  const clock = new VirtualClock();
  const logged: { level: number; msg: string; file?: string; err?: { message: string } }[] = [];
  const logger = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const trouble = new LastingTrouble({ clock, logger });
  const tell = (why = 'disk I/O error') => trouble.tell(new Error(why), 'it does not work', { file: 'a' });
  const end = () => trouble.end('it works again', { file: 'a' });
  return { clock, logged, tell, end };
}

describe('trouble that lasts', () => {
  it('is logged when it begins, with its reason', () => {
    const { logged, tell } = scene();
    tell('disk full');
    assert.deepEqual(
      logged.map(({ level, msg, file, err }) => [level, msg, file, err?.message]),
      [[50, 'it does not work', 'a', 'disk full']],
    );
  });

  it('is logged again after a day, and no sooner', async () => {
    const { clock, logged, tell } = scene();
    tell();
    await clock.advance(DAY_MS - 1);
    tell();
    assert.equal(logged.length, 1);
    await clock.advance(1);
    tell();
    tell();
    assert.equal(logged.length, 2);
  });

  it('is over once, and then begins anew', () => {
    const { logged, tell, end } = scene();
    tell();
    end();
    end();
    tell();
    assert.deepEqual(
      logged.map(({ level, msg }) => [level, msg]),
      [
        [50, 'it does not work'],
        [30, 'it works again'],
        [50, 'it does not work'],
      ],
    );
  });

  it('that never was is not said to be over', () => {
    const { logged, end } = scene();
    end();
    assert.deepEqual(logged, []);
  });
});
