/**
 * `node bench/browser-download.ts SETTINGS`: one download, in a process of its own so that its memory can be told from that of
 * the server. SETTINGS is JSON, see {@link DownloadSettings}; the SHA-256 of what arrived is printed.
 */
import { createLogins, createTransport, Downloader } from '../src/download/index.ts';
import { DAY_MS, MINUTE_MS, systemClock } from '../src/lib/clock.ts';
import { sha256OfFile } from '../src/lib/hash.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { Secret } from '../src/lib/secret.ts';
import { placesOf } from '../test/download/scene.ts';

export interface DownloadSettings {
  readonly link: string;
  readonly origin: string;
  readonly caFile: string;
  readonly cdpUrl: string;
  readonly directory: string;
}

const { link, origin, caFile, cdpUrl, directory }: DownloadSettings = JSON.parse(process.argv[2] ?? '');
const places = placesOf({ origin });
const transport = await createTransport({ places, caFile });
const downloader = new Downloader({
  transport,
  places,
  logins: createLogins([{ type: 'browser', cdpUrl }], { transport }),
  stallMs: MINUTE_MS,
  connections: 1,
  clock: systemClock,
  logger: silentLogger,
});
const outcome = await downloader.download({
  link: new Secret(link),
  exportId: 'bench',
  deadline: Date.now() + DAY_MS,
  directory,
  name: 'bench',
  signal: new AbortController().signal,
});
await transport.close();
if (outcome.kind !== 'whole') throw new Error(outcome.detail);
process.stdout.write(`${await sha256OfFile(outcome.path)}\n`);
