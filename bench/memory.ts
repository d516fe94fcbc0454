import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND_MS } from '../src/lib/clock.ts';
import { createAccount, writeExport } from '../test/support/openai/exports/index.ts';
import { Service } from '../test/support/service.ts';
import { startWorld } from '../test/support/world.ts';
import type { Bench, Figures } from './bench.ts';
import { bareNode, succeeded } from './idle.ts';
import { peakRssOf, rssOf } from './measure.ts';
import { buildProgram, PROGRAM } from './support/program.ts';

const MOST_BYTES = 90 * 1024 * 1024;
const STARTED_MS = 20 * SECOND_MS;
/** V8 gives memory back some seconds after it was needed. */
const CALM_MS = 30 * SECOND_MS;

/** What {@link idle} takes a quarter of an hour for, in a minute: to find where memory goes. */
export const memory: Bench = {
  name: 'memory',
  summary: 'memory of the service with its web page: before anybody looks, and after every page was looked at',
  needs: [{ path: '/usr/sbin/dovecot', debianPackage: 'dovecot-imapd' }],
  async run(say) {
    await buildProgram();
    await using world = await startWorld();
    const zip = join(world.exports, 'export.zip');
    const account = createAccount({ seed: 'memory', conversations: 60 });
    await writeExport(account, { generation: 'G5', stamp: new Date(0), to: zip });
    await succeeded(['import', zip], world.settings);
    await succeeded(['catalog', 'update'], world.settings);

    say('the service starts …');
    const settings = { CHATKEEP_LOG_LEVEL: 'info', CHATKEEP_WEB_LISTEN: '127.0.0.1:0' };
    await using service = new Service({ ...world.settings, ...settings }, PROGRAM);
    await using bare = bareNode();
    await service.printed('watching');
    const from = performance.now();
    const wallMs = () => Math.round(performance.now() - from);
    await sleep(STARTED_MS);
    const rows: Figures[] = [{ tool: 'node alone', wall_ms: wallMs(), rss_bytes: await rssOf(bare.pid) }];
    const idle = await rssOf(service.pid);
    rows.push({ tool: 'chatkeep', wall_ms: wallMs(), rss_bytes: idle });

    say('every page is looked at …');
    const page = /the web page is at (\S+)\//.exec(service.output)?.[1] ?? '';
    for (const place of PLACES) {
      const answer = await fetch(page + place);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`${place} answered with ${answer.status}`);
    }
    await sleep(CALM_MS);
    rows.push({
      tool: 'chatkeep, looked at',
      wall_ms: wallMs(),
      rss_bytes: await rssOf(service.pid),
      peak_rss_bytes: await peakRssOf(service.pid),
    });
    return {
      name: 'memory',
      goal: `resident memory ≤ ${MOST_BYTES / 1024 / 1024} MiB before anybody looks`,
      ratio: idle / MOST_BYTES,
      met: idle <= MOST_BYTES,
      rows,
    };
  },
};

const CONVERSATIONS = Array.from({ length: 10 }, (_, index) => `/conversations/${index + 1}`);
const PLACES = ['/', '/conversations', '/conversations?q=the', ...CONVERSATIONS, '/activity', '/account', '/snapshots'];
