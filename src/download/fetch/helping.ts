import { ResumePause } from './resume-pause.ts';
import type { Attempt, Exchange } from './session.ts';
import { otherAnswer, type Site } from './site.ts';
import type { Stint } from './stint.ts';

/**
 * The work of a connection that helps: it fetches piece after piece, until there is none left, the server refuses one, one
 * brings nothing, or several in a row bring next to nothing.
 *
 * @throws ChatkeepError `storage`; the signal's reason when it aborts
 */
export async function help(site: Site, signal: AbortSignal): Promise<void> {
  const pause = new ResumePause(site.clock);
  for (;;) {
    const piece = site.allotment.take(site.connections);
    if (piece === undefined) return;
    let refused = false;
    const takeIn = async (exchange: Exchange, stint: Stint): Promise<Attempt> => {
      const head = site.readHead(exchange, stint);
      refused = head.kind !== 'rest' && head.kind !== 'redirect';
      if (head.kind === 'rest') return takePiece(site, exchange, stint, signal);
      if (head.kind === 'whole-body') return { kind: 'cut', detail: 'The server sent all where a part was asked for.' };
      return otherAnswer(head, exchange.address);
    };
    const { ending, brought } = await site.fetch(piece, takeIn, signal);
    if (ending.kind === 'served') continue;
    site.logger.debug({ ending, brought }, 'a further connection was cut off');
    if (refused) site.oneLess();
    if (refused || ending.kind !== 'cut' || brought === 0) return;
    if (!(await pause.take(brought, signal))) return;
  }
}

async function takePiece(site: Site, exchange: Exchange, stint: Stint, signal: AbortSignal): Promise<Attempt> {
  const take = async (chunk: Uint8Array): Promise<Attempt | undefined> => {
    await stint.put(chunk);
    site.tellProgress();
    return stint.done ? { kind: 'served' } : undefined;
  };
  const poured = await site.pour(exchange, take, signal);
  if (poured.kind === 'enough') return poured.attempt;
  const detail =
    poured.kind === 'broke' ? poured.detail : `${exchange.address.host} ended a part of the download early.`;
  return { kind: 'cut', detail };
}
