import { basename } from 'node:path';
import { SECOND_MS } from '../../lib/clock.ts';
import { runProgram } from '../../lib/run-program.ts';
import { type LoginHealth, letIn, notAsked } from './health.ts';
import type { Login, LoginAnswer, LoginHeaders, LoginParts } from './login.ts';
import { askBearer, askSession } from './questions.ts';

/** Long enough for a password manager that asks over the network. */
const TIMEOUT_MS = 30 * SECOND_MS;
/** Servers take about as much of header fields. */
const MOST_OUTPUT_BYTES = 64 * 1024;

/**
 * What a program may say. Cookies of a browser check count only with the User-Agent of the browser that passed it. All
 * else that a request says is ours to say.
 */
const FIELDS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'chatgpt-account-id', 'user-agent']);
const CREDENTIALS = ['authorization', 'cookie'];

export interface CommandSettings {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly timeoutMs?: number;
}

/**
 * A program that prints header fields, run at each use: a password manager, or a script that has a way of its own. As
 * git's credential helpers, it is told on standard input where the login goes to (`protocol=https`, `host=…`); the link
 * is not told.
 */
export function commandLogin({ command, timeoutMs = TIMEOUT_MS }: CommandSettings, parts: LoginParts): Login {
  const name = `login command ${basename(command[0] ?? '')}`;
  const run = async (address: URL, signal: AbortSignal): Promise<Exclude<LoginAnswer, { kind: 'undecided' }>> => {
    const input = `protocol=https\nhost=${address.host}\n\n`;
    const ended = await runProgram(command, { signal, timeoutMs, mostOutputBytes: MOST_OUTPUT_BYTES, input });
    const fields = ended.kind === 'output' ? parseHeaderLines(ended.text) : ended;
    return fields.kind === 'failed'
      ? { kind: 'unusable', detail: `The ${name} ${fields.fault}.` }
      : { kind: 'headers', headers: fields.headers };
  };
  return {
    label: `the ${name}`,
    howToRenew: 'Run the command by hand as the user of the service, and mend what it complains of.',
    async *waysIn(address, { signal }) {
      yield await run(address, signal);
    },
    async check(origin, { now, signal }) {
      const answer = await run(origin, signal);
      if (answer.kind === 'unusable') return { kind: 'dead', detail: answer.detail };
      return checkHeaders(answer.headers, origin, parts, now, signal);
    },
    // Nothing shows from outside that it would print something else.
    fingerprint: async () => '',
  };
}

/** When the login ends plays no part: the program is asked anew each time. */
async function checkHeaders(
  headers: LoginHeaders,
  origin: URL,
  { transport }: LoginParts,
  now: number,
  signal: AbortSignal,
): Promise<LoginHealth> {
  const asking = { transport, headers, signal };
  const answer = 'authorization' in headers ? await askBearer(origin, asking) : await askSession(origin, asking);
  switch (answer.kind) {
    case 'accepted':
    case 'signed-in':
      return letIn({ until: undefined }, answer.account, now);
    case 'refused':
    case 'signed-out':
      return { kind: 'dead', detail: answer.detail };
    case 'unknown':
    case 'unreached':
      return notAsked({ until: undefined }, answer.detail, now);
  }
}

export type HeaderLines =
  | { readonly kind: 'headers'; readonly headers: LoginHeaders }
  /** `fault` is the predicate of a sentence, without secrets. */
  | { readonly kind: 'failed'; readonly fault: string };

/**
 * Header fields as a program prints them, one `Name: value` a line (RFC 9112 section 5, without folding): those of
 * {@link FIELDS}, each once, among them Authorization or Cookie. Names come out in lower case.
 */
export function parseHeaderLines(text: string): HeaderLines {
  const headers: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const [, name = '', value] = /^([A-Za-z-]+):[ \t]*([ -~]*[!-~])[ \t]*$/.exec(line) ?? [];
    if (value === undefined) return failed('printed a line that is no header field (Name: value)');
    const field = name.toLowerCase();
    // The name is not shown: what is no header might be anything.
    if (!FIELDS.has(field)) return failed(`printed a header field other than ${[...FIELDS].join(', ')}`);
    if (field in headers) return failed(`printed the header field ${field} twice`);
    headers[field] = value;
  }
  return CREDENTIALS.some((field) => field in headers)
    ? { kind: 'headers', headers }
    : failed('printed neither Authorization nor Cookie');
}

function failed(fault: string): HeaderLines {
  return { kind: 'failed', fault };
}
