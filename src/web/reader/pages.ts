import type { Block, ReadableMessage } from '../../chatgpt/index.ts';
import { SHOWN_CHARACTERS } from './allowance.ts';

/** A page ends after so many messages, or so much text: about a second of work for the slowest machines. */
const MESSAGES_A_PAGE = 200;
const CHARACTERS_A_PAGE = 250_000;

/** The messages of a page: from, and behind. */
export type Span = readonly [number, number];

/** Cuts a conversation into pages, from its beginning: a page stays what it is when messages are added. */
export function spansOf(messages: readonly ReadableMessage[]): Span[] {
  const spans: Span[] = [];
  let from = 0;
  let characters = 0;
  for (const [index, message] of messages.entries()) {
    const own = Math.min(SHOWN_CHARACTERS, charactersOf(message));
    const isFull = index - from === MESSAGES_A_PAGE || (index > from && characters + own > CHARACTERS_A_PAGE);
    if (isFull) {
      spans.push([from, index]);
      [from, characters] = [index, 0];
    }
    characters += own;
  }
  return [...spans, [from, messages.length]];
}

function charactersOf({ blocks }: ReadableMessage): number {
  return blocks.reduce((sum, block) => sum + lengthOf(block), 0);
}

function lengthOf(block: Block): number {
  if (block.kind === 'thoughts')
    return block.thoughts.reduce((sum, { summary, text }) => sum + summary.length + text.length, 0);
  return 'text' in block ? block.text.length : 0;
}
