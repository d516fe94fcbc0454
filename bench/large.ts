import type { Bench } from './bench.ts';
import { CAPTURE_NEEDS, measureCaptures } from './capture.ts';

const GOAL_BYTES = 250 * 1024 * 1024;

/** How much memory a very large export takes. Needs about 20 GB of disk for temporary files. */
export const large: Bench = {
  name: 'large',
  summary: 'peak memory of the service over a 5 GB ZIP64 export with a 600 MB conversations.json',
  needs: CAPTURE_NEEDS,
  async run(say) {
    say('making an export of 5 GB …');
    const { ours, peer } = await measureCaptures(
      {
        rounds: 1,
        conversations: 500,
        exportOptions: { generation: 'G3', conversationsBytes: 600_000_000, assetBytes: 4_700_000_000 },
        patienceMs: 30 * 60_000,
      },
      say,
    );
    return {
      name: 'large',
      goal: `peak resident memory of the service ≤ ${GOAL_BYTES / 1024 / 1024} MiB`,
      ratio: ours.rss_bytes / peer.rss_bytes,
      met: ours.rss_bytes <= GOAL_BYTES,
      rows: [ours, peer],
    };
  },
};
