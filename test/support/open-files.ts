import { readdir, readlink } from 'node:fs/promises';

/** The files below `directory` that this process holds open (Linux). */
export async function openFilesBelow(directory: string): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd');
  // The descriptor that listed the directory is gone by now.
  const paths = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return paths.filter((path) => path === directory || path.startsWith(`${directory}/`));
}
