import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takeEngine } from '../test/support/docker/engine.ts';
import { startDockerWorld } from '../test/support/docker/world.ts';
import { assertWholeSnapshot } from '../test/support/world.ts';
import type { Bench } from './bench.ts';

const LIMIT_MB = 384;
const PATIENCE_MS = 60 * 60_000;

/** Whether a container's memory is enough for a very large export. Needs about 20 GB of disk for temporary files. */
export const dockerMemory: Bench = {
  name: 'docker-memory',
  summary: `a 5 GB export with a 600 MB conversations.json in a container that is limited to ${LIMIT_MB} MB`,
  needs: [{ path: '/usr/bin/docker', debianPackage: 'docker.io' }],
  async run(say) {
    await using _engine = await takeEngine();
    await using world = await startDockerWorld();
    const limits = [`--memory=${LIMIT_MB}m`, `--memory-swap=${LIMIT_MB}m`];
    const container = await world.start({ options: limits, env: { CHATKEEP_LOG_LEVEL: 'info' } });
    say('making an export of 5 GB …');
    const { bytes } = await world.deliver({
      seed: 'bench',
      conversationsBytes: 600_000_000,
      assetBytes: 4_700_000_000,
    });
    const from = performance.now();
    const [snapshot = ''] = await world.snapshots(1, PATIENCE_MS);
    const wallMs = Math.round(performance.now() - from);
    await assertWholeSnapshot(snapshot);
    const { counts, findings } = JSON.parse(await readFile(join(snapshot, '.chatkeep/snapshot.json'), 'utf8'));
    const outOfMemory = await container.inspect('{{.State.OOMKilled}}');
    const restarts = Number(await container.inspect('{{.RestartCount}}'));
    const cgroup = await container.exec(
      ...['sh', '-c', 'cat /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null'],
    );
    for (const finding of findings) say(finding);
    return {
      name: 'docker-memory',
      goal: `kept and counted within ${LIMIT_MB} MB, no process ended for want of memory`,
      // The cache of files included, which the kernel gives back.
      ratio: Number(cgroup.stdout.trim().split('\n')[0]) / (LIMIT_MB * 1024 * 1024),
      met: outOfMemory === 'false' && restarts === 0 && counts.conversations > 0 && (await container.stop()) === 0,
      rows: [
        {
          tool: 'chatkeep',
          wall_ms: wallMs,
          bytes,
          out_of_memory: outOfMemory,
          conversations: counts.conversations ?? 0,
        },
      ],
    };
  },
};
