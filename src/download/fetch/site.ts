import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { DownloadProgress } from '../outcome.ts';
import type { PartFile } from '../part/part-file.ts';
import { type ResponseHead, readHead } from '../response.ts';
import { Allotment, type Piece } from './allotment.ts';
import { type Poured, pour } from './pour.ts';
import type { RateLimit } from './rate-limit.ts';
import { rangeOf, requestHeaders } from './requests.ts';
import type { Attempt, Ending, Exchange, Session } from './session.ts';
import { Stint } from './stint.ts';

/** What the fetching of one body needs. */
export interface SiteOptions {
  readonly session: Session;
  readonly part: PartFile;
  /** How many requests may be under way at once. */
  readonly connections: number;
  /** Less is not worth a request of its own. */
  readonly leastPieceBytes: number;
  /** A body that brings no byte for this long is cut. */
  readonly stallMs: number;
  readonly rateLimit: RateLimit | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onProgress: ((progress: DownloadProgress) => void) | undefined;
}

/** How one connection's request for a piece ended, and how many bytes it brought. */
export interface StintEnding {
  readonly ending: Ending;
  readonly brought: number;
}

/** What all connections that fetch one body share. */
export class Site {
  readonly part: PartFile;
  readonly allotment: Allotment;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly #options: SiteOptions;
  #connections: number;

  constructor(options: SiteOptions) {
    this.part = options.part;
    this.logger = options.logger;
    this.clock = options.clock;
    this.#options = options;
    this.#connections = options.connections;
    this.allotment = new Allotment(() => options.part.missing, options.leastPieceBytes);
  }

  /** How many connections there may be. */
  get connections(): number {
    return this.#connections;
  }

  /** From now on there is one connection less than there might have been; one there always is. */
  oneLess(): void {
    this.#connections = Math.max(1, this.#connections - 1);
  }

  /** From now on there is one connection. */
  onlyOne(): void {
    this.#connections = 1;
  }

  /** Asks for a piece, and has `takeIn` deal with the answer. Whatever comes of it, what has arrived is kept. */
  async fetch(
    piece: Piece,
    takeIn: (exchange: Exchange, stint: Stint) => Promise<Attempt>,
    signal: AbortSignal,
  ): Promise<StintEnding> {
    const stint = new Stint(this.part, this.allotment, piece);
    try {
      const ending = await this.#options.session.ask({
        headers: () => requestHeaders(stint.piece, this.part.identity),
        takeIn: (exchange) => takeIn(exchange, stint),
        signal,
      });
      return { ending, brought: stint.brought };
    } finally {
      await stint.close();
    }
  }

  readHead({ response }: Exchange, { piece }: Stint): ResponseHead {
    const { identity, received } = this.part;
    return readHead(response, { identity, received, range: rangeOf(piece, identity) }, this.clock.now());
  }

  pour(
    exchange: Exchange,
    take: (chunk: Uint8Array) => Promise<Attempt | undefined>,
    signal: AbortSignal,
  ): Promise<Poured> {
    return pour(exchange, take, this.#options, signal);
  }

  tellProgress(): void {
    const { received, identity } = this.part;
    this.#options.onProgress?.({ received, total: identity.total });
  }
}

/** What an answer says that is not the body. */
export function otherAnswer(head: Exclude<ResponseHead, { kind: 'whole-body' | 'rest' }>, from: URL): Attempt {
  switch (head.kind) {
    case 'redirect':
      return redirection(head.location, from);
    case 'login-page':
    case 'denied':
      return { kind: 'login', detail: head.detail };
    case 'try-later':
      return { kind: 'cut', detail: head.detail, retryAfterMs: head.retryAfterMs };
    case 'start-over':
      return { kind: 'cut', detail: head.detail };
    case 'nothing-left':
      return { kind: 'served' };
  }
}

function redirection(location: string | undefined, from: URL): Attempt {
  if (location === undefined || !URL.canParse(location, from.href)) {
    return { kind: 'cut', detail: `${from.host} redirects to nowhere.` };
  }
  return { kind: 'redirected', to: new URL(location, from) };
}
