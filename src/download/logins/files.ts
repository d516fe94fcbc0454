import { readFile, stat } from 'node:fs/promises';
import { errorCode } from '../../lib/errors.ts';

/** Logins are small; what is larger is some other file. */
const MOST_BYTES = 1024 * 1024;

export type LoginFile =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unusable'; readonly detail: string };

/** The text of a login's file, or a sentence that says why there is none. */
export async function readLoginFile(path: string): Promise<LoginFile> {
  try {
    const file = await stat(path);
    // A pipe or a device may never come to an end.
    if (!file.isFile()) return { kind: 'unusable', detail: `The file ${path} is not a regular file.` };
    if (file.size > MOST_BYTES) return { kind: 'unusable', detail: `The file ${path} is too large to be a login.` };
    const text = await readFile(path, 'utf8');
    return text.trim() === '' ? { kind: 'unusable', detail: `The file ${path} is empty.` } : { kind: 'text', text };
  } catch (error) {
    const why = WHY[errorCode(error) ?? ''] ?? 'cannot be read';
    return { kind: 'unusable', detail: `The file ${path} ${why}.` };
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read (permission denied)',
};

/** Changes when the file does; `absent` while there is none. */
export async function fileFingerprint(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs}:${size}:${ino}`;
  } catch {
    return 'absent';
  }
}
