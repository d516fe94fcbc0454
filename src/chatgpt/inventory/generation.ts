import { type Conversation, messagesOf } from '../conversation/conversation.ts';
import type { ExportLayout } from '../layout/layout.ts';

/** Of the export's format, by the table of the shared facts; `unknown` where there is no conversation to tell by. */
export const GENERATIONS = ['G1', 'G2', 'G3', 'G4', 'G5', 'unknown'] as const;
export type Generation = (typeof GENERATIONS)[number];

/** Guesses an export's generation by the shape of what is in it: nothing in an export names it. */
export class GenerationGuess {
  #full = 0;
  #slim = 0;
  #hasChannels = false;
  #hasArchiving = false;

  see(conversation: Conversation): void {
    const { nodes, schema, raw } = conversation;
    if (nodes.size === 0) return;
    if (schema === 'slim') this.#slim += 1;
    else this.#full += 1;
    this.#hasArchiving ||= 'is_archived' in raw;
    this.#hasChannels ||= messagesOf(conversation).some((message) => 'channel' in message.raw);
  }

  of({ parts }: ExportLayout): Generation {
    if (this.#full + this.#slim === 0) return 'unknown';
    if (this.#slim > this.#full) return 'G5';
    const isSharded = parts.some(({ conversations }) => conversations.some(({ path }) => /\d\.json$/.test(path)));
    if (isSharded || parts.some(({ manifest }) => manifest !== undefined)) return 'G4';
    if (this.#hasChannels) return 'G3';
    return this.#hasArchiving ? 'G2' : 'G1';
  }
}
