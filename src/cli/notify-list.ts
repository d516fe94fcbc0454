import { journalPath } from '../assembly.ts';
import { openSqliteJournal, type Undelivered } from '../capture/index.ts';
import type { Config } from '../config/index.ts';
import { exists } from '../lib/files.ts';
import { count, formatMoment } from '../lib/text.ts';
import { parseAddress } from '../notify/index.ts';

/** One address of the configuration, without its secrets: what is to be brought to it, and what still waits. */
export interface ListedAddress extends Pick<Config['notify'][number], 'events' | 'minLevel' | 'quietHours'> {
  readonly label: string;
  readonly undelivered: Undelivered;
}

const NOTHING_WAITS: Undelivered = { count: 0, lastError: undefined, oldestAt: undefined };

/** The addresses of the configuration, in its order. */
export async function listAddresses(config: Config): Promise<ListedAddress[]> {
  const services = config.notify.flatMap(({ url, ...wishes }) =>
    parseAddress(url).map(({ id, label }) => ({ ...wishes, id, label })),
  );
  const path = journalPath(config);
  await using journal = (await exists(path)) ? openSqliteJournal(path) : undefined;
  return Promise.all(
    services.map(async ({ id, ...service }) => ({
      ...service,
      undelivered: (await journal?.undelivered(id)) ?? NOTHING_WAITS,
    })),
  );
}

/** A few lines for people. */
export function linesOf({ label, events, minLevel, quietHours, undelivered }: ListedAddress): string[] {
  const wishes = [
    events === undefined ? 'everything' : events.join(', '),
    ...(minLevel === undefined ? [] : [`from the level ${minLevel}`]),
    ...(quietHours === undefined ? [] : [`held back ${quietHours}`]),
  ];
  return [label, `  is told: ${wishes.join('; ')}`, `  ${waitingSentence(undelivered)}`];
}

function waitingSentence({ count: waiting, oldestAt, lastError }: Undelivered): string {
  if (waiting === 0) return 'Nothing waits to be delivered.';
  const since = oldestAt === undefined ? '' : `, the oldest since ${formatMoment(oldestAt)}`;
  const why = lastError === undefined ? '' : ` Last failure: ${lastError}.`;
  return `${count(waiting, 'message waits', 'messages wait')} to be delivered${since}.${why}`;
}

/** The same for machines. */
export function jsonOf({ label, events, minLevel, quietHours, undelivered }: ListedAddress): unknown {
  return {
    label,
    events: events ?? null,
    minLevel: minLevel ?? null,
    quietHours: quietHours ?? null,
    waiting: undelivered.count,
    oldestAt: undelivered.oldestAt ?? null,
    lastError: undelivered.lastError ?? null,
  };
}
