import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.ts';
import type { FuzzCounts } from './fuzz-run.ts';
import { measured } from './measure.ts';

const MUTANTS = 10_000;
const MOST_BYTES = 250 * 1024 * 1024;
const RUN = fileURLToPath(new URL('fuzz-run.ts', import.meta.url));

/** What changed exports do to whoever unpacks them. */
export const fuzz: Bench = {
  name: 'fuzz',
  summary: `${MUTANTS.toLocaleString('en-US')} exports of all generations, changed at random: unpacked or refused, in bounded memory`,
  needs: [{ path: '/usr/bin/time', debianPackage: 'time' }],
  async run() {
    const { output, wallMs, cpuMs, rssBytes } = await measured(process.execPath, [
      '--max-semi-space-size=2',
      RUN,
      String(MUTANTS),
    ]);
    const { unpacked, refused } = JSON.parse(output) as FuzzCounts;
    const reasons = Object.entries(refused).map(
      ([reason, n]) => [`refused_${reason.replaceAll('-', '_')}`, n] as const,
    );
    return {
      name: 'fuzz',
      goal: `nothing but unpacked or refused, peak memory ≤ ${MOST_BYTES / 1024 / 1024} MiB`,
      ratio: rssBytes / MOST_BYTES,
      met: rssBytes <= MOST_BYTES,
      rows: [
        {
          tool: 'chatkeep',
          wall_ms: Math.round(wallMs),
          cpu_ms: cpuMs,
          rss_bytes: rssBytes,
          mutants: MUTANTS,
          unpacked,
          ...Object.fromEntries(reasons),
        },
      ],
    };
  },
};
