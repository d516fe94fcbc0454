import type { Capture, captureMessages } from '../capture/index.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../lib/clock.ts';

/** What a sample takes from the configuration, so that it reads as the real one would. */
export interface SampleSetting {
  readonly mailbox: string;
  readonly account: string;
  readonly backupDir: string;
  readonly dropDir: string | undefined;
  /** The name of a place for copies elsewhere. */
  readonly offsite: string;
  /** How long after a reminder to ask for an export the next one comes, ms. */
  readonly remindAgainMs: number;
}

/** Made-up facts, as they might be. Times in ms UTC. */

type Trouble = Parameters<typeof captureMessages.needsLogin>[1];
type SnapshotFacts = Parameters<typeof captureMessages.committed>[2];

const LINK_LIVES_MS = 24 * HOUR_MS;
const REMINDED_WITH_LEFT_MS = 12 * HOUR_MS;

/** The export, and the snapshot before it, were made so long ago. */
const EXPORTED_AGO_MS = HOUR_MS;
const EARLIER_MS = 30 * DAY_MS;

/** A capture whose email came an hour ago. */
export function exampleCapture({ mailbox }: SampleSetting, now: number): Capture {
  const receivedAt = now - EXPORTED_AGO_MS;
  return {
    id: 'sample',
    exportId: undefined,
    origin: {
      kind: 'notice',
      provider: 'openai',
      mailbox,
      messageId: undefined,
      receivedAt,
      proof: 'sample',
      deadline: receivedAt + LINK_LIVES_MS,
      link: undefined,
    },
    exportTime: receivedAt,
    account: undefined,
    foundAt: receivedAt,
    damagedArchives: 0,
    waitedMs: 0,
    trouble: undefined,
    told: {},
    state: { name: 'downloading', attempt: 1 },
  };
}

/** The same of a file that was handed in. */
export function exampleFileCapture(setting: SampleSetting, now: number) {
  return { ...exampleCapture(setting, now), origin: { kind: 'file', name: 'chatgpt-export.zip' } as const };
}

/** The same when its link has just died. */
export function exampleDeadCapture(setting: SampleSetting, now: number): Capture {
  return exampleCapture(setting, now - LINK_LIVES_MS + EXPORTED_AGO_MS);
}

/** The same with its archive on disk. */
export function exampleUnpacking(setting: SampleSetting, now: number): Capture {
  const archive = { path: 'sample.zip', afterwards: 'delete', from: 'download' } as const;
  return { ...exampleCapture(setting, now), state: { name: 'unpacking', archive, attempt: 0 } };
}

export function exampleTrouble<Kind extends Trouble['kind']>(
  kind: Kind,
  detail: string,
  now: number,
): Trouble & { readonly kind: Kind } {
  const tellAt = now - EXPORTED_AGO_MS + LINK_LIVES_MS - REMINDED_WITH_LEFT_MS;
  return { kind, since: now - 50 * MINUTE_MS, attempts: 4, lastAt: now, detail, tellAt };
}

export function exampleSnapshotFacts(setting: SampleSetting, now: number): SnapshotFacts {
  return {
    account: setting.account,
    exportTime: now - EXPORTED_AGO_MS,
    files: 1234,
    bytes: 1.8e9,
    archiveBytes: 0.9e9,
    unchangedFiles: 1200,
    tookMs: 14 * MINUTE_MS,
    counts: { conversations: 412, messages: 9801 },
    news: {
      kind: 'compared',
      before: exampleEarlier(setting, now).id,
      sinceMs: EARLIER_MS,
      changes: {
        conversations: { added: 9, changed: 5, gone: 2, noLongerCarried: 0 },
        messages: { added: 152, gone: 8, noLongerCarried: 0 },
        files: { added: 15, gone: 0, noLongerCarried: 0 },
      },
    },
  };
}

/** The snapshot of the export. */
export function exampleSnapshot(setting: SampleSetting, now: number): string {
  return snapshotId(setting, now - EXPORTED_AGO_MS);
}

/** The snapshot before it. */
export function exampleEarlier(setting: SampleSetting, now: number): { readonly id: string; readonly at: number } {
  const at = now - EXPORTED_AGO_MS - EARLIER_MS;
  return { id: snapshotId(setting, at), at };
}

function snapshotId({ account }: SampleSetting, at: number): string {
  return `${account}/${new Date(at).toISOString().slice(0, 19).replaceAll(':', '')}Z`;
}
