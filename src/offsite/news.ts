import { DAY_MS } from '../lib/clock.ts';
import type { OffsiteRecord } from './record.ts';

/** What people are to be told of the copies at a place. Times in ms UTC. */
export type OffsiteNews =
  | {
      readonly kind: 'late';
      /** Since when something is to be done. */
      readonly since: number;
      /** How many exports are not there. */
      readonly missing: number;
      readonly copiedAt: number | null;
      readonly trouble: string | null;
    }
  | { readonly kind: 'damaged'; readonly damage: string }
  | { readonly kind: 'recovered'; readonly from: 'late' | 'damaged' };

/** What lasts is told again, so that it is not forgotten; seldom, so that it is not switched off. */
const TOLD_AGAIN_AFTER_MS = 7 * DAY_MS;

/**
 * What is to be told, seen from the record alone: what could not be told is told the next time.
 *
 * @param missing how many exports are not there
 */
export function newsOf(
  record: OffsiteRecord,
  { lateMs, missing, now }: { readonly lateMs: number; readonly missing: number; readonly now: number },
): OffsiteNews | undefined {
  const { told, damage, owedSince, copiedAt, trouble } = record;
  const isNews = (kind: 'late' | 'damaged') => told?.kind !== kind || now - told.at >= TOLD_AGAIN_AFTER_MS;
  if (damage !== null) return isNews('damaged') ? { kind: 'damaged', damage } : undefined;
  if (owedSince !== null && now - owedSince >= lateMs) {
    return isNews('late') ? { kind: 'late', since: owedSince, missing, copiedAt, trouble } : undefined;
  }
  return told !== null && owedSince === null ? { kind: 'recovered', from: told.kind } : undefined;
}
