/** Snapshots are read again and again, a part at a time, and people told of what is damaged. */
export { soundAgain, verificationFailed } from './messages.ts';
export { readRecord, type VerificationRecord } from './record.ts';
export { rememberSample, selectorOf, takeSample } from './sample.ts';
export { VerificationWatch, type VerificationWatchOptions } from './watch.ts';
