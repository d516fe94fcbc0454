import { assertRoom } from '../../lib/space.ts';
import { formatBytes } from '../../lib/text.ts';
import { type BodyIdentity, UNKNOWN } from '../part/identity.ts';
import type { PartFile } from '../part/part-file.ts';
import type { ResponseHead } from '../response.ts';
import { hasZipEnd, startsLikeZip, ZIP_END_BYTES } from '../zip-marks.ts';
import type { Crew } from './crew.ts';
import type { Poured } from './pour.ts';
import type { Attempt, Exchange } from './session.ts';
import { otherAnswer, type Site } from './site.ts';
import type { Stint } from './stint.ts';

type WholeBody = Extract<ResponseHead, { kind: 'whole-body' }>;

/** Deals with the answers to the connection that leads. */
export class Lead {
  readonly #site: Site;
  readonly #crew: Crew;
  /** Where room is needed. */
  readonly #directory: string;
  readonly #signal: AbortSignal;

  constructor(site: Site, crew: Crew, directory: string, signal: AbortSignal) {
    this.#site = site;
    this.#crew = crew;
    this.#directory = directory;
    this.#signal = signal;
  }

  /**
   * Takes in what came in answer to the request for a stint's piece.
   * @throws ChatkeepError `storage`; the signal's reason when it aborts
   */
  async takeIn(exchange: Exchange, stint: Stint): Promise<Attempt> {
    const { part } = this.#site;
    // The network of a login, a browser's, is for one.
    if (exchange.overLogin) this.#site.onlyOne();
    const head = this.#site.readHead(exchange, stint);
    switch (head.kind) {
      case 'nothing-left':
        await part.learn({ ...part.identity, total: head.total });
        return { kind: 'served' };
      case 'start-over':
        return this.#startOver(stint, head.detail);
      case 'whole-body':
        await this.#assertRoom(head.identity);
        return this.#takeWhole(exchange, stint, head);
      case 'rest':
        await part.learn(head.identity);
        await this.#assertRoom(head.identity);
        return this.#takeRest(exchange, stint);
      default:
        return otherAnswer(head, exchange.address);
    }
  }

  /** What has arrived makes room for what takes its place. */
  #assertRoom({ total = 0 }: BodyIdentity): Promise<void> {
    return assertRoom(this.#directory, total - this.#site.part.received, 'state directory');
  }

  async #takeWhole(exchange: Exchange, stint: Stint, { identity, divisible }: WholeBody): Promise<Attempt> {
    const { host } = exchange.address;
    let begun = false;
    const take = async (chunk: Uint8Array) => {
      if (!begun) {
        // What has arrived is given up for the beginning of an export only, not for an error page.
        if (!startsLikeZip(chunk)) return notAZip(chunk);
        await this.#beginAnew(stint, identity);
        this.#site.tellProgress();
        if (divisible) this.#callOthers(stint);
        begun = true;
      }
      return this.#put(chunk, stint, host);
    };
    const poured = await this.#site.pour(exchange, take, this.#signal);
    if (begun || poured.kind === 'enough') return this.#judge(poured, stint, host);
    return { kind: 'cut', detail: poured.kind === 'broke' ? poured.detail : `${host} sent an empty answer.` };
  }

  async #takeRest(exchange: Exchange, stint: Stint): Promise<Attempt> {
    const { host } = exchange.address;
    stint.learnEnd();
    this.#site.tellProgress();
    this.#crew.muster(this.#site.connections - 1);
    const poured = await this.#site.pour(exchange, (chunk) => this.#put(chunk, stint, host), this.#signal);
    return this.#judge(poured, stint, host);
  }

  /** From here on the body is fetched in pieces: this connection has the first of them. */
  #callOthers(stint: Stint): void {
    stint.share(this.#site.connections);
    this.#crew.muster(this.#site.connections - 1);
  }

  async #put(chunk: Uint8Array, stint: Stint, host: string): Promise<Attempt | undefined> {
    const taken = await stint.put(chunk);
    this.#site.tellProgress();
    if (!stint.isLast) return stint.done ? { kind: 'served' } : undefined;
    return taken < chunk.byteLength ? this.#startOver(stint, `${host} sent more than it had announced.`) : undefined;
  }

  /** The server says that this was all. Whether it was is seen from the length, or from the ZIP's own end. */
  async #judge(poured: Poured, stint: Stint, host: string): Promise<Attempt> {
    const { part } = this.#site;
    if (poured.kind === 'enough') return poured.attempt;
    await stint.close();
    if (stint.done) return { kind: 'served' };
    if (poured.kind === 'broke') return { kind: 'cut', detail: `${poured.detail} ${progressSentence(part)}` };
    if (part.identity.total !== undefined) {
      return { kind: 'cut', detail: `${host} ended the download early, without an error. ${progressSentence(part)}` };
    }
    // Without a length, a body that was cut looks like one that ended.
    if (!hasZipEnd(await part.tail(ZIP_END_BYTES))) {
      return { kind: 'cut', detail: `${host} ended the download before the end of the ZIP. ${progressSentence(part)}` };
    }
    await part.learn({ ...part.identity, total: part.received });
    return { kind: 'served' };
  }

  async #startOver(stint: Stint, detail: string): Promise<Attempt> {
    await this.#beginAnew(stint, UNKNOWN);
    return { kind: 'cut', detail: `${detail} The download begins anew.` };
  }

  async #beginAnew(stint: Stint, identity: BodyIdentity): Promise<void> {
    await this.#crew.dismiss();
    await stint.beginAnew(identity);
  }
}

function notAZip(chunk: Uint8Array): Attempt {
  const beginning = Buffer.from(chunk.subarray(0, 512)).toString().trimStart().toLowerCase();
  return beginning.startsWith('<!doctype html') || beginning.startsWith('<html')
    ? { kind: 'login', detail: 'A web page came instead of the export.' }
    : { kind: 'cut', detail: 'Something else than a ZIP came.' };
}

function progressSentence({ received, identity: { total } }: PartFile): string {
  return total === undefined
    ? `${formatBytes(received)} have arrived.`
    : `${formatBytes(received)} of ${formatBytes(total)} have arrived.`;
}
