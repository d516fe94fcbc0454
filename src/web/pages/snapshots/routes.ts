import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import { count } from '../../../lib/text.ts';
import {
  allSnapshots,
  type DamagedSnapshot,
  listSnapshots,
  readEntries,
  readSumsOf,
  type SnapshotInfo,
  type SnapshotPlace,
  type SnapshotReport,
  SUMS_FILE,
  statEntries,
  type UnchangedExport,
} from '../../../snapshot/index.ts';
import { conversationAddress, snapshotAddress } from '../../addresses.ts';
import { Background, type Work } from '../../background.ts';
import type { WebEnv } from '../../env.ts';
import type { WebSources } from '../../sources.ts';
import { messagePage } from '../../views/message-page.ts';
import { pageOf } from '../../views/parts.ts';
import { type Compared, comparisonPage, type Pair, type ReaderAddresses } from './comparison.ts';
import { type FileList, snapshotPage } from './snapshot-page.ts';
import { timelinePage } from './timeline.ts';
import { verificationText, verifyOne } from './verification.ts';
import { timeOf } from './words.ts';
import { zipOf } from './zip.ts';

const FILES_A_PAGE = 50;
const VERIFICATIONS_REMEMBERED = 200;
/** A comparison holds some thousand titles at most. */
const COMPARISONS_REMEMBERED = 12;
const TRY_AGAIN_AFTER_MS = 60_000;

/** `/snapshots`: what there is, one of them, comparisons, checks and downloads. */
export function snapshotsRoutes(sources: WebSources): Hono<WebEnv> {
  const { backupDir, clock, signal } = sources;
  const verifications = new Background<SnapshotReport>({ clock, signal, remembered: VERIFICATIONS_REMEMBERED });
  const comparisons = new Background<Compared>({ clock, signal, remembered: COMPARISONS_REMEMBERED });
  const routes = new Hono<WebEnv>();

  routes.get('/', async (context) => {
    const { account, page } = context.req.query();
    return context.html(timelinePage({ list: await listSnapshots(backupDir), backupDir, account, page }));
  });

  routes.get('/:account/:name', async (context) => {
    const found = await findSnapshot(backupDir, context);
    if (found === undefined) return context.notFound();
    const { snapshot, ofAccount, unchanged } = found;
    const older = ofAccount[ofAccount.findIndex(({ id }) => id === snapshot.id) - 1];
    return context.html(
      snapshotPage({
        snapshot,
        backupDir,
        ofAccount,
        unchanged,
        comparison: older === undefined ? undefined : { older, work: compare({ older, newer: snapshot }) },
        verification: verifications.look(snapshot.id),
        files: await filesOf(snapshot, context.req.query('files') ?? '', context.req.query('page')),
        addresses: readerAddresses(sources),
        csrfToken: context.get('csrfToken') ?? '',
      }),
    );
  });

  routes.post('/:account/:name/verify', async (context) => {
    const found = await findSnapshot(backupDir, context);
    if (found === undefined) return context.notFound();
    verifications.begin(found.snapshot.id, (stop, onProgress) =>
      verifyOne(found.snapshot, backupDir, stop, onProgress),
    );
    return context.redirect(`${snapshotAddress(found.snapshot)}#check`, 303);
  });

  routes.get('/:account/:name/verification', (context) => {
    const { account, name } = context.req.param();
    const work = verifications.look(`${account}/${name}`);
    return work === undefined ? context.notFound() : context.json(progressOf(work, verificationText));
  });

  routes.get('/:account/:name/comparison', async (context) => {
    const found = await findSnapshot(backupDir, context);
    const pair = found === undefined ? undefined : pairOf(found, context.req.query('with'));
    if (found === undefined || pair === undefined) return context.notFound();
    const { older, newer } = pair;
    return context.html(
      comparisonPage({
        older,
        newer,
        work: compare(pair),
        others: found.ofAccount.filter(({ id }) => id !== newer.id).reverse(),
        addresses: readerAddresses(sources),
        pageOfGroup: (group) => context.req.query(group),
      }),
    );
  });

  routes.get('/:account/:name/comparison/state', (context) => {
    const { account, name } = context.req.param();
    const work = comparisons.look(nameOf(`${account}/${context.req.query('with')}`, `${account}/${name}`));
    return work === undefined ? context.notFound() : context.json(progressOf(work));
  });

  routes.get('/:account/:name/SHA256SUMS', async (context) => {
    const found = await findSnapshot(backupDir, context);
    const sums =
      found === undefined ? undefined : await readFile(join(found.snapshot.path, SUMS_FILE)).catch(() => undefined);
    if (sums === undefined) return context.notFound();
    return context.body(new Uint8Array(sums), 200, {
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': 'attachment; filename="SHA256SUMS"',
    });
  });

  routes.get('/:account/:name/zip', async (context) => {
    const found = await findSnapshot(backupDir, context);
    if (found === undefined) return context.notFound();
    const { snapshot } = found;
    const entries = await readEntries(snapshot, context.req.raw.signal);
    const [missing] = entries.missing;
    if (missing !== undefined) {
      const text = `${count(entries.missing.length, 'file')} of this snapshot ${entries.missing.length === 1 ? 'is' : 'are'} missing (${missing}${entries.missing.length > 1 ? ', …' : ''}). \`chatkeep restore\` copies out what is there, with sound copies from other snapshots.`;
      return context.html(messagePage('The snapshot is damaged', text), 409);
    }
    const headers = {
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${zipName(snapshot)}"`,
    };
    if (context.req.method === 'HEAD') return context.body(null, 200, headers);
    const { body, bytes } = zipOf(snapshot, entries, {
      compress: context.req.query('compress') !== 'no',
      exportTime: timeOf(snapshot),
    });
    return context.body(body, 200, { ...headers, ...(bytes === undefined ? {} : { 'content-length': `${bytes}` }) });
  });

  return routes;

  /** Begun by whoever looks first; what came to nothing is tried again after a while: damage may have been mended. */
  function compare({ older, newer }: Pair): Work<Compared> {
    const name = nameOf(older.id, newer.id);
    const known = comparisons.look(name);
    if (known !== undefined && !isStale(known)) return known;
    return comparisons.begin(name, (stop) => sources.compare(older, newer, stop));
  }

  function isStale(work: Work<Compared>): boolean {
    if (work.state === 'running' || (work.state === 'done' && work.result !== undefined)) return false;
    return clock.now() - work.at >= TRY_AGAIN_AFTER_MS;
  }
}

interface Found {
  readonly snapshot: SnapshotInfo | DamagedSnapshot;
  /** All of its account, oldest first. */
  readonly ofAccount: readonly SnapshotPlace[];
  readonly unchanged: readonly UnchangedExport[];
}

async function findSnapshot(backupDir: string, context: Context<WebEnv>): Promise<Found | undefined> {
  const list = await listSnapshots(backupDir);
  const id = `${context.req.param('account')}/${context.req.param('name')}`;
  const all = allSnapshots(list);
  const snapshot = all.find((one) => one.id === id);
  if (snapshot === undefined) return undefined;
  return {
    snapshot,
    ofAccount: all.filter(({ account }) => account === snapshot.account),
    unchanged: list.unchanged.filter((each) => each.snapshot.id === id),
  };
}

/** OpenAI's name, by which the export is known again where it is handed in; else one that says what it is. */
function zipName(snapshot: SnapshotInfo | DamagedSnapshot): string {
  const exportId = 'meta' in snapshot ? snapshot.meta.exportId : undefined;
  if (exportId !== undefined && /^[\w-]{1,200}$/.test(exportId)) return `${exportId}.zip`;
  return `chatgpt-${snapshot.account}-${snapshot.name}.zip`;
}

/** The older one first, whichever of them was chosen to be compared with. */
function pairOf({ snapshot, ofAccount }: Found, other: string | undefined): Pair | undefined {
  const [older, newer] = ofAccount.filter(({ id, name }) => id === snapshot.id || name === other);
  return older === undefined || newer === undefined ? undefined : { older, newer };
}

/** @param older and newer: ids of snapshots */
function nameOf(older: string, newer: string): string {
  return `${older} ${newer}`;
}

function progressOf<R>(
  work: Work<R>,
  textOf?: (progress: { readonly done: number; readonly total: number }) => string,
): Readonly<Record<string, string | number>> {
  if (work.state !== 'running') return { state: work.state };
  const { state, done, total } = work;
  return { state, done, total, ...(textOf === undefined ? {} : { text: textOf(work) }) };
}

async function filesOf(snapshot: SnapshotPlace, filter: string, askedPage: string | undefined): Promise<FileList> {
  const wanted = filter.toLowerCase();
  const paths = (await readSumsOf(snapshot.path)).map(({ path }) => path);
  const found = wanted === '' ? paths : paths.filter((path) => path.toLowerCase().includes(wanted));
  const { page, pages } = pageOf(askedPage, found.length, FILES_A_PAGE);
  const shown = found.slice((page - 1) * FILES_A_PAGE, page * FILES_A_PAGE);
  const entries = await statEntries(snapshot.path, shown);
  return {
    filter,
    found: found.length,
    page,
    pages,
    shown: shown.map((path, index) => ({ path, entry: entries[index] })),
  };
}

function readerAddresses({ catalog }: WebSources): ReaderAddresses {
  return (account, ids) => {
    const numbers = catalog()?.numbersOf(account, ids);
    return (id) => {
      const number = numbers?.get(id);
      return number === undefined ? undefined : conversationAddress({ account, id, number });
    };
  };
}
