import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportOptions } from '../test/support/openai/exports/index.ts';
import { createAccount } from '../test/support/openai/exports/index.ts';
import { Service } from '../test/support/service.ts';
import { ACCESS_TOKEN, startWorld, type World } from '../test/support/world.ts';
import { median, type Row } from './bench.ts';
import { cpuMsOf, measured, peakRssOf, type Usage } from './measure.ts';
import { buildProgram, PROGRAM } from './support/program.ts';

/** What the programs of {@link curlAndUnzip} and the measuring need. */
export const CAPTURE_NEEDS = [
  { path: '/usr/bin/curl', debianPackage: 'curl' },
  { path: '/usr/bin/unzip', debianPackage: 'unzip' },
  { path: '/usr/bin/time', debianPackage: 'time' },
  { path: '/usr/sbin/dovecot', debianPackage: 'dovecot-imapd' },
] as const;

export interface CaptureRounds {
  readonly rounds: number;
  readonly conversations: number;
  readonly exportOptions: Pick<ExportOptions, 'generation' | 'assetBytes' | 'conversationsBytes'>;
  /** How long one capture may take, ms. */
  readonly patienceMs: number;
}

/**
 * From the mail's delivery to Dovecot until the notification of the committed snapshot has arrived, by the real service;
 * and, in turn with it, what `curl` and `unzip` alone take for the same export from the same server.
 */
export async function measureCaptures(
  { rounds, conversations, exportOptions, patienceMs }: CaptureRounds,
  say: (line: string) => void,
): Promise<{ ours: Row; peer: Row }> {
  await using world = await startWorld();
  await buildProgram();
  await using service = new Service({ ...world.settings, CHATKEEP_LOG_LEVEL: 'info' }, PROGRAM);
  await service.printed('watching');
  const ours: Usage[] = [];
  const peers: Usage[] = [];
  let bytes = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const account = createAccount({ seed: `bench-${round}`, conversations });
    const { published, facts, file } = await world.openai.publishExport(account, {
      directory: world.exports,
      form: 'estuary',
      ...exportOptions,
    });
    bytes = facts.bytes;
    ours.push(await capture(world, service, published, round, patienceMs));
    peers.push(await curlAndUnzip(world, published.link));
    const [last, peer] = [ours.at(-1), peers.at(-1)];
    say(
      `round ${round}: chatkeep ${Math.round(last?.wallMs ?? 0)} ms, curl + unzip ${Math.round(peer?.wallMs ?? 0)} ms`,
    );
    await rm(file);
  }
  await service.stop();
  return { ours: row('chatkeep', ours, bytes), peer: row('curl + unzip', peers, bytes) };
}

type Published = Awaited<ReturnType<World['openai']['publishExport']>>['published'];

async function capture(
  { openai, dovecot, webhook }: World,
  service: Service,
  published: Published,
  round: number,
  patienceMs: number,
): Promise<Usage> {
  const mail = await openai.readyMail(published);
  const cpuBefore = await cpuMsOf(service.pid);
  const from = performance.now();
  await dovecot.deliver(mail);
  while (webhook.of('snapshot-committed').length < round) {
    const failed = webhook.received.find(({ level }) => level === 'failure');
    if (failed !== undefined) throw new Error(failed.body);
    if (performance.now() - from > patienceMs) throw new Error(`no snapshot in time:\n${service.output}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const wallMs = performance.now() - from;
  return { wallMs, cpuMs: (await cpuMsOf(service.pid)) - cpuBefore, rssBytes: await peakRssOf(service.pid) };
}

async function curlAndUnzip({ base, settings }: World, link: string): Promise<Usage> {
  const directory = join(base, 'peer');
  await mkdir(directory);
  const ca = settings.CHATKEEP_DOWNLOAD_CA_FILE ?? '';
  const authorization = `Authorization: Bearer ${ACCESS_TOKEN}`;
  const curl = await measured(
    'curl',
    ['-sSf', '--cacert', ca, '-H', authorization, '-o', 'export.zip', link],
    directory,
  );
  const unzip = await measured('unzip', ['-q', 'export.zip', '-d', 'export'], directory);
  await rm(directory, { recursive: true });
  return {
    wallMs: curl.wallMs + unzip.wallMs,
    cpuMs: curl.cpuMs + unzip.cpuMs,
    rssBytes: Math.max(curl.rssBytes, unzip.rssBytes),
  };
}

function row(tool: string, usages: readonly Usage[], bytes: number): Row {
  const walls = usages.map(({ wallMs }) => wallMs);
  return {
    tool,
    wall_ms: Math.round(median(walls)),
    cpu_ms: Math.round(median(usages.map(({ cpuMs }) => cpuMs))),
    rss_bytes: Math.max(...usages.map(({ rssBytes }) => rssBytes)),
    bytes,
    rounds: usages.length,
    wall_ms_min: Math.round(Math.min(...walls)),
    wall_ms_max: Math.round(Math.max(...walls)),
  };
}
