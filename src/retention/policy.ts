/**
 * How many snapshots of an account are kept, as restic's `forget` names and means it: `last` the newest ones, `daily`
 * the newest of each of that many days that have one, and so for ISO weeks, months and years; all in UTC. A snapshot
 * that any of them keeps is kept.
 */
export interface KeepPolicy {
  readonly last?: number | undefined;
  readonly daily?: number | undefined;
  readonly weekly?: number | undefined;
  readonly monthly?: number | undefined;
  readonly yearly?: number | undefined;
}

export const KEEP_RULES = ['last', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type KeepRule = (typeof KEEP_RULES)[number];

/** Whatever the policy says, so many of the newest snapshots of an account stay. */
export const FEWEST_KEPT = 2;

/** Whether anything is asked to go at all: without any rule, every snapshot is kept. */
export function isKeepAll(policy: KeepPolicy): boolean {
  return KEEP_RULES.every((rule) => policy[rule] === undefined);
}

/**
 * Why each of an account's snapshots is kept, in words; no reason is given for those that the policy lets go.
 *
 * @param times of the exports, ms UTC, newest first
 */
export function reasonsToKeep(times: readonly number[], policy: KeepPolicy): string[][] {
  const reasons = times.map((_, index) => floorReason(index));
  if (isKeepAll(policy)) return reasons.map((own) => [...own, 'nothing is to go']);
  for (const rule of KEEP_RULES) {
    let left = policy[rule] ?? 0;
    let last: string | undefined;
    for (const [index, time] of times.entries()) {
      if (left === 0) break;
      const period = periodOf(rule, time, index);
      const isOldest = index === times.length - 1;
      // As restic does: where a rule has room left, the oldest snapshot stays, so that history grows from there.
      if (period === last && !isOldest) continue;
      reasons[index]?.push(period === last ? `oldest, ${rule}` : rule);
      last = period;
      left -= 1;
    }
  }
  return reasons;
}

function floorReason(index: number): string[] {
  if (index === 0) return ['newest'];
  return index < FEWEST_KEPT ? [`one of the ${FEWEST_KEPT} newest`] : [];
}

function periodOf(rule: KeepRule, time: number, index: number): string {
  const day = new Date(time).toISOString().slice(0, 10);
  switch (rule) {
    case 'last':
      return `${index}`;
    case 'daily':
      return day;
    case 'weekly':
      return isoWeekOf(time);
    case 'monthly':
      return day.slice(0, 7);
    case 'yearly':
      return day.slice(0, 4);
  }
}

/** ISO 8601: a week belongs to the year of its Thursday. */
function isoWeekOf(time: number): string {
  const thursday = new Date(time);
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const year = thursday.getUTCFullYear();
  const dayOfYear = (Date.UTC(year, thursday.getUTCMonth(), thursday.getUTCDate()) - Date.UTC(year, 0, 1)) / 86_400_000;
  return `${year}-W${Math.floor(dayOfYear / 7) + 1}`;
}
