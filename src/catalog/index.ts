/** The search index over all snapshots; can always be rebuilt. */
export { ActivityReader } from './activity-reader.ts';
export { Catalog, type OpenedConversation } from './catalog.ts';
export type { IndexReport } from './indexing/indexer.ts';
export { LastingCatalog } from './lasting.ts';
export { isTimeZone } from './local-time.ts';
export type { Activity, ActivityQuestion, MonthOfActivity, YearOfActivity } from './reading/activity.ts';
export type {
  CatalogConversation,
  Choices,
  ConversationFilter,
  ConversationVersion,
  Presence,
} from './reading/conversations.ts';
export type { Hit, SearchFilter, SearchOptions, SearchResult } from './reading/search.ts';
export type { Shelves } from './reading/shelves.ts';
export type { Snippet } from './reading/snippet.ts';
export type { IndexedSnapshot, Statistics } from './reading/statistics.ts';
export type { CatalogSource } from './source.ts';
export { type UpdateOptions, updateCatalog } from './update.ts';
