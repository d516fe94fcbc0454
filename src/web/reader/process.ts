/**
 * Answers the questions of {@link Reader}, one after another, in a process of its own. It ends when nobody has asked
 * anything for a while: what it has loaded takes more memory than the rest of the service.
 */
import { argv } from 'node:process';
import { errorMessage } from '../../lib/errors.ts';
import type { Dialogue } from './questions.ts';
import { Reading } from './reading.ts';

const IDLE_MS = 120_000;

type Asked = {
  [K in keyof Dialogue]: { readonly kind: K; readonly question: Dialogue[K]['question'] };
}[keyof Dialogue];

const reading = new Reading(String(argv[2]));
const idle = setTimeout(() => process.disconnect(), IDLE_MS);

process.on('message', (asked: Asked) => {
  answer(asked)
    .then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => process.send?.({ error: errorMessage(error) }),
    )
    .finally(() => idle.refresh());
});
// The service has ended, or has had enough.
process.on('disconnect', () => process.exit());

function answer(asked: Asked): Promise<unknown> {
  switch (asked.kind) {
    case 'page':
      return reading.page(asked.question);
    case 'text':
      return reading.text(asked.question);
    case 'search':
      return reading.search(asked.question);
  }
}
