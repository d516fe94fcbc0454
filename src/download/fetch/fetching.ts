import { UNKNOWN } from '../part/identity.ts';
import type { Piece } from './allotment.ts';
import { Crew } from './crew.ts';
import { help } from './helping.ts';
import { Lead } from './lead.ts';
import { ResumePause } from './resume-pause.ts';
import type { Ending } from './session.ts';
import { Site, type SiteOptions, type StintEnding } from './site.ts';

export interface FetchingOptions extends SiteOptions {
  /** Where room is needed. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/**
 * The fetching of one body, by one connection that leads and others that help. The one that leads finds out what there is
 * to fetch, and it alone may begin the body anew; the others fetch pieces of what is known, and whatever else happens to
 * them they leave to it. They are called once the server has shown that it gives out parts, and one less of them after
 * each refusal.
 */
export class Fetching {
  readonly #site: Site;
  readonly #crew: Crew;
  readonly #lead: Lead;
  /** Aborts when all is to end. */
  readonly #signal: AbortSignal;

  constructor(options: FetchingOptions) {
    const failure = new AbortController();
    const signal = AbortSignal.any([options.signal, failure.signal]);
    const site = new Site(options);
    this.#site = site;
    this.#signal = signal;
    this.#crew = new Crew(
      (dismissed) => help(site, AbortSignal.any([signal, dismissed])),
      (error) => failure.abort(error),
    );
    this.#lead = new Lead(site, this.#crew, options.directory, signal);
  }

  /**
   * Fetches for as long as requests bring something worth them: until all is there (`served`), or with how the last one
   * ended.
   * @throws ChatkeepError `storage`; the signal's reason when it aborts
   */
  async run(): Promise<Ending> {
    try {
      return await this.#untilNothingComes();
    } finally {
      await this.#crew.dismiss();
    }
  }

  async #untilNothingComes(): Promise<Ending> {
    const { part, logger, clock } = this.#site;
    const pause = new ResumePause(clock);
    for (;;) {
      this.#signal.throwIfAborted();
      if (this.#isAllThere) return this.#judgeWhole();
      const had = part.received;
      const { ending, brought } = await this.#fetchOnce();
      if (ending.kind === 'served') continue;
      const wasWorthwhile = (brought > 0 && part.received > had) || (await this.#othersBring());
      if (this.#isAllThere) continue;
      if (ending.kind !== 'cut' || !wasWorthwhile) return ending;
      logger.info({ received: part.received, total: part.identity.total }, `${ending.detail} Going on from there.`);
      if (!(await pause.take(brought, this.#signal))) return ending;
    }
  }

  async #fetchOnce(): Promise<StintEnding> {
    const piece = this.#nextPiece();
    if (piece !== undefined) {
      return this.#site.fetch(piece, (exchange, stint) => this.#lead.takeIn(exchange, stint), this.#signal);
    }
    await this.#crew.ended();
    return { ending: { kind: 'served' }, brought: 0 };
  }

  /** Without an entity tag nothing can be gone on with; without a length there is nothing to share. */
  #nextPiece(): Piece | undefined {
    const { allotment, connections, part } = this.#site;
    const { etag, total } = part.identity;
    return etag === undefined ? allotment.takeAll() : allotment.take(total === undefined ? 1 : connections);
  }

  /** Waits for the others; tells whether they brought anything meanwhile. */
  async #othersBring(): Promise<boolean> {
    const { part } = this.#site;
    const before = part.received;
    await this.#crew.ended();
    this.#signal.throwIfAborted();
    return part.received > before;
  }

  get #isAllThere(): boolean {
    const { received, missing, identity } = this.#site.part;
    return received > 0 && identity.total !== undefined && missing.length === 0;
  }

  /** Whether it is the export is seen from the checksum, where there is one, and later from every CRC. */
  async #judgeWhole(): Promise<Ending> {
    const { part } = this.#site;
    await this.#crew.dismiss();
    const { md5 } = part.identity;
    if (md5 === undefined || md5 === (await part.md5())) return { kind: 'served' };
    await part.restart(UNKNOWN);
    return { kind: 'cut', detail: 'What arrived does not fit its checksum (Content-MD5). The download begins anew.' };
  }
}
