export { ACCOUNT_FILE, ACCOUNT_FILE_MOST_BYTES, type AccountInformation, readAccount } from './account.ts';
export { exportTimeOf, looksLikeExport } from './layout.ts';
