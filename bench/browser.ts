import { randomBytes } from 'node:crypto';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256OfFile } from '../src/lib/hash.ts';
import { startChromium } from '../test/support/chromium.ts';
import { createAuthority } from '../test/support/openai/certificates.ts';
import { type OpenAiServerOptions, startOpenAiServer } from '../test/support/openai/server.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import { type Bench, median, type Row } from './bench.ts';
import type { DownloadSettings } from './browser-download.ts';
import { measured, type Usage } from './measure.ts';

const SESSION = 'bench-session';
const BYTES = 1_000_000_000;
const ROUNDS = 2;
const GOAL_BYTES = 250 * 1024 * 1024;
/** With the heap as the first line of src/cli/main.ts has it. */
const PROGRAM = ['--max-semi-space-size=2', fileURLToPath(new URL('browser-download.ts', import.meta.url))];

/** What a download costs that goes through a page of a browser, beside one with the browser's cookies alone. */
export const browser: Bench = {
  name: 'browser',
  summary: '1 GB through a page of a signed-in Chromium, and with its cookies by our own client',
  needs: [
    { path: '/usr/bin/chromium', debianPackage: 'chromium' },
    { path: '/usr/bin/time', debianPackage: 'time' },
  ],
  async run(say) {
    await using stack = new AsyncDisposableStack();
    const { path: base } = stack.use(await tempDir());
    const authority = await createAuthority();
    const caFile = join(base, 'ca.pem');
    const archive = join(base, 'export.zip');
    await writeFile(caFile, authority.certPem);
    const digest = await writeArchive(archive);
    const serve = async (options: OpenAiServerOptions) => {
      const server = stack.use(await startOpenAiServer({ authority, sessionTokens: [SESSION], ...options }));
      return { server, published: server.publish({ form: 'estuary', body: { path: archive } }) };
    };
    const sites = { page: await serve({ deniesPrograms: true }), client: await serve({}) };
    const chromium = stack.use(await startChromium({ trusting: [sites.page.server, sites.client.server] }));
    await chromium.signIn(sites.page.server.origin, SESSION);

    const usages: Record<keyof typeof sites, Usage[]> = { page: [], client: [] };
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const way of ['page', 'client'] as const) {
        const { server, published } = sites[way];
        const directory = join(base, way);
        await mkdir(directory);
        const { link } = published;
        const settings: DownloadSettings = { link, origin: server.origin, caFile, cdpUrl: chromium.cdpUrl, directory };
        const { output, ...usage } = await measured(process.execPath, [...PROGRAM, JSON.stringify(settings)]);
        if (output.trim() !== digest) throw new Error(`${way}: other bytes have arrived`);
        usages[way].push(usage);
        await rm(directory, { recursive: true });
        say(`round ${round}, ${way}: ${Math.round(usage.wallMs)} ms`);
      }
    }
    const [ours, peer] = [row('through a page of Chromium', usages.page), row('with its cookies', usages.client)];
    return {
      name: 'browser',
      goal: `peak resident memory ≤ ${GOAL_BYTES / 1024 / 1024} MiB (the ratio is that of the wall times)`,
      ratio: ours.wall_ms / peer.wall_ms,
      met: ours.rss_bytes <= GOAL_BYTES,
      rows: [ours, peer],
    };
  },
};

/** Bytes that are taken for a ZIP, by their beginning, and that nothing on the way can make smaller. */
async function writeArchive(path: string): Promise<string> {
  await using file = await open(path, 'w');
  const piece = randomBytes(1_000_000);
  piece.write('PK\x03\x04', 'latin1');
  for (let written = 0; written < BYTES; written += piece.length) await file.write(piece);
  return sha256OfFile(path);
}

function row(tool: string, usages: readonly Usage[]): Row {
  return {
    tool,
    wall_ms: Math.round(median(usages.map(({ wallMs }) => wallMs))),
    cpu_ms: Math.round(median(usages.map(({ cpuMs }) => cpuMs))),
    rss_bytes: Math.max(...usages.map(({ rssBytes }) => rssBytes)),
    bytes: BYTES,
    rounds: usages.length,
  };
}
