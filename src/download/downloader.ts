import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { sizeOf } from '../lib/files.ts';
import type { Logger } from '../lib/logger.ts';
import type { Secret } from '../lib/secret.ts';
import { formatBytes } from '../lib/text.ts';
import type { DownloadPlace } from './address-guard.ts';
import { LEAST_PIECE_BYTES } from './fetch/allotment.ts';
import { Fetching } from './fetch/fetching.ts';
import { RateLimit } from './fetch/rate-limit.ts';
import { type Ending, Session } from './fetch/session.ts';
import { type Login, loginsFingerprint } from './logins/index.ts';
import type { DownloadOutcome, DownloadProgress } from './outcome.ts';
import { PartFile } from './part/part-file.ts';
import type { Transport } from './transport.ts';

export interface DownloadRequest {
  readonly link: Secret;
  readonly exportId: string;
  /** The link's end, ms UTC: no request is made from then on. */
  readonly deadline: number;
  /** The archive's final path is `<directory>/<name>.zip`. */
  readonly directory: string;
  readonly name: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

export interface DownloaderOptions {
  readonly transport: Transport;
  readonly places: readonly DownloadPlace[];
  /** Tried in this order. */
  readonly logins: readonly Login[];
  /** A body that brings no byte for this long is cut. */
  readonly stallMs: number;
  /** How many requests for one export may be under way at once. */
  readonly connections: number;
  /** Less than this is not worth a request of its own; {@link LEAST_PIECE_BYTES} unless told. */
  readonly leastPieceBytes?: number;
  /** What all downloads together may take of the line; without a limit unless told. */
  readonly bytesPerSecond?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A call that brings less than a hundredth of an export, or a megabyte of a large one, has not got on: a server that gives
 * out a few bytes at a time is asked less and less often, as if it gave out none.
 */
const LEAST_PROGRESS = { bytes: 1_000_000, share: 0.01 };

/** Fetches exports: behind a login, in pieces, before the deadline. */
export class Downloader {
  readonly #options: DownloaderOptions;
  readonly #rateLimit: RateLimit | undefined;

  constructor(options: DownloaderOptions) {
    const { bytesPerSecond, clock } = options;
    this.#options = options;
    this.#rateLimit = bytesPerSecond === undefined ? undefined : new RateLimit(bytesPerSecond, clock);
  }

  /**
   * Brings the archive to disk, going on from what an earlier call has left, and resuming for as long as requests
   * bring something worth them.
   *
   * @throws ChatkeepError `storage` if it cannot be written; the signal's reason when it aborts (what arrived is kept)
   */
  async download(request: DownloadRequest): Promise<DownloadOutcome> {
    const target = join(request.directory, `${request.name}.zip`);
    const bytes = await sizeOf(target);
    if (bytes !== undefined) return { kind: 'whole', path: target, bytes };
    const part = await PartFile.open(target, request.exportId);
    try {
      const before = part.received;
      if (before > 0) {
        this.#options.logger.info({ received: before }, `going on with the download from ${formatBytes(before)}`);
      }
      const ending = await this.#fetch(request, part);
      if (ending.kind !== 'served') return this.#outcomeOf(ending, request.deadline, hasGotOn(part, before));
      await part.finish();
      return { kind: 'whole', path: target, bytes: part.received };
    } finally {
      await part.close();
    }
  }

  /** Changes when a configured login has changed. */
  loginsFingerprint(): Promise<string> {
    return loginsFingerprint(this.#options.logins);
  }

  #fetch({ link, deadline, directory, signal, onProgress }: DownloadRequest, part: PartFile): Promise<Ending> {
    const { transport, places, logins, leastPieceBytes = LEAST_PIECE_BYTES, ...rest } = this.#options;
    const session = new Session({ link, deadline, transport, places, logins, clock: rest.clock });
    const rateLimit = this.#rateLimit;
    return new Fetching({ ...rest, session, part, leastPieceBytes, rateLimit, directory, signal, onProgress }).run();
  }

  #outcomeOf(ending: Exclude<Ending, { kind: 'served' }>, deadline: number, progressed: boolean): DownloadOutcome {
    switch (ending.kind) {
      case 'too-late':
        return { kind: 'expired', detail: 'The link has died.' };
      case 'login':
        // Denied before the deadline is for want of a login, after it because the link is dead: only the clock tells.
        return { kind: this.#options.clock.now() >= deadline ? 'expired' : 'needs-login', detail: ending.detail };
      case 'cut': {
        const { detail, retryAfterMs } = ending;
        return { kind: 'interrupted', detail, progressed, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
      }
    }
  }
}

function hasGotOn({ received, identity: { total } }: PartFile, before: number): boolean {
  const { bytes, share } = LEAST_PROGRESS;
  return received - before >= Math.max(1, Math.min(bytes, share * (total ?? Number.POSITIVE_INFINITY)));
}
