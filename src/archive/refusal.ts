import { ChatkeepError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import type { NameProblem } from './name-problem.ts';
import type { CollisionProblem } from './names.ts';

/** Why an archive is not unpacked. */
export type ArchiveRefusalReason =
  | NameProblem
  | CollisionProblem
  /** Something else than a ZIP: a web page, an error message, an empty file. */
  | 'not-a-zip'
  /** It begins as a ZIP, and its end is missing. */
  | 'truncated'
  /** Its directory cannot be read, or contradicts itself. */
  | 'malformed'
  /** It holds no file at all. */
  | 'no-files'
  /** It is not the file that was inspected any more. */
  | 'changed'
  | 'symbolic-link'
  | 'special-file'
  | 'directory-with-data'
  | 'encrypted'
  | 'unsupported-method'
  | 'overlap'
  | 'local-header-mismatch'
  | 'wrong-size'
  | 'wrong-crc'
  | 'corrupt-data'
  | 'too-many-entries'
  | 'too-large'
  | 'ratio';

/** The archive is unsafe or broken: class `refused`, with the reason and, where there is one, the entry. */
export class ArchiveRefusal extends ChatkeepError {
  readonly reason: ArchiveRefusalReason;
  /** The entry's name in its printable form, see {@link printable}. */
  readonly entry: string | undefined;

  constructor(reason: ArchiveRefusalReason, message: string, options: { entry?: string; cause?: unknown } = {}) {
    super('refused', message, { cause: options.cause });
    this.reason = reason;
    this.entry = options.entry;
  }
}

/** A refusal for one entry: `The entry "a/b" <what>.` */
export function refuseEntry(
  reason: ArchiveRefusalReason,
  name: string,
  what: string,
  options: { cause?: unknown } = {},
): ArchiveRefusal {
  const entry = printable(name);
  return new ArchiveRefusal(reason, `The entry "${entry}" ${what}.`, { entry, cause: options.cause });
}
