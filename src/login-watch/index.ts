/** Logins are tried out before they are needed, and people told of those that die. */
export { loginBack, loginDead, loginDying } from './messages.ts';
export { type CheckedLogin, type LoginRecord, loginRecordIn, removeLoginRecord } from './record.ts';
export { LoginWatch, type LoginWatchOptions } from './watch.ts';
export { healthWords } from './words.ts';
