import {
  endOfStretch,
  isInStretch,
  nextStretch,
  type SnapshotPlace,
  type Stretch,
  WHOLE_CIRCLE,
} from '../snapshot/index.ts';
import { readRecord, type VerificationRecord, writeRecord } from './record.ts';

export interface SampleOptions {
  readonly snapshots: readonly SnapshotPlace[];
  /** 0 to 1, of all bytes. */
  readonly share: number;
  /** Where it begins (0 to 65,535); else where the last sample ended. */
  readonly from?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is to be read next. */
export async function takeSample(
  stateDir: string,
  { snapshots, share, signal, ...given }: SampleOptions,
): Promise<Stretch> {
  const { from } = given.from === undefined ? await readRecord(stateDir) : { from: given.from };
  return share >= 1 ? { ...WHOLE_CIRCLE, from } : nextStretch(snapshots, { from, share, signal });
}

/** Which files a sample is made of. */
export function selectorOf(stretch: Stretch): (file: { readonly sha256: string }) => boolean {
  return ({ sha256 }) => isInStretch(stretch, sha256);
}

/** Notes that a sample was read, so that the next one goes on behind it. */
export async function rememberSample(stateDir: string, stretch: Stretch, now: number): Promise<void> {
  await writeRecord(stateDir, withSample(await readRecord(stateDir), stretch, now));
}

/** A round has ended when the samples together have gone around the circle. */
export function withSample(record: VerificationRecord, stretch: Stretch, now: number): VerificationRecord {
  const covered = record.covered + stretch.length;
  const isRound = covered >= WHOLE_CIRCLE.length;
  return {
    ...record,
    from: endOfStretch(stretch),
    covered: isRound ? 0 : covered,
    roundEnded: isRound ? now : record.roundEnded,
  };
}
