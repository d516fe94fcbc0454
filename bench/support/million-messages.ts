import { createAccount, type ExportFacts, writeExport } from '../../test/support/openai/exports/index.ts';

/** Of the simulator's conversations these are a million messages, and some. */
export const MILLION_MESSAGES_BYTES = 1_450_000_000;

/** Writes an export (G5) with a million messages to a file. */
export function writeMillionMessages(to: string): Promise<ExportFacts> {
  const account = createAccount({ seed: 'catalog', conversations: 200 });
  return writeExport(account, {
    generation: 'G5',
    stamp: new Date(0),
    to,
    conversationsBytes: MILLION_MESSAGES_BYTES,
  });
}
