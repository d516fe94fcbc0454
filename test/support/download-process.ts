/**
 * One download by the real downloader in a process of its own, which can be killed or measured. Run with the options as
 * its argument (see {@link DownloadProcessOptions}). It prints a line for each megabyte (`received N`), and at last the
 * outcome as JSON; it exits with 0 if the archive is whole.
 */
import { fileURLToPath } from 'node:url';
import { createLogins, createTransport, Downloader } from '../../src/download/index.ts';
import { DAY_MS, MINUTE_MS, systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Secret } from '../../src/lib/secret.ts';

export interface DownloadProcessOptions {
  readonly link: string;
  readonly caFile: string;
  readonly tokenFile: string;
  /** The archive becomes `<directory>/export.zip`. */
  readonly directory: string;
  readonly connections: number;
}

/** The command line of such a process. */
export function downloadCommand(options: DownloadProcessOptions): string[] {
  // As the first line of src/cli/main.ts has it.
  return [process.execPath, '--max-semi-space-size=2', fileURLToPath(import.meta.url), JSON.stringify(options)];
}

const TOLD_EVERY_BYTES = 1_000_000;

async function main({ link, caFile, tokenFile, directory, connections }: DownloadProcessOptions): Promise<void> {
  const places = [
    { origin: new URL(link).origin, path: /^\/backend-api\/estuary\/content$/, login: true, extra: true },
  ];
  const transport = await createTransport({ places, caFile });
  const downloader = new Downloader({
    transport,
    places,
    logins: createLogins([{ type: 'bearer', tokenFile }], { transport }),
    stallMs: MINUTE_MS,
    connections,
    clock: systemClock,
    logger: silentLogger,
  });
  let told = 0;
  const outcome = await downloader.download({
    link: new Secret(link),
    exportId: 'export',
    deadline: systemClock.now() + DAY_MS,
    directory,
    name: 'export',
    signal: new AbortController().signal,
    onProgress: ({ received }) => {
      if (received < told + TOLD_EVERY_BYTES) return;
      told = received;
      process.stdout.write(`received ${received}\n`);
    },
  });
  await transport.close();
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  process.exitCode = outcome.kind === 'whole' ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(JSON.parse(process.argv[2] ?? '{}') as DownloadProcessOptions);
}
