import { join } from 'node:path';
import { readElements } from './json/elements.ts';
import { asMoment, asText, isObject, type JsonObject } from './json/values.ts';
import type { ExportFile } from './layout/files.ts';
import type { ExportLayout } from './layout/layout.ts';

/** A thumb that the user gave an answer. */
export interface Feedback {
  readonly conversation: string | undefined;
  readonly message: string | undefined;
  readonly rating: string | undefined;
  /** ms UTC */
  readonly createdAt: number | undefined;
}

/** A conversation that was shared by a link. */
export interface SharedLink {
  readonly id: string;
  readonly conversation: string | undefined;
  readonly title: string | undefined;
}

/** What of a list could be read, and how much of it could not. */
export interface Rows<T> {
  readonly rows: readonly T[];
  readonly unread: number;
}

/**
 * `message_feedback.json`: rows of three generations stand in one file.
 * @throws what the file system says; the signal's reason
 */
export function readFeedback(layout: ExportLayout, signal?: AbortSignal): Promise<Rows<Feedback>> {
  const files = layout.parts.flatMap(({ feedback }) => feedback ?? []);
  return readRows(layout, files, signal, (row) => ({
    conversation: asText(row.conversation_id),
    message: asText(row.message_id) ?? asText(row.id),
    rating: asText(row.rating),
    createdAt: asMoment(row.create_time),
  }));
}

/**
 * `shared_conversations.json`.
 * @throws what the file system says; the signal's reason
 */
export function readSharedLinks(layout: ExportLayout, signal?: AbortSignal): Promise<Rows<SharedLink>> {
  const files = layout.parts.flatMap(({ sharedLinks }) => sharedLinks ?? []);
  return readRows(layout, files, signal, (row) => {
    const id = asText(row.id);
    return id === undefined ? undefined : { id, conversation: asText(row.conversation_id), title: asText(row.title) };
  });
}

async function readRows<T>(
  { directory }: ExportLayout,
  files: readonly ExportFile[],
  signal: AbortSignal | undefined,
  readRow: (row: JsonObject) => T | undefined,
): Promise<Rows<T>> {
  const rows: T[] = [];
  let unread = 0;
  for (const { path } of files) {
    for await (const element of readElements(join(directory, path), { isElement: isObject, signal })) {
      // An empty list may be an empty file.
      if (element.kind === 'end' && element.reason === 'empty') continue;
      const row = element.kind === 'element' && isObject(element.value) ? readRow(element.value) : undefined;
      if (row === undefined) unread += 1;
      else rows.push(row);
    }
  }
  return { rows, unread };
}
