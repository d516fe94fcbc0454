import type { Recorder } from './capture/index.ts';
import type { Config, OffsiteConfig } from './config/index.ts';
import { type Clock, DAY_MS, type Random } from './lib/clock.ts';
import { lockDirectory } from './lib/lock.ts';
import type { Logger } from './lib/logger.ts';
import { count, formatDuration, formatMoment } from './lib/text.ts';
import type { Message } from './notify/index.ts';
import { Copier, createTool, type OffsiteNews, offsiteDirectory, offsiteRecordIn } from './offsite/index.ts';
import { keptExports, listSnapshots } from './snapshot/index.ts';

export interface CopierParts {
  readonly recorder: Pick<Recorder, 'record'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Who keeps the copies at a place off-site up to date, and tells people of them. */
export function createCopier(
  place: OffsiteConfig,
  { stateDir, backupDir }: Config,
  { recorder, clock, random, logger }: CopierParts,
): Copier {
  const { name } = place;
  const directory = offsiteDirectory(stateDir, name);
  return new Copier({
    name,
    tool: createTool(place, { backups: backupDir, scratch: directory }),
    record: offsiteRecordIn(stateDir, name),
    exports: async () => keptExports(await listSnapshots(backupDir)),
    checkEveryMs: place.checkDays * DAY_MS,
    lateMs: place.lateDays * DAY_MS,
    lock: () => lockDirectory(directory, 'record of off-site copies'),
    tell: (news) => recorder.record({ messages: [offsiteMessage(name, news, clock.now())] }),
    clock,
    random,
    logger: logger.child({ offsite: name }),
  });
}

const NO_LOSS = 'The backup directory itself is whole';

/** What people are told: what happened, what it means for the backup, what to do. */
export function offsiteMessage(name: string, news: OffsiteNews, now: number): Message {
  switch (news.kind) {
    case 'late':
      return {
        event: 'offsite-late',
        level: 'warning',
        title: `${news.missing === 0 ? 'The check of the off-site copy' : 'The off-site copy'} "${name}" is ${formatDuration(now - news.since)} late`,
        body: [
          whatIsLate(news),
          ...(news.trouble === null ? [] : [`What is in the way: ${news.trouble}`]),
          `Chatkeep goes on trying, and tells you when it is done. To see it at once when you have mended it, run \`chatkeep offsite run ${name}\`. You are told again in 7 days if it lasts.`,
        ].join('\n'),
        at: now,
        data: {
          offsite: name,
          since: news.since,
          missing: news.missing,
          copiedAt: news.copiedAt,
          reason: news.trouble,
        },
      };
    case 'damaged':
      return {
        event: 'offsite-damaged',
        level: 'failure',
        title: `The off-site copy "${name}" is not sound`,
        body: [
          `The check of what is kept there found: ${news.damage}`,
          `${NO_LOSS}. Chatkeep copies again what is wanting, and checks again tomorrow; what is damaged there it does not delete. If the trouble stays, look at the disk or the service there, or begin a new copy at another place (docs/how-to/offsite.md).`,
        ].join('\n'),
        at: now,
        data: { offsite: name, reason: news.damage },
      };
    case 'recovered':
      return {
        event: 'recovered',
        level: 'info',
        title: `The off-site copy "${name}" is ${news.from === 'late' ? 'up to date' : 'sound'} again`,
        body: `${news.from === 'late' ? 'All snapshots are there now.' : 'All snapshots are there, and the check found nothing wrong.'} Nothing is left to do.`,
        at: now,
        data: { offsite: name },
      };
  }
}

function whatIsLate({ missing, copiedAt }: Extract<OffsiteNews, { kind: 'late' }>): string {
  const last =
    copiedAt === null ? 'No copy has been made there yet.' : `The last copy was made at ${formatMoment(copiedAt)}.`;
  if (missing === 0) return `All snapshots were copied there, but they could not be checked. ${last} ${NO_LOSS}.`;
  return `${count(missing, 'export is', 'exports are')} in the backup directory and not there yet. ${last} ${NO_LOSS}, and snapshots are made as before; but if this disk or machine is lost, what has not been copied is lost with it.`;
}
