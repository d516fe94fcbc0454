import type { Message } from './message.ts';

/** From the least to the most important. */
export const LEVELS = ['info', 'success', 'warning', 'failure'] as const satisfies readonly Message['level'][];

/** A sign that can be seen at a glance, for services without signs or colours of their own. */
export const SIGNS: Readonly<Record<Message['level'], string>> = {
  info: 'ℹ️',
  success: '✅',
  warning: '⚠️',
  failure: '🚨',
};

/** Whether `level` is at least as important as `least`. */
export function isAtLeast(level: Message['level'], least: Message['level']): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}
