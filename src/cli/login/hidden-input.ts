import { stderr, stdin } from 'node:process';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ChatkeepError } from '../../lib/errors.ts';
import { jsonOf } from '../../lib/json.ts';
import { textWithin } from '../../lib/limited-text.ts';
import { Secret } from '../../lib/secret.ts';

const MOST_BYTES = 1024 * 1024;

/**
 * A secret from standard input: what is pasted into a terminal, after `prompt` (on standard error) and without being
 * shown; else all there is.
 *
 * @throws ChatkeepError `usage` if it is far more than a secret; the signal's reason
 */
export async function readHidden(prompt: string, signal: AbortSignal): Promise<Secret> {
  try {
    return new Secret(stdin.isTTY ? await pasted(prompt, signal) : await everything(signal));
  } finally {
    // What is read from keeps the process alive.
    stdin.destroy();
  }
}

/** One line; or several, where they are a JSON document: some browsers lay it out when it is copied. */
async function pasted(prompt: string, signal: AbortSignal): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 });
  // The terminal hands the key over instead of the signal.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const stop = () => lines.close();
  signal.addEventListener('abort', stop, { once: true });
  stderr.write(prompt);
  let text = '';
  try {
    for await (const line of lines) {
      text += `${line}\n`;
      if (text.length > MOST_BYTES) throw tooLarge();
      if (!text.startsWith('{') || jsonOf(text) !== undefined) break;
    }
    signal.throwIfAborted();
    return text;
  } finally {
    signal.removeEventListener('abort', stop);
    stderr.write('\n');
    lines.close();
  }
}

function tooLarge(): ChatkeepError {
  return new ChatkeepError('usage', 'What came on standard input is too large to be a login.');
}

async function everything(signal: AbortSignal): Promise<string> {
  const stop = () => stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await textWithin(stdin, MOST_BYTES);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof RangeError ? tooLarge() : error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
