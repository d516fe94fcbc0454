import { join } from 'node:path';
import { errorCode } from '../../lib/errors.ts';
import { type ElementBudget, type ElementReading, readElements, type UnreadReason } from '../json/elements.ts';
import type { Fingerprint, KnownElements } from '../json/fingerprint.ts';
import type { ExportFile } from '../layout/files.ts';
import type { ExportLayout } from '../layout/layout.ts';
import type { ReportBook, ReportReason } from '../reports.ts';
import { type Conversation, isConversation, readConversation } from './conversation.ts';

export type ConversationReading =
  | {
      readonly kind: 'conversation';
      readonly conversation: Conversation;
      readonly file: string;
      /** Its number in the file's list, counted from 0, and what it takes there. */
      readonly index: number;
      readonly offset: number;
      readonly bytes: number;
      /** Where it was asked for, by `known`. */
      readonly fingerprint: Fingerprint | undefined;
      /** As it stands in the file: a view, which holds until the next reading is asked for. */
      readonly raw: Buffer;
    }
  /** Something in a list that is not in the result; the book says where and why. */
  | { readonly kind: 'unread'; readonly bytes: number };

/** A conversation that was known, and was not parsed. */
export interface KnownReading {
  readonly kind: 'known';
  readonly fingerprint: Fingerprint;
  readonly index: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface ReadOptions {
  /** Is told of all that was not understood. */
  readonly reports: ReportBook;
  readonly budget?: ElementBudget;
  readonly signal?: AbortSignal | undefined;
}

const UNREAD: Readonly<Record<UnreadReason, ReportReason>> = {
  broken: 'conversation-broken',
  'too-large': 'conversation-too-large',
  'cut-off': 'conversation-cut-off',
};

const FILE_ENDS: Readonly<Record<Extract<ElementReading, { kind: 'end' }>['reason'], ReportReason>> = {
  empty: 'file-empty',
  'not-a-list': 'file-not-a-list',
  truncated: 'file-truncated',
  'trailing-data': 'file-trailing-data',
};

/**
 * All conversations of an export, file by file in their order, one in memory at a time. What cannot be read is reported
 * and does not hide what follows; an export without any conversations file is reported, too.
 *
 * @throws only the signal's reason
 */
export async function* readConversations(
  layout: ExportLayout,
  options: ReadOptions,
): AsyncGenerator<ConversationReading, void> {
  const files = layout.parts.flatMap(({ conversations }) => conversations);
  if (files.length === 0) options.reports.add('no-conversations-file', { file: layout.parts[0]?.directory ?? '' });
  for (const { path } of layout.unopened) options.reports.add('archive-unopened', { file: path });
  for (const file of files)
    for await (const reading of readConversationsFile(layout.directory, file, options))
      if (reading.kind !== 'known') yield reading;
}

/**
 * {@link readConversations} of one file of an export. With `known`, conversations that are known already are told of and
 * not parsed.
 *
 * @throws only the signal's reason
 */
export async function* readConversationsFile(
  directory: string,
  { path: file }: ExportFile,
  { reports, budget, signal, known }: ReadOptions & { readonly known?: KnownElements },
): AsyncGenerator<ConversationReading | KnownReading, void> {
  const elements = readElements(join(directory, file), {
    listKey: 'conversations',
    isElement: isConversation,
    signal,
    known,
    ...(budget === undefined ? {} : { budget }),
  });
  try {
    for await (const element of elements) {
      if (element.kind === 'end') reports.add(FILE_ENDS[element.reason], { file });
      else yield readElement(element, file, reports);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (errorCode(error) === undefined) throw error;
    reports.add('file-unreadable', { file, detail: errorCode(error) ?? '' });
  }
}

function readElement(
  element: Exclude<ElementReading, { kind: 'end' }>,
  file: string,
  reports: ReportBook,
): ConversationReading | KnownReading {
  const { index, offset, bytes } = element.at;
  if (element.kind === 'known') return { kind: 'known', fingerprint: element.fingerprint, index, offset, bytes };
  if (element.kind === 'unread') {
    reports.add(UNREAD[element.reason], { file, index });
    return { kind: 'unread', bytes };
  }
  if (element.invalidUtf8) reports.add('invalid-utf8', { file, index });
  if (!isConversation(element.value)) {
    reports.add('conversation-not-understood', { file, index });
    return { kind: 'unread', bytes };
  }
  const conversation = readConversation(element.value, (reason, detail) =>
    reports.add(reason, { file, index, detail }),
  );
  const { fingerprint, raw } = element;
  return { kind: 'conversation', conversation, file, index, offset, bytes, fingerprint, raw };
}
