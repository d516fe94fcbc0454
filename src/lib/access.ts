import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

/** Who a process is, and where it runs. */
export interface Surroundings {
  readonly uid: number;
  readonly gid: number;
  /** The text of /proc/self/mountinfo inside a container; else undefined. */
  readonly mountinfo: string | undefined;
}

/**
 * The command that lets this process use what lies at `path`, which it was denied: `sudo chown 1000:1000 /srv/backups`.
 * In a container it is one for the machine around it, since there is no other way to mend a mounted folder. It names
 * one file or directory, and never what lies below. Undefined where no owner or mode explains the denial.
 */
export function commandThatLetsUse(path: string, surroundings = surroundingsOfProcess()): string | undefined {
  if (surroundings === undefined) return undefined;
  const found = nearestThatIsSeen(path);
  if (found === undefined) return undefined;
  const { uid, gid, mountinfo } = surroundings;
  const { at, shown } = mountinfo === undefined ? { at: '', shown: found.path } : outside(found.path, mountinfo);
  if (found.uid !== uid) return `${at}sudo chown ${uid}:${gid} ${quoted(shown)}`;
  const wanted = found.isDirectory ? 0o700 : 0o600;
  return (found.mode & wanted) === wanted
    ? undefined
    : `${at}sudo chmod u+rw${found.isDirectory ? 'x' : ''} ${quoted(shown)}`;
}

function surroundingsOfProcess(): Surroundings | undefined {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  if (uid === undefined || gid === undefined) return undefined;
  return { uid, gid, mountinfo: isContainer() ? readText('/proc/self/mountinfo') : undefined };
}

/** Whether this process runs in a container, by the marks of Docker and of Podman. */
export function isContainer(): boolean {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

interface Seen {
  readonly path: string;
  readonly uid: number;
  readonly mode: number;
  readonly isDirectory: boolean;
}

/** What lies at `path`; else the nearest directory above it: one that may not be entered, or in which it is not. */
function nearestThatIsSeen(path: string): Seen | undefined {
  try {
    const stats = statSync(path);
    return { path, uid: stats.uid, mode: stats.mode, isDirectory: stats.isDirectory() };
  } catch {
    return dirname(path) === path ? undefined : nearestThatIsSeen(dirname(path));
  }
}

/** Where a path of the container lies on the machine around it, as far as the kernel tells (proc_pid_mountinfo(5)). */
function outside(path: string, mountinfo: string): { at: string; shown: string } {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [, , , root, mountPoint] = line.split(' ').map(unescaped);
    return root === undefined || mountPoint === undefined || root === '/' ? [] : [{ root, mountPoint }];
  });
  const holds = ({ mountPoint }: { mountPoint: string }) => !relative(mountPoint, path).startsWith('..');
  const mount = mounts.filter(holds).sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
  if (mount === undefined) return { at: '', shown: path };
  const below = relative(mount.mountPoint, path);
  // The kernel knows the end of the way only: above it may be a mount of the machine.
  const volume = /\/volumes\/([^/]+\/_data)$/.exec(mount.root)?.[1];
  const folder = volume ?? basename(mount.root);
  const where = volume === undefined ? `where ./${folder} is` : 'where Docker keeps its volumes';
  return { at: `on the machine around this container, ${where}: `, shown: `./${join(folder, below)}` };
}

/** As a shell takes it for one word. */
function quoted(path: string): string {
  return /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** Spaces and the like are written as `\040` there. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
