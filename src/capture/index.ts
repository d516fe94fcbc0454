export { type Awaited, nextReminder } from './awaited.ts';
export { type Capture, type CaptureState, deadlineOf, hasEnded, lacksArchive } from './capture.ts';
export { Conductor, whenSettled } from './conductor.ts';
export { Intake } from './intake.ts';
export type { HandIn, Journal, Told, Undelivered } from './journal.ts';
export { Recorder } from './recorder.ts';
export { openSqliteJournal } from './sqlite-journal.ts';
export { type MailboxAccounts, stillAwaited, Watchdog } from './watchdog.ts';
export { type Progress, Worker } from './worker.ts';
