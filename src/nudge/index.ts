/** Exports have to be asked for by hand: people are reminded when none was for long. */
export { DATA_CONTROLS, noFirstSnapshot, noNewSnapshot } from './messages.ts';
export { growthOf, rhythmFor } from './rhythm.ts';
export { type NudgeSettings, NudgeWatch, type NudgeWatchOptions, upcomingNudges } from './watch.ts';
