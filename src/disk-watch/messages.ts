import { formatBytes } from '../lib/text.ts';
import type { Message } from '../notify/index.ts';
import type { DiskFacts } from './judge.ts';

/** A disk, as people call it: `the disk of the backup directory /backups`. */
export interface Disk {
  readonly what: string;
  /** Where it is looked at, absolute. */
  readonly path: string;
}

const EXPORTS_GO_ON = 'The snapshots that you have are untouched.';
const WHAT_TO_DO = 'What to do: make room on it, or give it more. `chatkeep snapshots` lists what is kept, with sizes.';

/** The next export fits, the one after it perhaps not. */
export function diskLow(disk: Disk, facts: DiskFacts, now: number): Message {
  return {
    event: 'disk-low',
    level: 'warning',
    title: `The disk for ChatGPT backups is getting full, ${formatBytes(facts.free)} free`,
    body: [
      `${capitalized(disk.what)} has ${formatBytes(facts.free)} of ${formatBytes(facts.total)} left. ${needSentence(facts)} ${EXPORTS_GO_ON}`,
      WHAT_TO_DO,
    ].join('\n'),
    at: now,
    data: dataOf('low', disk, facts),
  };
}

/** Not even the next export fits. */
export function diskFull(disk: Disk, facts: DiskFacts, now: number): Message {
  return {
    event: 'disk-low',
    level: 'failure',
    title: `The next ChatGPT export will not fit on the disk, ${formatBytes(facts.free)} free`,
    body: [
      `${capitalized(disk.what)} has ${formatBytes(facts.free)} of ${formatBytes(facts.total)} left, and an export like the last ones takes ${formatBytes(facts.need)}. It could not be kept, and its link would live for 24 hours only. ${EXPORTS_GO_ON}`,
      WHAT_TO_DO,
      'This is told again in a week if nothing has changed.',
    ].join('\n'),
    at: now,
    data: dataOf('full', disk, facts),
  };
}

/** There is room again. */
export function diskEnough(disk: Disk, facts: DiskFacts, now: number): Message {
  return {
    event: 'recovered',
    level: 'info',
    title: 'There is room for ChatGPT backups again',
    body: `${capitalized(disk.what)} has ${formatBytes(facts.free)} of ${formatBytes(facts.total)} free again. Nothing is left to do.`,
    at: now,
    data: dataOf('enough', disk, facts),
  };
}

function needSentence({ need }: DiskFacts): string {
  return need === 0
    ? 'That is less than the share that is to stay free.'
    : `An export like the last ones takes ${formatBytes(need)} while it is taken in: the next one fits, but not many more.`;
}

function dataOf(state: string, { path }: Disk, { free, total, need }: DiskFacts): Message['data'] {
  return { disk: path, state, free, total, need };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
