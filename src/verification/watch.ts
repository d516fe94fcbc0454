import type { Recorder } from '../capture/index.ts';
import { type Clock, DAY_MS, MINUTE_MS, SECOND_MS } from '../lib/clock.ts';
import { LastingTrouble } from '../lib/lasting-trouble.ts';
import type { Logger } from '../lib/logger.ts';
import { count, formatBytes } from '../lib/text.ts';
import {
  allSnapshots,
  type BackupDirectory,
  checkLatest,
  listSnapshots,
  type SnapshotReport,
  verifySnapshots,
} from '../snapshot/index.ts';
import { type DamagedFile, soundAgain, verificationFailed } from './messages.ts';
import { type Damage, readRecord, writeRecord } from './record.ts';
import { selectorOf, takeSample, withSample } from './sample.ts';

export interface VerificationWatchOptions {
  readonly backups: Pick<BackupDirectory, 'path' | 'setLatest'>;
  readonly stateDir: string;
  /** How often, ms. */
  readonly everyMs: number;
  /** How much of all bytes each time, 0 to 1. */
  readonly share: number;
  /** Whether something else wants the disk. */
  readonly isBusy: () => boolean;
  readonly recorder: Pick<Recorder, 'record'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A start is busy enough. */
const FIRST_AFTER_MS = 10 * MINUTE_MS;
const LOOK_EVERY_MS = MINUTE_MS;
/** While something is known to be damaged it is looked at more often: damage seldom stays alone, and may be repaired. */
const DAMAGED_EVERY_MS = DAY_MS;
const BUSY_PAUSE_MS = SECOND_MS;
const LONGEST_PAUSE_MS = 5 * SECOND_MS;

/** Damage as it is found, with what people are told of it. */
type Found = Damage & DamagedFile;

/**
 * Reads a part of the snapshots on a schedule, and tells people of what is damaged: once of each file, over restarts,
 * too (twice only if the process is killed right after the telling), and when all is sound again. It takes at most half of the
 * disk's time, and waits while exports are taken in.
 */
export class VerificationWatch {
  readonly #options: VerificationWatchOptions;
  readonly #trouble: LastingTrouble;

  constructor(options: VerificationWatchOptions) {
    this.#options = options;
    this.#trouble = new LastingTrouble(options);
  }

  /** Goes on until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs } = this.#options;
    await this.#sleep(Math.min(FIRST_AFTER_MS, everyMs), signal);
    while (!signal.aborted) {
      try {
        if (await this.#isDue()) await this.verify(signal);
        this.#trouble.end('the snapshots can be verified again');
      } catch (error) {
        if (!signal.aborted) this.#trouble.tell(error, 'the snapshots cannot be verified; it is tried again');
      }
      await this.#sleep(Math.min(LOOK_EVERY_MS, everyMs), signal);
    }
  }

  async #isDue(): Promise<boolean> {
    const { stateDir, everyMs, clock } = this.#options;
    const { verifiedAt, damage } = await readRecord(stateDir);
    const wait = damage.length > 0 ? Math.min(everyMs, DAMAGED_EVERY_MS) : everyMs;
    // A clock that was set back must not end the verifying.
    return verifiedAt === null || verifiedAt > clock.now() || clock.now() - verifiedAt >= wait;
  }

  /**
   * Reads the next part, and what was damaged the last time, and tells what is new.
   * @throws ChatkeepError `storage`; what the journal says; the signal's reason
   */
  async verify(signal: AbortSignal): Promise<void> {
    const { backups, stateDir, share, logger, clock } = this.#options;
    const list = await listSnapshots(backups.path);
    const snapshots = allSnapshots(list);
    const { damage: known } = await readRecord(stateDir);
    const stretch = await takeSample(stateDir, { snapshots, share, signal });
    const isInSample = selectorOf(stretch);
    const suspects = new Set(known.flatMap(({ sha256 }) => sha256 ?? []));
    let bytes = 0;
    const reports: SnapshotReport[] = [];
    const verifying = verifySnapshots(snapshots, list, {
      signal,
      select: (file) => suspects.has(file.sha256) || isInSample(file),
      pause: this.#pacer(signal),
    });
    for await (const report of verifying) {
      bytes += report.checkedBytes;
      if (!report.ok) reports.push(report);
    }
    if ((await checkLatest(list)).length > 0) await backups.setLatest();
    const found = await this.#stillThere(reports.flatMap(damageIn));
    logger.info(
      { snapshots: snapshots.length, damagedFiles: found.length },
      `verified a part of the snapshots (${formatBytes(bytes)}): ${found.length === 0 ? 'sound' : count(found.length, 'damaged file')}`,
    );
    await this.#settle(known, found);
    await writeRecord(stateDir, {
      ...withSample(await readRecord(stateDir), stretch, clock.now()),
      verifiedAt: clock.now(),
    });
  }

  /** A snapshot that was deleted meanwhile is not damaged. */
  async #stillThere(found: readonly Found[]): Promise<Found[]> {
    if (found.length === 0) return [];
    const ids = new Set(allSnapshots(await listSnapshots(this.#options.backups.path)).map(({ id }) => id));
    return found.filter(({ snapshot }) => ids.has(snapshot));
  }

  /** Tells what is new, then notes that it was told: at worst something is told twice. */
  async #settle(known: readonly Damage[], found: readonly Found[]): Promise<void> {
    const { recorder, clock, stateDir } = this.#options;
    const wasTold = new Set(known.filter(({ told }) => told).map(keyOf));
    const news = found.filter((damage) => !wasTold.has(keyOf(damage)));
    const now = clock.now();
    if (news.length > 0) await recorder.record({ messages: [verificationFailed(news, now)] });
    else if (found.length === 0 && wasTold.size > 0)
      await recorder.record({ messages: [soundAgain(wasTold.size, now)] });
    const damage = found.map(({ snapshot, path, sha256 }) => ({ snapshot, path, sha256, told: true }));
    await writeRecord(stateDir, { ...(await readRecord(stateDir)), damage });
  }

  /** Leaves the disk to others for as long as it was used, and while they need it. */
  #pacer(signal: AbortSignal): () => Promise<void> {
    const { clock, isBusy } = this.#options;
    let since = clock.now();
    return async () => {
      await this.#sleep(Math.min(clock.now() - since, LONGEST_PAUSE_MS), signal);
      while (isBusy() && !signal.aborted) await this.#sleep(BUSY_PAUSE_MS, signal);
      since = clock.now();
    };
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms, signal).catch(() => {});
  }
}

function damageIn({ snapshot, problems }: SnapshotReport): Found[] {
  return problems.map((problem) => ({
    snapshot: snapshot.id,
    path: problem.path,
    detail: problem.detail,
    sha256: problem.sha256 ?? null,
    told: false,
    hasSoundCopy: problem.soundCopy !== undefined,
  }));
}

function keyOf({ snapshot, path }: Pick<Damage, 'snapshot' | 'path'>): string {
  return `${snapshot}/${path}`;
}
