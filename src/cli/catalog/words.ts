import { styleText } from 'node:util';
import type { CatalogConversation, Snippet } from '../../catalog/index.ts';
import { printable, printableText } from '../../lib/printable.ts';

/** What a conversation is called, on one line. */
export function titleOf({ title }: { readonly title: string | undefined }): string {
  return title === undefined ? '(no title)' : printable(title);
}

/** Where a conversation is, if not where one would expect it; a sentence. */
export function presenceSentence({ presence, uncertain, lastSeen }: CatalogConversation): string | undefined {
  if (presence === 'present') return undefined;
  const lastIn = `it was last in the export of ${lastSeen}`;
  if (presence === 'no-longer-carried') return `Exports no longer carry what is in it; ${lastIn}.`;
  if (uncertain) return `Not found in the newest export, part of which could not be read; ${lastIn}.`;
  return `Deleted in ChatGPT; ${lastIn}.`;
}

/** A snippet on one line, with what was found in it in bold where the terminal can. */
export function snippetLine({ text, marks }: Snippet): string {
  let line = '';
  let done = 0;
  for (const [from, to] of marks) {
    line += flat(text.slice(done, from)) + styleText('bold', flat(text.slice(from, to)));
    done = to;
  }
  return line + flat(text.slice(done));
}

function flat(text: string): string {
  return printableText(text).replace(/\s+/gu, ' ');
}
