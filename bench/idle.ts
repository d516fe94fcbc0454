import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE_MS } from '../src/lib/clock.ts';
import { chatkeep, Service } from '../test/support/service.ts';
import { startWorld } from '../test/support/world.ts';
import type { Bench, Figures } from './bench.ts';
import { cpuMsOf, peakRssOf, rssOf } from './measure.ts';
import { writeMillionMessages } from './support/million-messages.ts';
import { buildProgram, PROGRAM } from './support/program.ts';

const MINUTES = 10;
const MOST_BYTES = 90 * 1024 * 1024;
const MOST_SHARE = 0.001;

/** Reading a part of the snapshots again is work; it would begin ten minutes after the start, and then once a week. */
const WITHOUT_WORK = { CHATKEEP_VERIFY_EVERY_DAYS: '0' };

/** What the service takes while nothing happens: one mailbox at a real Dovecot, and everything that it does now and then. */
export const idle: Bench = {
  name: 'idle',
  summary: `memory and CPU of the service over ${MINUTES} minutes without work, with a catalog of a million messages`,
  needs: [{ path: '/usr/sbin/dovecot', debianPackage: 'dovecot-imapd' }],
  async run(say) {
    await buildProgram();
    await using world = await startWorld();
    say('making an export, and taking it in …');
    const zip = join(world.exports, 'export.zip');
    await writeMillionMessages(zip);
    await succeeded(['import', zip], world.settings);
    await rm(zip);
    await succeeded(['catalog', 'update'], world.settings);
    const { messages } = JSON.parse(await succeeded(['stats', '--json'], world.settings));

    say(`nothing happens for ${MINUTES} minutes …`);
    await using service = new Service({ ...world.settings, ...WITHOUT_WORK, CHATKEEP_LOG_LEVEL: 'info' }, PROGRAM);
    await using bare = bareNode();
    await service.printed('watching');
    await sleep(MINUTE_MS);
    const [from, cpuBefore] = [performance.now(), await cpuMsOf(service.pid)];
    await sleep(MINUTES * MINUTE_MS);
    const wallMs = performance.now() - from;
    const cpuMs = (await cpuMsOf(service.pid)) - cpuBefore;
    const [rss, ofNode] = [await rssOf(service.pid), await rssOf(bare.pid)];
    const share = cpuMs / wallMs;
    const rows: Figures[] = [
      {
        tool: 'chatkeep',
        wall_ms: Math.round(wallMs),
        cpu_ms: cpuMs,
        share_of_a_core: share.toFixed(5),
        rss_bytes: rss,
        peak_rss_bytes: await peakRssOf(service.pid),
        messages,
      },
      { tool: 'node alone', wall_ms: Math.round(wallMs), rss_bytes: ofNode },
    ];
    return {
      name: 'idle',
      goal: `resident memory ≤ ${MOST_BYTES / 1024 / 1024} MiB, ≤ ${MOST_SHARE * 100} % of a core`,
      ratio: rss / MOST_BYTES,
      met: rss <= MOST_BYTES && share <= MOST_SHARE,
      rows,
    };
  },
};

/** Gives what the command printed. */
export async function succeeded(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout, stderr } = await chatkeep(args, env, PROGRAM);
  if (code !== 0) throw new Error(`chatkeep ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

/** Node with nothing in it. */
export function bareNode(): { readonly pid: number } & AsyncDisposable {
  const child = execFile(process.execPath, ['--max-semi-space-size=2', '--eval', 'setInterval(() => {}, 60_000)']);
  return {
    pid: child.pid ?? -1,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
    },
  };
}
