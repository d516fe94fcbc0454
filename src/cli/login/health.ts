import type { LoginHealth } from '../../download/index.ts';

/** How a login was found, for machines; `checkedAt` in ms UTC. */
export function healthJson(label: string, checkedAt: number, health: LoginHealth): Record<string, unknown> {
  const isWell = health.kind === 'good' || health.kind === 'dying';
  return {
    label,
    state: health.kind,
    checkedAt,
    goodUntil: (isWell ? health.until : undefined) ?? null,
    account: (isWell ? health.account : undefined) ?? null,
    detail: isWell ? null : health.detail,
  };
}
