/** What file managers and servers put into any folder; it belongs to nobody's data. */
const LITTER = new Set(['.ds_store', '.localized', '.appledouble', '__macosx', 'thumbs.db', 'desktop.ini', '@eadir']);

/** Whether a file or directory of this name was left by a file manager (macOS, Windows, Synology), not by a person. */
export function isLitter(name: string): boolean {
  // AppleDouble: what a file system without resource forks gets beside each file of a Mac.
  return name.startsWith('._') || LITTER.has(name.toLowerCase());
}
