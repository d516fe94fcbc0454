import { stderr, stdout } from 'node:process';
import { type Command, InvalidArgumentError } from 'commander';
import type { Catalog, CatalogConversation } from '../../catalog/index.ts';
import { catalogForReading } from '../../cataloging.ts';
import { DAY_MS, systemClock } from '../../lib/clock.ts';
import { ChatkeepError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { loadForCommand, stopSignal } from '../context.ts';
import { progressDisplay } from '../output.ts';

/**
 * The catalog for a command, brought up to date before: on a terminal, with a bar that tells how far it is.
 * @throws what {@link catalogForReading} throws
 */
export async function openCatalog(command: Command): Promise<Catalog> {
  const { config } = await loadForCommand(command);
  const display = stdout.isTTY ? progressDisplay() : undefined;
  try {
    return await catalogForReading(config, {
      signal: stopSignal(),
      clock: systemClock,
      onProgress: (done, total) => display?.update('indexing', done, total),
      onStale: (why) => stderr.write(`${why} What is new may be missing.\n`),
    });
  } finally {
    display?.stop();
  }
}

const NAMED = 10;

/**
 * The conversation of that id, or the only one whose id begins so.
 * @throws ChatkeepError `not-found` where there is none, or more than one
 */
export function findConversation(catalog: Catalog, id: string, account: string | undefined): CatalogConversation {
  const found = catalog.byId(id, NAMED).filter((one) => account === undefined || one.account === account);
  const [only] = found;
  if (only === undefined) {
    throw new ChatkeepError('not-found', `There is no conversation "${printable(id)}".`, {
      next: 'Run `chatkeep search WORDS` to find its id.',
    });
  }
  if (found.length === 1) return only;
  const names = found.map((one) => `${printable(one.id)} of ${one.account}`).join(', ');
  const more = found.length === NAMED ? ', …' : '';
  throw new ChatkeepError('not-found', `"${printable(id)}" may be any of ${names}${more}.`, {
    next: 'Give more of the id, or --account.',
  });
}

const DAY = /^(\d{4})-(\d{2})(?:-(\d{2}))?$/;

/** The beginning of a day or month (UTC), as ms: `2026-11-21`, `2026-11`. */
export function parseFrom(text: string): number {
  return parseDay(text).first;
}

/** The last moment of a day or month (UTC), as ms. */
export function parseTo(text: string): number {
  return parseDay(text).behind - 1;
}

function parseDay(text: string): { readonly first: number; readonly behind: number } {
  const [, year, month, day] = DAY.exec(text) ?? [];
  const first = Date.parse(`${year}-${month}-${day ?? '01'}T00:00:00Z`);
  // `2026-02-30` is taken for a day in March by some.
  if (Number.isNaN(first) || !new Date(first).toISOString().startsWith(text))
    throw new InvalidArgumentError('It takes a day (2026-11-21) or a month (2026-11), in UTC.');
  return { first, behind: day === undefined ? Date.UTC(Number(year), Number(month), 1) : first + DAY_MS };
}
