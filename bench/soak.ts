import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { formatBytes } from '../src/lib/text.ts';
import { startSoakWorld } from '../test/support/soak.ts';
import type { Bench, Figures } from './bench.ts';
import { cpuMsOf, peakRssOf } from './measure.ts';
import type { SoakReport, SoakSample } from './soak-watcher.ts';

const SIZE = { reconnects: 2_000, mails: 10_000 };
/** Of V8's heap, over the second half of the run: what a single object of each connection that stays would take. */
const GOAL_BYTES_A_RECONNECT = 100;

/** Whether a mailbox that is watched for years takes ever more memory. Takes about a quarter of an hour. */
export const soak: Bench = {
  name: 'soak',
  summary: `memory and handles over ${SIZE.reconnects} reconnections and ${SIZE.mails} mails, at a real Dovecot`,
  needs: [{ path: '/usr/sbin/dovecot', debianPackage: 'dovecot-imapd' }],
  async run(say) {
    await using world = await startSoakWorld();
    const watcher = startWatcher(JSON.stringify(world.place));
    const samples: (SoakSample & { readonly share: number })[] = [];
    const from = performance.now();
    const result = await world.run(SIZE, watcher, async (share) => {
      const sample = await watcher.sample();
      samples.push({ share, ...sample });
      say(`${Math.round(share * 100)} %: heap ${formatBytes(sample.heap)}, memory ${formatBytes(sample.rss)}`);
    });
    const wallMs = performance.now() - from;
    const [cpuMs, rssBytes] = [await cpuMsOf(watcher.pid), await peakRssOf(watcher.pid)];
    const stopped = await watcher.stop();
    const secondHalf = samples.filter(({ share }) => share >= 0.5);
    const slopeOf = (figure: 'heap' | 'rss' | 'external') =>
      Math.round(slope(secondHalf.map((sample) => [sample.share * SIZE.reconnects, sample[figure]])));
    const heapSlope = slopeOf('heap');
    const row: Figures = {
      tool: 'chatkeep',
      wall_ms: Math.round(wallMs),
      cpu_ms: cpuMs,
      rss_bytes: rssBytes,
      bytes: 0,
      reconnects: result.reconnects,
      mails: result.mails,
      mails_wrong: result.wrong.length,
      cut_without_a_word: result.cuts.reset,
      cut_orderly: result.cuts.end,
      kicked: result.cuts.kick,
      heap_bytes_a_reconnect: heapSlope,
      external_bytes_a_reconnect: slopeOf('external'),
      rss_bytes_a_reconnect: slopeOf('rss'),
      resources_most: Math.max(...samples.map(({ resources }) => resources)),
      resources_after: stopped.resources,
      open_files_most: Math.max(...samples.map(({ openFiles }) => openFiles)),
      open_files_after: stopped.openFiles,
      heap_bytes_over_time: samples.map(({ heap }) => heap).join(' '),
      rss_bytes_over_time: samples.map(({ rss }) => rss).join(' '),
    };
    return {
      name: 'soak',
      goal: `heap grows by at most ${GOAL_BYTES_A_RECONNECT} bytes a reconnection in the second half; each mail once`,
      ratio: heapSlope / GOAL_BYTES_A_RECONNECT,
      met: heapSlope <= GOAL_BYTES_A_RECONNECT && result.wrong.length === 0,
      rows: [row],
    };
  },
};

function startWatcher(place: string) {
  const script = fileURLToPath(new URL('soak-watcher.ts', import.meta.url));
  // The young generation as the service has it (src/cli/main.ts).
  const child = fork(script, [place], { execArgv: ['--expose-gc', '--max-semi-space-size=2'] });
  const outcomes = new Map<string, string[]>();
  let signIns = 0;
  let onSample: (sample: SoakSample) => void = () => undefined;
  child.on('message', (message) => {
    const report = message as SoakReport;
    switch (report.kind) {
      case 'signed-in':
        signIns += 1;
        break;
      case 'handed-on':
        outcomes.set(report.messageId, [...(outcomes.get(report.messageId) ?? []), report.outcome]);
        break;
      case 'sample':
        onSample(report.sample);
        break;
    }
  });
  const ask = async (order: 'sample' | 'stop'): Promise<SoakSample> => {
    const { promise, resolve } = Promise.withResolvers<SoakSample>();
    onSample = resolve;
    child.send(order);
    return promise;
  };
  return {
    pid: child.pid ?? 0,
    outcomes,
    signIns: () => signIns,
    sample: () => ask('sample'),
    async stop(): Promise<SoakSample> {
      const exited = once(child, 'exit');
      const last = await ask('stop');
      await exited;
      return last;
    },
  };
}

/** Of the straight line that fits best (least squares). */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const over = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return over / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
