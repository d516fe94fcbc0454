import { type Clock, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';

/** How far apart the moments are at which what looks again and again does so. */
const LOOKS_EVERY_MS = 15 * MINUTE_MS;
/** Waits from here on are those of looking again and again, or as good as that. */
const SHORTEST_LOOK_MS = 2 * SECOND_MS;

/**
 * The same time for months: short pauses that are taken again and again end together, at the next quarter of an hour, as
 * on a machine that is busy. Two months have millions of them otherwise.
 */
export function patientClock(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    sleep: (ms, signal) => {
      if (ms < SHORTEST_LOOK_MS || ms > LOOKS_EVERY_MS) return clock.sleep(ms, signal);
      const wakeAt = Math.ceil((clock.now() + ms) / LOOKS_EVERY_MS) * LOOKS_EVERY_MS;
      return clock.sleep(wakeAt - clock.now(), signal);
    },
  };
}
