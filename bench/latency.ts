import type { Bench } from './bench.ts';
import { CAPTURE_NEEDS, measureCaptures } from './capture.ts';

const GOAL_MS = 1_000;

/** How soon an export of 50 MB is safe. */
export const latency: Bench = {
  name: 'latency',
  summary: 'mail delivered until the snapshot of a 50 MB export is committed and told, beside curl + unzip alone',
  needs: CAPTURE_NEEDS,
  async run(say) {
    const { ours, peer } = await measureCaptures(
      {
        rounds: 9,
        conversations: 200,
        exportOptions: { generation: 'G5', conversationsBytes: 20_000_000, assetBytes: 40_000_000 },
        patienceMs: 60_000,
      },
      say,
    );
    return {
      name: 'latency',
      goal: `median wall time ≤ ${GOAL_MS} ms over loopback`,
      ratio: ours.wall_ms / peer.wall_ms,
      met: ours.wall_ms <= GOAL_MS,
      rows: [ours, peer],
    };
  },
};
