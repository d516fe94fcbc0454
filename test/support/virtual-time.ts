import { settle, type VirtualClock } from './virtual-clock.ts';

/**
 * Runs `work` to its end, letting the clock jump to the next sleeper whenever nothing is left to do but wait. Real file
 * operations are waited for first, so that a slow disk takes no virtual time.
 */
export async function inVirtualTime<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let ended = false;
  const end = work.finally(() => {
    ended = true;
  });
  // Whoever awaits the result sees the failure; it must not count as unhandled until then.
  end.catch(() => {});
  for (;;) {
    await settle();
    if (ended) return end;
    if (filesAreBusy()) continue;
    const next = clock.nextWake;
    if (next !== undefined) await clock.advance(next - clock.now());
  }
}

/** Whether a file operation of this process is under way. */
function filesAreBusy(): boolean {
  return process.getActiveResourcesInfo().some((resource) => /^(FSReq|CloseReq)/.test(resource));
}
