import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createLogins,
  createTransport,
  Downloader,
  type DownloadOutcome,
  type DownloadPlace,
  type DownloadRequest,
  type Login,
  partPath,
  type Transport,
} from '../../src/download/index.ts';
import { type Clock, DAY_MS, MINUTE_MS, systemClock } from '../../src/lib/clock.ts';
import { sizeOf } from '../../src/lib/files.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Secret } from '../../src/lib/secret.ts';
import { type Authority, createAuthority } from '../support/openai/certificates.ts';
import { type OpenAiServer, type OpenAiServerOptions, startOpenAiServer } from '../support/openai/server.ts';
import { tempDir } from '../support/temp-dir.ts';

export const TOKEN = 'good-token';
export const SESSION = 'good-session';

/** Where the exports of a server lie, as the user would configure it. */
export function placesOf({ origin }: { readonly origin: string }): DownloadPlace[] {
  return [
    { origin, path: /^\/backend-api\/estuary\/content$/, login: true, extra: true },
    { origin, path: /^\/exportcontainer\/[^/]+\.zip$/, login: false, extra: true },
  ];
}

/** What a download is told; what is left out is as in {@link Scene.download}. */
export type RequestOptions = Partial<Omit<DownloadRequest, 'link'>> & { readonly link: string };

/** A server, the network to it, and a directory. */
export interface Scene extends AsyncDisposable {
  readonly server: OpenAiServer;
  readonly authority: Authority;
  readonly transport: Transport;
  /** A network that goes to these places as well; it ends with the scene. */
  networkTo(places: readonly DownloadPlace[]): Promise<Transport>;
  readonly directory: string;
  /** Where the archive comes to lie unless told. */
  readonly target: string;
  /** Bytes of the part file, undefined if there is none. */
  partBytes(): Promise<number | undefined>;
  /** A new downloader, as a restart makes one; it has the token as its login unless told. */
  downloader(options?: {
    logins?: readonly Login[];
    places?: readonly DownloadPlace[];
    transport?: Transport;
    stallMs?: number;
    connections?: number;
    leastPieceBytes?: number;
    bytesPerSecond?: number;
    clock?: Clock;
  }): Downloader;
  /** The file of the one good token. */
  readonly tokenFile: string;
  /** Downloads with a new downloader, with a day to go. */
  download(request: RequestOptions, downloader?: Downloader): Promise<DownloadOutcome>;
}

/** @param serverOptions beside the two logins that count */
export async function openScene(serverOptions: OpenAiServerOptions = {}): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(await tempDir());
  const authority = await createAuthority();
  const server = stack.use(
    await startOpenAiServer({ authority, bearerTokens: [TOKEN], sessionTokens: [SESSION], ...serverOptions }),
  );
  const caFile = join(directory, 'ca.pem');
  const tokenFile = join(directory, 'token');
  await Promise.all([writeFile(caFile, authority.certPem), writeFile(tokenFile, `${TOKEN}\n`)]);
  const networkTo: Scene['networkTo'] = async (more) => {
    const network = await createTransport({ places: [...placesOf(server), ...more], caFile });
    closing.push(() => network.close());
    return network;
  };
  const closing: (() => Promise<void>)[] = [];
  stack.defer(async () => void (await Promise.all(closing.map((close) => close()))));
  const transport = await networkTo([]);

  const target = join(directory, 'capture.zip');
  const downloader: Scene['downloader'] = (options = {}) =>
    new Downloader({
      transport,
      places: placesOf(server),
      logins: createLogins([{ type: 'bearer', tokenFile }], { transport }),
      stallMs: MINUTE_MS,
      connections: 4,
      clock: systemClock,
      logger: silentLogger,
      ...options,
    });
  const parts = stack.move();
  return {
    server,
    authority,
    transport,
    networkTo,
    directory,
    target,
    tokenFile,
    downloader,
    partBytes: () => sizeOf(partPath(target)),
    download: ({ link, ...request }, from = downloader()) =>
      from.download({
        link: new Secret(link),
        exportId: 'export-1',
        deadline: Date.now() + DAY_MS,
        directory,
        name: 'capture',
        signal: new AbortController().signal,
        ...request,
      }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
