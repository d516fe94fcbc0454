import type { CatalogConversation } from '../catalog/index.ts';
import type { Asset, ReadableConversation } from '../chatgpt/index.ts';

/** A conversation that is to become a file. */
export interface Page {
  readonly conversation: CatalogConversation;
  readonly readable: ReadableConversation;
  /** Where an asset lies, relative to the page; undefined for one that the export does not hold. */
  readonly linkTo: (asset: Asset) => string | undefined;
}

/** Makes a page's text. */
export interface Format {
  readonly extension: string;
  render(page: Page): string;
}

/** Who speaks. */
export function speakerOf(role: string, authorName: string | undefined): string {
  if (role === 'user') return 'You';
  return role === 'assistant' ? 'ChatGPT' : (authorName ?? role);
}

/** What the export says of where the conversation is, in words; undefined of one that is in the newest. */
export function absenceOf({ presence, lastSeen }: CatalogConversation): string | undefined {
  if (presence === 'present') return undefined;
  return presence === 'gone'
    ? `Deleted in ChatGPT; last in the export of ${lastSeen}.`
    : `No longer carried by exports; last in the export of ${lastSeen}.`;
}

/** `2026-11-21 19:05` (UTC) */
export function momentOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}
