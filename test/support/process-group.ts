import type { ChildProcess } from 'node:child_process';

/** Sends a signal to a process that was started detached, and to whatever it has started. */
export function signalGroup(leader: ChildProcess | undefined, signal: NodeJS.Signals): void {
  if (leader?.pid === undefined) return;
  try {
    process.kill(-leader.pid, signal);
  } catch {
    // The group is gone already.
  }
}

const leaders = new Set<ChildProcess>();

/** Kills the group when this process exits, unless it has ended before. */
export function killAtExit(leader: ChildProcess): void {
  if (leaders.size === 0) process.once('exit', killAll);
  leaders.add(leader);
  leader.once('exit', () => {
    leaders.delete(leader);
    if (leaders.size === 0) process.off('exit', killAll);
  });
}

function killAll(): void {
  for (const leader of leaders) signalGroup(leader, 'SIGKILL');
}
