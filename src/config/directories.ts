import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { Draft } from './draft.ts';
import type { Findings } from './findings.ts';
import type { Glimpse } from './glimpse.ts';

const DIRECTORIES = ['backup_dir', 'state_dir', 'drop_dir'] as const;
type DirectoryKey = (typeof DIRECTORIES)[number];

/** Which directory must not lie in which, and why. */
const MUST_NOT_LIE_IN: readonly { readonly inner: DirectoryKey; readonly outer: DirectoryKey; readonly why: string }[] =
  [
    {
      inner: 'state_dir',
      outer: 'backup_dir',
      why: 'where only snapshots belong: links and logins would be copied wherever the backups are',
    },
    {
      inner: 'backup_dir',
      outer: 'state_dir',
      why: 'which can be deleted at any time, and the snapshots would go with it',
    },
    { inner: 'drop_dir', outer: 'backup_dir', why: 'where only snapshots belong' },
    {
      inner: 'drop_dir',
      outer: 'state_dir',
      why: 'where Chatkeep deletes what it does not need any more',
    },
    { inner: 'backup_dir', outer: 'drop_dir', why: 'where exports are deleted once they were taken in' },
    { inner: 'state_dir', outer: 'drop_dir', why: 'where exports are deleted once they were taken in' },
  ];

/** That the three directories are apart, symbolic links resolved. What they are not goes into `findings`. */
export async function checkDirectories(glimpse: Glimpse, draft: Draft, findings: Findings): Promise<void> {
  const [backups, state, drop] = await Promise.all(
    [glimpse.backup_dir, glimpse.state_dir, glimpse.drop_dir].map((path) => path && resolved(path)),
  );
  const paths = { backup_dir: backups, state_dir: state, drop_dir: drop };
  for (const { inner, outer, why } of MUST_NOT_LIE_IN) {
    const [path, directory] = [paths[inner], paths[outer]];
    if (path === undefined || directory === undefined) continue;
    const [name, other] = [draft.nameOf([inner]), draft.nameOf([outer])];
    // Said of the two once, and not of each in the other.
    if (path === directory && DIRECTORIES.indexOf(inner) > DIRECTORIES.indexOf(outer)) {
      findings.problem(`${name}: is the same directory as ${other}: give it one of its own`);
    } else if (isInside(path, directory)) {
      findings.problem(`${name}: lies inside ${other}, ${why}: move it out`);
    }
  }
}

/** The path with its symbolic links resolved, as far as it is there already. */
async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await resolved(parent), basename(path));
  }
}

function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== '' && way !== '..' && !way.startsWith('../');
}
