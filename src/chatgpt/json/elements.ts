import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './bytes.ts';
import { type Entry, endsPlain, enterList } from './enter-list.ts';
import { checksumOf, type Fingerprint, fingerprintOf, type KnownElements } from './fingerprint.ts';
import { ValueScanner } from './value-scanner.ts';
import { Window } from './window.ts';

/** What a single element may take. */
export interface ElementBudget {
  readonly bytes: number;
  /** How many values may be in it: a parser makes up to 64 bytes of one that is written with two. */
  readonly values: number;
}

/**
 * Some ten megabytes are the most that conversations have been seen to take. Parsing one at the edge of this takes up to
 * a gigabyte: its bytes, its text (two bytes a character), the strings cut out of that, and the objects around them.
 */
export const ELEMENT_BUDGET: ElementBudget = { bytes: 128 * 1024 * 1024, values: 8_000_000 };

/** Where an element stands in its file. */
export interface Extent {
  /** Counted over all elements of the file, those that could not be read included. */
  readonly index: number;
  readonly offset: number;
  readonly bytes: number;
}

export type UnreadReason =
  /** No JSON. */
  | 'broken'
  /** Beyond the budget. */
  | 'too-large'
  /** The file ends within it. */
  | 'cut-off';

export type ElementReading =
  | {
      readonly kind: 'element';
      readonly value: unknown;
      /** Bytes that are no UTF-8 were replaced (U+FFFD). */
      readonly invalidUtf8: boolean;
      /** Where it was asked for, by `known`. */
      readonly fingerprint: Fingerprint | undefined;
      /** As it stands in the file: a view, which holds until the next element is asked for. */
      readonly raw: Buffer;
      readonly at: Extent;
    }
  /** One that is known, as it was: it was not parsed. */
  | { readonly kind: 'known'; readonly fingerprint: Fingerprint; readonly at: Extent }
  /** A stretch of the file of which nothing could be made: one element, or what is left of several. */
  | { readonly kind: 'unread'; readonly reason: UnreadReason; readonly at: Extent }
  /** How the file ends, where it is not with the list. */
  | { readonly kind: 'end'; readonly reason: 'empty' | 'not-a-list' | 'truncated' | 'trailing-data' };

export interface ElementOptions {
  /** The key under which the list may stand where the file is an object: `{"conversations": […]}`. */
  readonly listKey?: string;
  /** Whether a value found while getting back on track is an element, and not a part of one. */
  readonly isElement: (value: unknown) => boolean;
  /** What need not be parsed any more. */
  readonly known?: KnownElements | undefined;
  readonly budget?: ElementBudget;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The elements of a file that holds a JSON array, one in memory at a time; compact or pretty-printed, with or without a
 * byte order mark. One that cannot be read does not hide the ones behind it: the reading gets back on track where
 * another element begins as the first one did. Whatever the bytes are, each is in an element, in a stretch that was
 * not read, or between two of them.
 *
 * @throws what the file system says; the signal's reason
 */
export async function* readElements(path: string, options: ElementOptions): AsyncGenerator<ElementReading, void> {
  await using file = await open(path);
  using window = new Window(file, options.signal);
  const entry = await enterList(window, options.listKey);
  if (entry === 'bare' || entry === 'wrapped') yield* new ListReader(window, entry, options).read();
  else yield { kind: 'end', reason: entry };
}

/** How much may be read again in one file in search of a next element, in element budgets. */
const MOST_READ_AGAIN = 4;
/** The longest beginning of an element that is taken for typical: brace, white space, first key, colon. */
const HEAD_BYTES = 128;
const HEAD = /^\{\s*"[^"\\]+"\s*:/;
const ANY_OBJECT = Buffer.from('{');

type ValueReading =
  | {
      readonly kind: 'value';
      readonly value: unknown;
      readonly invalidUtf8: boolean;
      readonly fingerprint: Fingerprint | undefined;
      readonly end: number;
    }
  | { readonly kind: 'known'; readonly fingerprint: Fingerprint; readonly end: number }
  /** `end` is unknown where the value has not ended within the budget or the file; the scanner can go on from there. */
  | {
      readonly kind: 'unread';
      readonly reason: UnreadReason;
      readonly end: number | undefined;
      readonly scanner: ValueScanner;
    };

interface Found {
  readonly start: number;
  readonly reading: Extract<ValueReading, { kind: 'value' }>;
}

class ListReader {
  readonly #window: Window;
  readonly #entry: Entry;
  readonly #options: ElementOptions;
  readonly #budget: ElementBudget;
  #index = 0;
  /** How the elements of this file begin. */
  #head: Buffer = ANY_OBJECT;
  #readAgain = 0;

  constructor(window: Window, entry: Entry, options: ElementOptions) {
    this.#window = window;
    this.#entry = entry;
    this.#options = options;
    this.#budget = options.budget ?? ELEMENT_BUDGET;
  }

  async *read(): AsyncGenerator<ElementReading, void> {
    const window = this.#window;
    let expected: 'value' | 'separator' = 'value';
    for (;;) {
      const byte = await window.peek();
      const start = window.position;
      if (byte === undefined) {
        yield { kind: 'end', reason: 'truncated' };
        return;
      }
      if (byte === CLOSE_BRACKET) {
        window.pass(start + 1);
        if (this.#entry === 'bare' && (await window.peek()) !== undefined)
          yield { kind: 'end', reason: 'trailing-data' };
        return;
      }
      if (byte === COMMA) {
        if (expected === 'value') yield this.#unread('broken', start, start);
        window.pass(start + 1);
        expected = 'value';
      } else if (expected === 'value' && byte !== CLOSE_BRACE) {
        yield* this.#readElement(start);
        expected = 'separator';
      } else {
        yield* this.#passMisplaced(start);
        expected = 'separator';
      }
    }
  }

  async *#readElement(start: number): AsyncGenerator<ElementReading, void> {
    const reading = (await this.#expectedAt(start)) ?? (await this.#valueAt(start, this.#options.known));
    if (reading.kind === 'known') {
      this.#window.pass(reading.end);
      yield { kind: 'known', fingerprint: reading.fingerprint, at: this.#extent(start, reading.end) };
      return;
    }
    if (reading.kind === 'value') {
      yield this.#element({ start, reading });
      return;
    }
    const found = await this.#search(start + 1, reading.end ?? this.#window.end);
    if (found !== undefined) {
      yield this.#unread('broken', start, found.start);
      yield this.#element(found);
      return;
    }
    const end = reading.end ?? (await this.#passRest(reading.scanner));
    this.#window.pass(end);
    yield this.#unread(reading.reason, start, end);
  }

  /** Something stands where a comma or the list's end should be: what comes is lost up to the next element. */
  async *#passMisplaced(start: number): AsyncGenerator<ElementReading, void> {
    const found = await this.#search(start);
    while (found === undefined && (await this.#window.more())) this.#window.pass(this.#window.end);
    yield this.#unread('broken', start, found?.start ?? this.#window.end);
    if (found === undefined) this.#window.pass(this.#window.end);
    else yield this.#element(found);
  }

  #element({ start, reading: { value, invalidUtf8, fingerprint, end } }: Found): ElementReading {
    if (this.#options.isElement(value)) this.#learnHead(start, end);
    const raw = this.#window.bytes(start, end);
    this.#window.pass(end);
    return { kind: 'element', value, invalidUtf8, fingerprint, raw, at: this.#extent(start, end) };
  }

  /** The element that is expected here, if these are its bytes: neither its end has to be looked for, nor its digest. */
  async #expectedAt(start: number): Promise<Extract<ValueReading, { kind: 'known' }> | undefined> {
    const fingerprint = this.#options.known?.expected();
    if (fingerprint === undefined) return undefined;
    const window = this.#window;
    const end = start + fingerprint.bytes;
    while (window.end < end && (await window.more()));
    if (window.end < end || checksumOf(window.bytes(start, end)) !== fingerprint.checksum) return undefined;
    return { kind: 'known', fingerprint, end };
  }

  #unread(reason: UnreadReason, start: number, end: number): ElementReading {
    return { kind: 'unread', reason, at: this.#extent(start, end) };
  }

  #extent(start: number, end: number): Extent {
    const index = this.#index;
    this.#index += 1;
    return { index, offset: start, bytes: end - start };
  }

  #learnHead(start: number, end: number): void {
    const [head] = HEAD.exec(this.#window.bytes(start, Math.min(end, start + HEAD_BYTES)).toString('latin1')) ?? [];
    if (head !== undefined) this.#head = Buffer.from(head, 'latin1');
  }

  async #valueAt(start: number, known?: KnownElements): Promise<ValueReading> {
    const window = this.#window;
    const scanner = new ValueScanner();
    const isPlain = !BEGINS_SCANNED.includes(window.bytes(start, start + 1)[0] ?? 0);
    const endIn = (piece: Buffer) => (isPlain ? piece.findIndex(endsPlain) : scanner.scan(piece));
    for (let done = start; ; ) {
      const at = endIn(window.bytes(done));
      const end = at === -1 ? undefined : done + at;
      done = window.end;
      if ((end ?? done) - start > this.#budget.bytes || scanner.values > this.#budget.values)
        return { kind: 'unread', reason: 'too-large', end, scanner };
      if (end !== undefined) return this.#judge(window.bytes(start, end), end, { scanner, known });
      if (!(await window.more())) return { kind: 'unread', reason: 'cut-off', end, scanner };
    }
  }

  /** What the bytes of a whole value are. */
  #judge(
    bytes: Buffer,
    end: number,
    { scanner, known }: { scanner: ValueScanner; known: KnownElements | undefined },
  ): ValueReading {
    const fingerprint = this.#options.known === undefined ? undefined : fingerprintOf(bytes);
    if (fingerprint !== undefined && known?.has(fingerprint.digest) === true)
      return { kind: 'known', fingerprint, end };
    try {
      return { kind: 'value', value: JSON.parse(bytes.toString()), invalidUtf8: !isUtf8(bytes), fingerprint, end };
    } catch {
      return { kind: 'unread', reason: 'broken', end, scanner };
    }
  }

  /** Passes what is left of a value that is not kept, and gives its end, or that of the file. */
  async #passRest(scanner: ValueScanner): Promise<number> {
    const window = this.#window;
    for (;;) {
      window.pass(window.end);
      if (!(await window.more())) return window.end;
      const end = scanner.scan(window.bytes());
      if (end !== -1) return window.position + end;
    }
  }

  /**
   * Looks for the next element: where something begins as the elements before it did, and turns out to be one. Looks at
   * all that follows, or (with `before`) at what is in the window already.
   */
  async #search(from: number, before?: number): Promise<Found | undefined> {
    const mostReadAgain = MOST_READ_AGAIN * this.#budget.bytes;
    for (let at = from; this.#readAgain <= mostReadAgain; at += 1) {
      const start = before === undefined ? await this.#nextHead(at) : this.#window.find(this.#head, at);
      if (start === undefined || (before !== undefined && start >= before)) return undefined;
      const reading = await this.#valueAt(start);
      if (reading.kind === 'value' && this.#options.isElement(reading.value)) return { start, reading };
      this.#readAgain += (reading.end ?? this.#window.end) - start;
      at = start;
    }
    return undefined;
  }

  async #nextHead(from: number): Promise<number | undefined> {
    const window = this.#window;
    for (let at = from; ; ) {
      const start = window.find(this.#head, at);
      window.pass(start ?? Math.max(at, window.end - this.#head.length + 1));
      if (start !== undefined) return start;
      at = window.position;
      if (!(await window.more())) return undefined;
    }
  }
}

/** What the scanner finds the end of. */
const BEGINS_SCANNED: readonly number[] = [QUOTE, OPEN_BRACE, OPEN_BRACKET];
