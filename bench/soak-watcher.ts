/**
 * The process that `npm run bench -- soak` looks at: watches the mailbox that the first argument tells of (JSON), and
 * tells its parent what it does. To `sample` it answers with what memory it takes, and to `stop` by ending.
 */
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type SoakPlace, watchForSoak } from '../test/support/soak-watcher.ts';

/** What it takes just now, after all garbage is gone. */
export interface SoakSample {
  readonly rss: number;
  readonly heap: number;
  /** Memory of V8's objects outside its heap: buffers. */
  readonly external: number;
  /** Sockets, timers and requests that keep the process alive. */
  readonly resources: number;
  readonly openFiles: number;
}

export type SoakReport =
  | { readonly kind: 'signed-in' }
  | { readonly kind: 'handed-on'; readonly messageId: string; readonly outcome: string }
  | { readonly kind: 'sample'; readonly sample: SoakSample };

if (process.send !== undefined) await soak();

async function soak(): Promise<void> {
  const stop = new AbortController();
  process.on('message', (order) => {
    if (order === 'stop') stop.abort();
    if (order === 'sample') void sample().then((taken) => tell({ kind: 'sample', sample: taken }));
  });
  process.once('disconnect', () => stop.abort());
  await watchForSoak(
    JSON.parse(process.argv[2] ?? '') as SoakPlace,
    {
      onSignIn: () => tell({ kind: 'signed-in' }),
      onHandedOn: (messageId, outcome) => tell({ kind: 'handed-on', messageId, outcome }),
    },
    stop.signal,
  );
  tell({ kind: 'sample', sample: await sample() });
  if (process.connected) process.disconnect();
}

function tell(report: SoakReport): void {
  process.send?.(report);
}

async function sample(): Promise<SoakSample> {
  // What finalizers let go of is garbage only then.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await delay(50);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    rss,
    heap: heapUsed,
    external,
    resources: process.getActiveResourcesInfo().length,
    openFiles: (await readdir('/proc/self/fd')).length,
  };
}
