import { count } from '../../lib/text.ts';
import { type CaptureItem, type Named, type Overview, overviewOf, type Status } from '../../overview/index.ts';

/** The page of `chatkeep status`, line by line: what is wrong comes first, each with its fix. @param now ms UTC */
export function statusPage(status: Status, now: number): string[] {
  const overview = overviewOf(status, now);
  const { open, awaited, ended } = overview;
  return [
    ...headLines(overview),
    '',
    open.length === 0
      ? 'No export is being captured.'
      : `${count(open.length, 'export is', 'exports are')} being captured:`,
    ...open.map(captureLine),
    ...(awaited.length === 0
      ? []
      : [`${count(awaited.length, 'export was', 'exports were')} asked for, with no email yet that it is ready:`]),
    ...awaited.map((each) => `- ${each}`),
    ...(ended.length === 0 ? [] : ['Ended last:']),
    ...ended.map(captureLine),
    '',
    ...overview.mailboxes.map(lineOf('Mailbox ')),
    ...overview.logins.map(lineOf('Login, ')),
    overview.snapshots,
    ...overview.accounts.map(lineOf('- ')),
    ...(overview.verified === undefined ? [] : [overview.verified]),
    ...overview.offsite.map(lineOf('Off-site copy ')),
    ...overview.disks.map(lineOf('Free on ')),
    ...(overview.undelivered === undefined ? [] : [overview.undelivered]),
    ...overview.reminders,
  ];
}

function headLines({ isWell, problems }: Overview): string[] {
  if (problems.length === 0) return ['The service runs and is well.'];
  return [
    ...(isWell ? ['The service runs and is well. Something else needs you:'] : []),
    ...problems.flatMap(({ what, fix }) => [`! ${what}`, `  What to do: ${fix}`]),
  ];
}

function captureLine({ id, line }: CaptureItem): string {
  return `- ${id}: ${line}`;
}

function lineOf(kind: string): (item: Named) => string {
  return ({ name, text }) => `${kind}${name}: ${text}`;
}
