import type { OffsiteConfig } from '../config/index.ts';
import { HOUR_MS } from '../lib/clock.ts';
import { createRclone } from './rclone.ts';
import { createRestic } from './restic.ts';
import type { OffsiteTool } from './tool.ts';

export interface ToolPlaces {
  /** Absolute. */
  readonly backups: string;
  /** A directory of the place's own, which may be lost. */
  readonly scratch: string;
}

/** The program of a place off-site, as it is configured. */
export function createTool(config: OffsiteConfig, places: ToolPlaces): OffsiteTool {
  const limits = { timeLimitMs: config.timeLimitHours * HOUR_MS, checkPercent: config.checkPercent };
  return config.restic === undefined
    ? createRclone(config.rclone, places, limits)
    : createRestic(config.restic, places, limits);
}
