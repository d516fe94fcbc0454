import { CommitStage } from '../test/faults/stage.ts';
import type { Fault, Site } from '../test/faults/strace.ts';
import type { Bench, Figures } from './bench.ts';

const FAULTS: readonly Fault[] = ['KILL', 'ENOSPC', 'EIO'];

/** Whether a commit survives a fault at each of its calls. */
export const crash: Bench = {
  name: 'crash',
  summary: 'chatkeep import killed, or given ENOSPC or EIO, at every single file-system call in turn',
  needs: [{ path: '/usr/bin/strace', debianPackage: 'strace' }],
  async run(say) {
    await using stage = await CommitStage.create();
    const all = await stage.record();
    const rows: Figures[] = [];
    for (const fault of FAULTS) {
      // Killed at a call that only asks, it leaves on the disk what it leaves when it is killed at the next that changes.
      const sites = fault === 'KILL' ? all.filter(({ changes }) => changes) : all;
      rows.push(await tryAll(stage, fault, sites, say));
    }
    const failed = rows.reduce((sum, { failed: own }) => sum + Number(own), 0);
    const missed = rows.reduce((sum, { calls, hit }) => sum + Number(calls) - Number(hit), 0);
    return {
      name: 'crash',
      goal: 'the old or the new state after each, told as it is, and completed by the next start; every call is hit',
      ratio: failed + missed,
      met: failed + missed === 0,
      rows,
    };
  },
};

async function tryAll(
  stage: CommitStage,
  fault: Fault,
  sites: readonly Site[],
  say: (line: string) => void,
): Promise<Figures> {
  const from = performance.now();
  const counts = { hit: 0, old: 0, new: 0, told: 0, failed: 0 };
  for (const [index, site] of sites.entries()) {
    try {
      const { hit, state, ended } = await stage.tryOut(site, fault);
      if (hit) counts.hit += 1;
      else say(`${fault} did not come to pass at ${stage.shortOf(site)}`);
      counts[state] += 1;
      if (ended.code !== null && ended.code !== 0) counts.told += 1;
    } catch (error) {
      counts.failed += 1;
      say(`${fault} at ${stage.shortOf(site)}: ${String(error)}`);
    }
    if (index % 25 === 24) say(`${fault}: ${index + 1} of ${sites.length} calls`);
  }
  return { tool: fault, wall_ms: Math.round(performance.now() - from), calls: sites.length, ...counts };
}
