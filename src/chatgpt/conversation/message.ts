import { asList, asMoment, asNumber, asObject, asText, type JsonObject } from '../json/values.ts';
import { type Part, readContent } from './parts.ts';

export const ROLES = ['user', 'assistant', 'system', 'tool', 'other'] as const;
/** `other`: one that this version does not know. */
export type Role = (typeof ROLES)[number];

/** A file that came with a message. */
export interface Attachment {
  readonly id: string;
  readonly name: string | undefined;
  readonly mime: string | undefined;
  readonly bytes: number | undefined;
}

export interface Message {
  /** The provider's; where it gave none, that of the node. */
  readonly id: string;
  readonly role: Role;
  /** As the export has it: of a tool its name, of a role that is not known the role. */
  readonly authorName: string | undefined;
  /** ms UTC; system messages have none. */
  readonly createdAt: number | undefined;
  readonly parts: readonly Part[];
  readonly attachments: readonly Attachment[];
  /** Not shown in ChatGPT: system messages, custom instructions. */
  readonly hidden: boolean;
  /** Whom it is for: `all`, or a tool (`python`, `canmore.create_textdoc`); the slim schema has none. */
  readonly recipient: string | undefined;
  readonly channel: string | undefined;
  readonly model: string | undefined;
  /** As it stands in the export. */
  readonly raw: JsonObject;
}

/** Reads a message of any schema; undefined where it is none: no object, or one without any content. */
export function readMessage(value: unknown, nodeId: string): Message | undefined {
  const raw = asObject(value);
  const content = asObject(raw?.content);
  if (raw === undefined || content === undefined) return undefined;
  const author = asObject(raw.author);
  const metadata = asObject(raw.metadata);
  const roleName = asText(author?.role);
  const role = roleOf(roleName);
  return {
    id: asText(raw.id) ?? nodeId,
    role,
    authorName: asText(author?.name) ?? (role === 'other' ? roleName : undefined),
    createdAt: asMoment(raw.create_time),
    parts: readContent(content),
    attachments: asList(metadata?.attachments).flatMap(readAttachment),
    hidden: metadata?.is_visually_hidden_from_conversation === true || raw.weight === 0,
    recipient: asText(raw.recipient),
    channel: asText(raw.channel),
    model: asText(metadata?.model_slug),
    raw,
  };
}

function roleOf(name: string | undefined): Role {
  return ROLES.find((role) => role === name) ?? 'other';
}

function readAttachment(value: unknown): Attachment[] {
  const row = asObject(value);
  const id = asText(row?.id);
  if (id === undefined) return [];
  return [{ id, name: asText(row?.name), mime: asText(row?.mime_type), bytes: asNumber(row?.size) }];
}

/** The ids of all files that a message points to, each once. */
export function assetsOf({ parts, attachments }: Message): string[] {
  const ids = new Set(attachments.map(({ id }) => id));
  for (const part of parts) {
    if (part.kind === 'image' || part.kind === 'audio') ids.add(part.asset);
    else if (part.kind === 'video') for (const id of part.assets) ids.add(id);
  }
  return [...ids];
}

/** Whether anything of it was spoken. */
export function isSpoken({ parts }: Message): boolean {
  return parts.some(({ kind }) => kind === 'transcription' || kind === 'audio' || kind === 'video');
}

const SHOWN_KINDS: ReadonlySet<Part['kind']> = new Set(['text', 'image', 'transcription', 'audio', 'video']);

/**
 * Whether the slim schema (G5) holds such a message: what the user and ChatGPT have said to each other. System, tool,
 * code and hidden messages are gone in it; whether thoughts are is not known, so they are not counted on.
 */
export function isInSlimSchema({ role, hidden, recipient, parts }: Message): boolean {
  if (role !== 'user' && role !== 'assistant') return false;
  if (hidden || (recipient !== undefined && recipient !== 'all')) return false;
  return parts.every(({ kind }) => SHOWN_KINDS.has(kind));
}
