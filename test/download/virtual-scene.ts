import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Downloader, type DownloadOutcome, type DownloadPlace, type Login } from '../../src/download/index.ts';
import { DAY_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Secret } from '../../src/lib/secret.ts';
import { type FakeAnswer, FakeTransport, HONEST, type Serving } from '../support/fake-transport.ts';
import { tempDir } from '../support/temp-dir.ts';
import { TEST_START_MS, VirtualClock } from '../support/virtual-clock.ts';
import { inVirtualTime } from '../support/virtual-time.ts';
import { zipLike } from '../support/zip-like.ts';

const LINK = 'https://chatgpt.com/backend-api/estuary/content?id=a.zip&sig=b';
const PLACES: DownloadPlace[] = [
  { origin: 'https://chatgpt.com', path: /^\/backend-api\/estuary\/content$/, login: true, extra: false },
];
export const BODY = zipLike(5000);
export const LEAST_PIECE_BYTES = 300;
export const DENIED: FakeAnswer = { kind: 'answer', status: 403, headers: {}, text: '{"detail":"no"}' };
export const TO_ITSELF: FakeAnswer = { kind: 'answer', status: 302, headers: { location: LINK }, text: '' };

export function login(name: string): Login {
  return {
    label: name,
    howToRenew: '',
    async *waysIn() {
      yield { kind: 'headers', headers: { authorization: `Bearer ${name}` } };
    },
    check: () => Promise.reject(new Error('a download checks no login')),
    fingerprint: async () => name,
  };
}

/** One export behind a network of the given answers, and what comes of downloading it. */
export class VirtualScene {
  readonly clock = new VirtualClock();
  readonly network: FakeTransport;
  readonly directory: string;
  readonly target: string;
  logins: readonly Login[];
  readonly connections: number;

  constructor(
    directory: string,
    answers: readonly FakeAnswer[],
    { body = BODY, logins = [login('one')], connections = 1 } = {},
  ) {
    this.network = new FakeTransport(this.clock, body, answers);
    this.directory = directory;
    this.target = join(directory, 'capture.zip');
    this.logins = logins;
    this.connections = connections;
  }

  /** A call of a new downloader, as after a restart. */
  download({
    deadline = TEST_START_MS + DAY_MS,
    stallMs = MINUTE_MS,
    bytesPerSecond,
  }: {
    deadline?: number;
    stallMs?: number;
    bytesPerSecond?: number;
  } = {}): Promise<DownloadOutcome> {
    const { clock, network, directory, logins, connections } = this;
    const downloader = new Downloader({
      transport: network,
      places: PLACES,
      logins,
      stallMs,
      connections,
      leastPieceBytes: LEAST_PIECE_BYTES,
      bytesPerSecond,
      clock,
      logger: silentLogger,
    });
    const link = new Secret(LINK);
    const { signal } = new AbortController();
    return inVirtualTime(
      clock,
      downloader.download({ link, exportId: 'export-1', deadline, directory, name: 'capture', signal }),
    );
  }

  get ranges(): (string | undefined)[] {
    return this.network.requests.map(({ headers }) => headers.range);
  }

  async assertWhole(outcome: DownloadOutcome): Promise<void> {
    const { body } = this.network;
    assert.deepEqual(outcome, { kind: 'whole', path: this.target, bytes: body.length });
    assert.ok((await readFile(this.target)).equals(body), 'the bytes are those of the export');
  }
}

/** Plays with one export behind a network of the given answers. */
export async function scene(
  answers: readonly FakeAnswer[],
  play: (scene: VirtualScene) => Promise<void>,
  options: ConstructorParameters<typeof VirtualScene>[2] = {},
): Promise<void> {
  await using directory = await tempDir();
  await play(new VirtualScene(directory.path, answers, options));
}

export const serve = (how: Partial<Serving>): Serving => ({ ...HONEST, ...how });
