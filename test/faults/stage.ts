import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { journalPath } from '../../src/assembly.ts';
import { openSqliteJournal } from '../../src/capture/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { importFiles } from '../../src/importer.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { removeTree } from '../../src/lib/files.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { listSnapshots, verifySnapshot } from '../../src/snapshot/index.ts';
import { saveHonestZip } from '../support/honest-zip.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Command, type Ended, type Fault, recordCalls, runWithFault, type Site } from './strace.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const SEEDED = fileURLToPath(new URL('./seeded.ts', import.meta.url));
const run = promisify(execFile);

/** Two exports of one account: what is the same in both becomes a hard link, in a folder and at the top. */
const OLD = {
  'user.json': '{"email":"ada@example.test"}',
  'chat.html': '<html>old',
  'a/picture.png': 'same',
  b: 'same',
};
const NEW = { ...OLD, 'chat.html': '<html>new', 'conversations-000.json': '[]', 'c/d/new.dat': 'new' };
const DAYS = ['2026-11-14', '2026-11-21'];
const NAMES = DAYS.map((day) => `${'0'.repeat(64)}-${day}-19-05-33-${'a'.repeat(32)}.zip`);
const OLD_ID = 'ada@example.test/2026-11-14T190533Z';
const NEW_ID = 'ada@example.test/2026-11-21T190533Z';
const RECORD_ID = 'ada@example.test/.chatkeep/unchanged/2026-11-21T190533Z.json';

/** What a run under a fault came to. */
export interface Outcome {
  readonly site: Site;
  readonly fault: Fault;
  /** The fault came to pass. */
  readonly hit: boolean;
  readonly ended: Ended;
  /** What a person sees before anything is started again. */
  readonly state: 'old' | 'new';
}

/**
 * `chatkeep import` of a second export into a backup directory with one snapshot, as a process of its own: unpacking,
 * counting, links, sealing, the rename, `latest`, and the record in the journal; or, of an `unchanged` export, the record
 * of it in place of links and snapshot. Each run starts from the same files.
 */
export class CommitStage implements AsyncDisposable {
  readonly #base: string;
  readonly #dispose: () => Promise<void>;
  /** The ids of what there is once the second export is taken in. */
  readonly #whenDone: string;

  private constructor(base: string, whenDone: string, dispose: () => Promise<void>) {
    this.#base = base;
    this.#whenDone = whenDone;
    this.#dispose = dispose;
  }

  static async create(second: 'changed' | 'unchanged' = 'changed'): Promise<CommitStage> {
    const temporary = await tempDir();
    const whenDone = `${OLD_ID} ${second === 'changed' ? NEW_ID : RECORD_ID}`;
    const stage = new CommitStage(temporary.path, whenDone, async () => temporary[Symbol.asyncDispose]());
    for (const [index, files] of [OLD, second === 'changed' ? NEW : OLD].entries()) {
      await saveHonestZip(stage.#at(NAMES[index] ?? ''), files, { mtime: new Date(`${DAYS[index]}T19:05:33Z`) });
    }
    await mkdir(stage.#at('work'));
    await stage.#import(NAMES[0] ?? '');
    await cp(stage.#at('work'), stage.#at('template'), { recursive: true, preserveTimestamps: true });
    return stage;
  }

  /** The calls of a run without a fault, each of which can be made to fail. */
  async record(): Promise<Site[]> {
    await this.#reset();
    const sites = await recordCalls(this.#command, [this.#at('work')], this.#at('strace.log'));
    await this.#expectDone();
    // A cache that another process writes: what is killed there is not the one that commits.
    return sites.filter(({ path }) => !path.startsWith(this.#at('work/state/inventories')));
  }

  /**
   * Runs with a fault at one call, looks at what is there, and starts again without a fault.
   * @throws AssertionError-like Error that says what is not as it must be
   */
  async tryOut(site: Site, fault: Fault): Promise<Outcome> {
    await this.#reset();
    const { hit, ...ended } = await runWithFault(this.#command, site, fault, this.#at('strace.log'));
    const state = await this.#stateNow();
    if (fault !== 'KILL') assertHonest(ended, state);
    await this.#import(NAMES[1] ?? '');
    await this.#expectDone();
    await this.#expectTidy();
    return { site, fault, hit, ended, state };
  }

  /** The path without what differs from stage to stage. */
  shortOf({ call, path, nth }: Site): string {
    return `${call} ${nth} of ${path.slice(this.#at('work').length + 1)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose();
  }

  #at(name: string): string {
    return join(this.#base, name);
  }

  get #env(): Record<string, string> {
    return {
      CHATKEEP_BACKUP_DIR: this.#at('work/backups'),
      CHATKEEP_STATE_DIR: this.#at('work/state'),
    };
  }

  get #command(): Command {
    return {
      program: process.execPath,
      args: ['--import', SEEDED, '--max-semi-space-size=2', MAIN, 'import', this.#at(NAMES[1] ?? '')],
      // With one thread for files, their calls come in one order.
      env: { PATH: process.env.PATH ?? '', UV_THREADPOOL_SIZE: '1', ...this.#env },
    };
  }

  async #reset(): Promise<void> {
    await removeTree(this.#at('work'));
    await run('cp', ['-a', this.#at('template'), this.#at('work')]);
  }

  /** In this process, which saves the start of another. */
  async #import(name: string): Promise<void> {
    const { config } = await loadConfig({ env: this.#env, defaultPath: this.#at('none.yaml') });
    const [imported] = await importFiles([{ path: this.#at(name), name, afterwards: 'keep', account: undefined }], {
      config,
      logger: silentLogger,
      clock: systemClock,
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    const kind = imported?.outcome.kind;
    if (kind !== 'committed' && kind !== 'duplicate' && kind !== 'unchanged') {
      throw new Error(`The next start did not complete the work: ${JSON.stringify(imported)}`);
    }
  }

  async #stateNow(): Promise<'old' | 'new'> {
    const list = await listSnapshots(this.#at('work/backups'));
    const { snapshots, unchanged } = list;
    const ids = [...snapshots, ...unchanged].map(({ id }) => id).join(' ');
    const amiss = [...list.strangers, ...list.damaged, ...list.damagedRecords];
    if (amiss.length > 0) throw new Error(`Something is half there: ${JSON.stringify(amiss)}`);
    for (const snapshot of snapshots) {
      const { ok, problems } = await verifySnapshot(snapshot);
      if (!ok) throw new Error(`${snapshot.id} is not whole: ${JSON.stringify(problems)}`);
    }
    if (ids === OLD_ID) return 'old';
    if (ids === this.#whenDone) return 'new';
    throw new Error(`Neither the old nor the new state is there, but: ${ids}`);
  }

  async #expectDone(): Promise<void> {
    if ((await this.#stateNow()) === 'old') throw new Error('The second export is not taken in.');
    const { snapshots } = await listSnapshots(this.#at('work/backups'));
    const latest = await readlink(this.#at('work/backups/ada@example.test/latest'));
    if (latest !== snapshots.at(-1)?.name) throw new Error(`latest leads to ${latest}`);
  }

  /** Nothing is left to do, and nothing lies about. */
  async #expectTidy(): Promise<void> {
    await using journal = openSqliteJournal(
      journalPath((await loadConfig({ env: this.#env, defaultPath: this.#at('none.yaml') })).config),
    );
    const open = await journal.openCaptures();
    if (open.length > 0) throw new Error(`Captures are still open: ${JSON.stringify(open)}`);
    const staged = await readdir(this.#at('work/backups/.chatkeep/staging'));
    if (staged.length > 0) throw new Error(`The staging directory holds ${staged}`);
  }
}

/** Whoever is told that all is well has the snapshot; whoever is told of trouble is told of storage. */
function assertHonest({ code, stdout, stderr }: Ended, state: 'old' | 'new'): void {
  const said = `exit code ${code}: ${stdout}${stderr}`;
  if (code === 0 && state !== 'new') throw new Error(`It said that all is well, and nothing was kept: ${said}`);
  if (code !== 0 && code !== 5) throw new Error(`It did not say that storage was the trouble: ${said}`);
}
