import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when the condition holds. Rejects after `patienceMs`: long enough that only what hangs takes longer. */
export async function eventually(holds: () => Promise<boolean> | boolean, patienceMs = 60_000): Promise<void> {
  const until = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`It did not come to pass within ${patienceMs / 1000} s: ${holds}`);
    await delay(30);
  }
}
