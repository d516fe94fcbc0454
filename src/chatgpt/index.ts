/** What is inside an export: layout, conversations, inventory, comparison. */
export { ACCOUNT_FILE, type AccountInformation, findAccount } from './account.ts';
export type { ApartOptions } from './apart.ts';
export { type Citation, type CleanText, cleanText, textOfMessage, textOfPart } from './conversation/citations.ts';
export {
  branchesOf,
  type Conversation,
  type ConversationNode,
  leavesOf,
  mainPath,
  messagesOf,
  type Schema,
} from './conversation/conversation.ts';
export {
  type Attachment,
  assetsOf,
  isInSlimSchema,
  isSpoken,
  type Message,
  ROLES,
  type Role,
} from './conversation/message.ts';
export type { Part } from './conversation/parts.ts';
export {
  type ConversationReading,
  type KnownReading,
  type ReadOptions,
  readConversations,
  readConversationsFile,
} from './conversation/read.ts';
export { nodePlaces, readConversationAt, readMessageAt, type Stretch } from './conversation/read-at.ts';
export { type InventoryOptions, takeInventory } from './inventory/build.ts';
export {
  type ChangedConversation,
  type Comparison,
  type ConversationChange,
  compareInventories,
  type MessageChanges,
} from './inventory/compare.ts';
export { type ComparedApart, compareInventoriesApart } from './inventory/compare-apart.ts';
export { compareInventoryFiles } from './inventory/compare-files.ts';
export { isInventory, readInventory, writeInventory } from './inventory/file.ts';
export type { Generation } from './inventory/generation.ts';
export type { AssetEntry, ConversationEntry, Counts, Inventory, Ledger } from './inventory/inventory.ts';
export { countRecords, identityOf, recordsWithout } from './inventory/records.ts';
export { ELEMENT_BUDGET, type ElementBudget } from './json/elements.ts';
export type { Fingerprint, KnownElements } from './json/fingerprint.ts';
export { type AssetKind, type AssetType, kindOfAsset, sniffAsset } from './layout/asset-types.ts';
export { AssetIndex, readAssetNames } from './layout/assets.ts';
export type { ExportFile } from './layout/files.ts';
export { type ExportLayout, type ExportPart, isContentFile, isConversationFile, readLayout } from './layout/layout.ts';
export { exportTimeOf, isInnerExport, looksLikeExport } from './layout/recognize.ts';
export type { Asset } from './reading/assets.ts';
export type { Block } from './reading/blocks.ts';
export { ExportReader, type ReadableConversation, type ReadableMessage } from './reading/export-reader.ts';
export {
  type Place,
  REPORT_REASONS,
  ReportBook,
  type ReportEntry,
  type ReportReason,
  type Reports,
} from './reports.ts';
export { type AccountSetting, readSettings } from './settings.ts';
export { type Feedback, type Rows, readFeedback, readSharedLinks, type SharedLink } from './side-files.ts';
export { type Stock, type StockOptions, takeStockApart } from './summary/apart.ts';
export { type ExportSummary, summarize } from './summary/summary.ts';
