import { CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, isWhiteSpace, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './bytes.ts';
import { ValueScanner } from './value-scanner.ts';
import type { Window } from './window.ts';

const BYTE_ORDER_MARK = Buffer.from('\ufeff');
/** Whether the list is all there is in the file, or stands in an object. */
export type Entry = 'bare' | 'wrapped';

/** Passes everything up to the list's first element. */
export async function enterList(window: Window, listKey: string | undefined): Promise<Entry | 'empty' | 'not-a-list'> {
  while (window.end < BYTE_ORDER_MARK.length && (await window.more()));
  if (window.bytes(0, Math.min(window.end, BYTE_ORDER_MARK.length)).equals(BYTE_ORDER_MARK)) window.pass(3);
  const first = await window.peek();
  if (first === undefined) return 'empty';
  if (first === OPEN_BRACE && listKey !== undefined) return enterKey(window, JSON.stringify(listKey));
  if (first !== OPEN_BRACKET) return 'not-a-list';
  window.pass(window.position + 1);
  return 'bare';
}

async function enterKey(window: Window, wanted: string): Promise<'wrapped' | 'not-a-list'> {
  do {
    window.pass(window.position + 1);
    if ((await window.peek()) !== QUOTE) return 'not-a-list';
    const key = await passValue(window);
    if ((await window.peek()) !== COLON) return 'not-a-list';
    window.pass(window.position + 1);
    const first = await window.peek();
    if (key === wanted && first === OPEN_BRACKET) {
      window.pass(window.position + 1);
      return 'wrapped';
    }
    await passValue(window);
  } while ((await window.peek()) === COMMA);
  return 'not-a-list';
}

/** Passes one value without keeping it; gives the text of a short one. */
async function passValue(window: Window): Promise<string | undefined> {
  const first = await window.peek();
  const start = window.position;
  if (first !== QUOTE && first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    await passPlain(window);
    return undefined;
  }
  const scanner = new ValueScanner();
  for (;;) {
    const from = window.position;
    const end = scanner.scan(window.bytes());
    if (end !== -1) {
      const text = from === start ? window.bytes(start, from + end).toString() : undefined;
      window.pass(from + end);
      return text;
    }
    window.pass(window.end);
    if (!(await window.more())) return undefined;
  }
}

/** Passes a number, a word, or whatever is there, up to a comma, a bracket, a brace or white space. */
async function passPlain(window: Window): Promise<void> {
  for (;;) {
    const at = window.bytes().findIndex(endsPlain);
    window.pass(at === -1 ? window.end : window.position + at);
    if (at !== -1 || !(await window.more())) return;
  }
}

export function endsPlain(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_BRACKET || byte === CLOSE_BRACE || isWhiteSpace(byte);
}
