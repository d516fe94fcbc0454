import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { whyUnreadable } from './file.ts';
import type { Findings } from './findings.ts';

/** Far more than any password, or list of addresses, has. */
const MOST_BYTES = 64 * 1024;

/**
 * The text of a file that holds a secret, one trailing line end cut off; undefined when it cannot be used, and then
 * `findings` has the reason. A file that other users can read is used, with a warning.
 *
 * @param name the key or variable that names the file, for messages
 */
export async function readSecretFile(name: string, path: string, findings: Findings): Promise<string | undefined> {
  const bytes = await readSmallFile(name, path, findings);
  if (bytes === undefined) return undefined;
  const text = decode(bytes)?.replace(/\r?\n$/, '');
  if (text === undefined) findings.problem(`${name}: ${path} does not hold UTF-8 text`);
  else if (text.trim() === '') findings.problem(`${name}: ${path} is empty`);
  else return text;
  return undefined;
}

/** As {@link readSecretFile}, for a secret that is one line. */
export async function readSecretLine(name: string, path: string, findings: Findings): Promise<string | undefined> {
  const text = await readSecretFile(name, path, findings);
  if (text === undefined || !/[\r\n]/.test(text)) return text;
  findings.problem(`${name}: ${path} holds more than one line: leave only the secret in it`);
  return undefined;
}

async function readSmallFile(name: string, path: string, findings: Findings): Promise<Uint8Array | undefined> {
  try {
    // O_NONBLOCK: a pipe that nobody writes to must not hold up the start.
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    const fault = stats.isDirectory()
      ? whyUnreadable({ code: 'EISDIR' })
      : !stats.isFile()
        ? 'it is not a regular file'
        : stats.size > MOST_BYTES
          ? 'it is too large to be a secret'
          : undefined;
    if (fault !== undefined) {
      findings.problem(`${name}: ${path} cannot be used: ${fault}`);
      return undefined;
    }
    warnIfOthersCanRead(name, path, stats.mode, findings);
    return await handle.readFile();
  } catch (error) {
    findings.problem(`${name}: ${path} cannot be read: ${whyUnreadable(error)}`);
    return undefined;
  }
}

/** Without the byte order mark that some editors put in front. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** @param mode as `stat` gives it */
export function warnIfOthersCanRead(name: string, path: string, mode: number, findings: Findings): void {
  if ((mode & 0o077) !== 0) findings.warning(`${name}: ${path} is open to other users: chmod 600 ${path}`);
}
