/** A folder as the server lists it. */
export interface ListedFolder {
  /** Its whole name, as the other commands take it. */
  readonly path: string;
  /** The last part of it. */
  readonly name: string;
  /** Attributes (RFC 9051 section 7.3.1), special uses among them (RFC 6154), as the server sends them. */
  readonly flags: ReadonlySet<string>;
  /** The special use that the driver takes it for by its name, in any of many languages, where no folder has the flag. */
  readonly use: string | undefined;
}

/** Beside those that the driver knows; Yahoo's is called Bulk. */
const JUNK_NAMES = new Set(['spam', 'junk', 'junk e-mail', 'junk email', 'bulk', 'bulk mail']);

/** The second of each pair is what Gmail's XLIST said before RFC 6154. */
const JUNK_FLAGS = ['\\Junk', '\\Spam'];
const ALL_FLAGS = ['\\All', '\\AllMail'];

/**
 * The folders to watch where none are configured: the inbox first, then those that hold spam, since an export's email in
 * there is a lost export, and the one that holds all mail (Gmail's), for mail that a filter has archived. The trash is
 * left alone: what lies there was put there by the user.
 */
export function foldersToWatch(listed: readonly ListedFolder[]): string[] {
  const folders = listed.filter(({ path, flags }) => path !== '' && !flags.has('\\Noselect') && !isInbox(path));
  const junk = firstThatFinds([
    () => folders.filter((folder) => hasOneOf(folder, JUNK_FLAGS)),
    () => folders.filter(({ use }) => use === '\\Junk'),
    () => folders.filter(({ name }) => JUNK_NAMES.has(name.toLowerCase())),
  ]);
  const all = folders.filter((folder) => hasOneOf(folder, ALL_FLAGS));
  return ['INBOX', ...new Set([...junk, ...all].map(({ path }) => path))];
}

function isInbox(path: string): boolean {
  return path.toUpperCase() === 'INBOX';
}

function hasOneOf({ flags }: ListedFolder, wanted: readonly string[]): boolean {
  return wanted.some((flag) => flags.has(flag));
}

function firstThatFinds(ways: readonly (() => ListedFolder[])[]): ListedFolder[] {
  for (const way of ways) {
    const found = way();
    if (found.length > 0) return found;
  }
  return [];
}
