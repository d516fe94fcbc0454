/** The times that DOS stamps can hold (APPNOTE 4.4.6); a file's time is taken to be one of them. ms UTC. */
const EARLIEST = Date.UTC(1980, 0, 1);
const LATEST = Date.UTC(2108, 0, 1);

export function isSaneTime(time: number): boolean {
  return time >= EARLIEST && time < LATEST;
}

/** The nearest time that can be, in whole ms. */
export function saneTime(time: number): number {
  return Math.min(Math.max(Math.round(time), EARLIEST), LATEST - 1);
}

/** The newest time of an entry, ms UTC; undefined where none has one (1980-01-01 stands for none). */
export function newestTime(entries: readonly { readonly modified: number }[]): number | undefined {
  const time = entries.reduce((latest, { modified }) => Math.max(latest, modified), EARLIEST);
  return time === EARLIEST ? undefined : time;
}
