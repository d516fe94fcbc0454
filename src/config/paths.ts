import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** A path as the user wrote it, made absolute: `~/` is the home directory, anything else is relative to `base`. */
export function absolutePath(path: string, base: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(base, path);
}

/** Whether a key of the file holds a path: `file`, and whatever ends in `_file` or `_dir`. */
export function isPathKey(key: string): boolean {
  return /(^|_)(file|dir)$/.test(key);
}

/**
 * Where state is kept when nothing is set, by the XDG Base Directory Specification: $XDG_STATE_HOME (only if absolute),
 * else ~/.local/state.
 */
export function defaultStateDirectory(env: NodeJS.ProcessEnv): string {
  const home = env.XDG_STATE_HOME;
  return join(home?.startsWith('/') ? home : join(homedir(), '.local', 'state'), 'chatkeep');
}

/** Where the consent to read a mailbox is kept; the name may hold anything. */
export function defaultTokenFile(stateDir: string, mailbox: string): string {
  return join(stateDir, 'oauth', `${encodeURIComponent(mailbox)}.json`);
}
