/** The room of notices: a raw message in, what it means for a backup out. */
export type { FollowRedirect } from './hidden-links.ts';
export type {
  ExportId,
  Notice,
  ReadyNotice,
  RefusalReason,
  RefusedNotice,
  StartedNotice,
  UndecidedNotice,
  UnrelatedNotice,
} from './notice.ts';
export { downloadPlaces, type LinkPlace, parseExportName, senderMarks } from './providers/index.ts';
export type { Provider } from './providers/provider.ts';
export { type AuthenticityPolicy, NOTICE_MOST_BYTES, type ReadOptions, readNotice } from './read.ts';
export { createTxtResolver, type ResolveTxt } from './resolver.ts';
