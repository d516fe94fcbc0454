/** Conversations as files that other programs read. */
export { type ExportReport, exportConversations, FORMATS, type FormatName } from './export.ts';
