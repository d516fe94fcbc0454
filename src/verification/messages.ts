import { printable } from '../lib/printable.ts';
import { count } from '../lib/text.ts';
import type { Message } from '../notify/index.ts';

/** What people are told of damaged snapshots: what happened, what it means for the backup, what to do, by when. */

/** A file that is damaged, as far as people are told of it. */
export interface DamagedFile {
  readonly snapshot: string;
  /** A sentence. */
  readonly detail: string;
  readonly hasSoundCopy: boolean;
}

const FILES_NAMED = 5;

/** @param files those that people do not know of yet; one at least */
export function verificationFailed(files: readonly DamagedFile[], now: number): Message {
  const snapshots = new Set(files.map(({ snapshot }) => snapshot));
  const mendable = files.filter(({ hasSoundCopy }) => hasSoundCopy).length;
  const named = files.slice(0, FILES_NAMED).map(({ snapshot, detail }) => `- ${snapshot}: ${printable(detail)}`);
  const [first = ''] = snapshots;
  const command = snapshots.size === 1 ? `chatkeep verify ${first}` : 'chatkeep verify';
  return {
    event: 'verification-failed',
    level: 'failure',
    title: `${count(files.length, 'file')} in ${count(snapshots.size, 'snapshot')} ${files.length === 1 ? 'is' : 'are'} damaged`,
    body: [
      'Chatkeep has read a part of the backup directory again, and found what is not as it was backed up:',
      ...named,
      ...(files.length > named.length ? [`- … and ${count(files.length - named.length, 'more file')}`] : []),
      `${copiesSentence(mendable, files.length)} The other files of these snapshots are not concerned.`,
      `What to do: run \`${command}\`, which names every damaged file and how to repair it where there is a sound copy; take the others from another copy of the backup directory. Look after the disk soon: damage seldom stays alone. You are told when all is sound again.`,
    ].join('\n'),
    at: now,
    data: {
      verification: 'damaged',
      files: files.length,
      snapshots: snapshots.size,
      firstSnapshot: first,
      filesWithSoundCopy: mendable,
    },
  };
}

/** Everything that was told of is sound again, or gone with its snapshot. */
export function soundAgain(files: number, now: number): Message {
  return {
    event: 'recovered',
    level: 'info',
    title: 'The snapshots are sound again',
    body: `What was found damaged (${count(files, 'file')}) is as it was backed up, or its snapshot is gone. Nothing is left to do.`,
    at: now,
    data: { verification: 'sound', files },
  };
}

function copiesSentence(mendable: number, damaged: number): string {
  if (mendable === 0) return `No other snapshot has a sound copy of ${damaged === 1 ? 'it' : 'them'}.`;
  if (mendable < damaged) return `Other snapshots have a sound copy of ${mendable} of them.`;
  return damaged === 1 ? 'Another snapshot has a sound copy of it.' : 'Other snapshots have a sound copy of each.';
}
