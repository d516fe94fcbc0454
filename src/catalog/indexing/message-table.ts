import { mayHoldRuns, mostBytesIndexed, writeIndexed } from '../indexed-text.ts';

/** What the catalog keeps of a message, beside its text. */
export interface MessageRow {
  readonly key: number;
  readonly content: number;
  /** ms UTC; that of the message before it where it has none. */
  readonly time: number;
  readonly dated: boolean;
  readonly role: number;
  readonly model: string | undefined;
  readonly hidden: boolean;
  /** Its offset in the conversation. */
  readonly place: number | undefined;
}

/** A stretch of a table's rows. */
export interface Rows {
  readonly from: number;
  readonly to: number;
}

/** Plain values, which go from thread to thread as they are; both buffers are handed over ({@link buffersOf}). */
export interface MessageTableData {
  /** Row by row. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** One text behind the other, as the index is told them, in UTF-8. */
  readonly texts: Uint8Array<ArrayBuffer>;
  readonly models: readonly string[];
}

/** What a table lies in: numbers and texts. */
export type TableBuffers = readonly [numbers: ArrayBuffer, texts: ArrayBuffer];

export function buffersOf({ numbers, texts }: MessageTableData): TableBuffers {
  return [numbers.buffer, texts.buffer];
}

/** Whether a maker is helped with them: not those of a copy, nor what a single message of any size has left behind. */
export function areWorthKeeping([numbers, texts]: TableBuffers): boolean {
  return texts.byteLength >= FIRST_TEXT_BYTES && numbers.byteLength + texts.byteLength <= MOST_SPARE_BYTES;
}

/** Where in a row each value stands. */
const [KEY, CONTENT, TIME, DATED, ROLE, MODEL, HIDDEN, PLACE, TEXT_END, COLUMNS] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const NONE = -1;

const FIRST_ROWS = 2048;
const FIRST_TEXT_BYTES = 2 * 1024 * 1024;
const LITTLE_TEXT_BYTES = FIRST_TEXT_BYTES / 8;
const MOST_SPARE_BYTES = 2 * FIRST_TEXT_BYTES;
/** A UTF-16 unit becomes three bytes of UTF-8 at most. */
const MOST_BYTES_OF_A_UNIT = 3;

/**
 * Collects messages for a table. A million of them are a million texts and ten million numbers: as objects they would
 * cost more to hand over than to read.
 */
export class MessageTableMaker {
  readonly #spare: TableBuffers[];
  readonly #models = new Map<string, number>();
  #numbers: Float64Array<ArrayBuffer>;
  #texts: Buffer<ArrayBuffer>;
  #rows = 0;
  #textEnd = 0;
  /** Behind {@link encode}'s last text. */
  #nextEnd = 0;

  /** @param spare buffers of tables that nobody needs any more, which are taken first */
  constructor(spare: TableBuffers[]) {
    this.#spare = spare;
    [this.#numbers, this.#texts] = this.#nextBuffers();
  }

  #nextBuffers(): [Float64Array<ArrayBuffer>, Buffer<ArrayBuffer>] {
    const [numbers, texts] = this.#spare.pop() ?? [
      new ArrayBuffer(FIRST_ROWS * COLUMNS * Float64Array.BYTES_PER_ELEMENT),
      Buffer.allocUnsafeSlow(FIRST_TEXT_BYTES).buffer,
    ];
    return [new Float64Array(numbers), Buffer.from(texts)];
  }

  get rows(): number {
    return this.#rows;
  }

  /** Of all texts. */
  get textBytes(): number {
    return this.#textEnd;
  }

  /** Takes the text of the next row. Gives its UTF-8: a view, which holds until the next call. */
  encode(text: string): Uint8Array {
    const start = this.#textEnd;
    this.#makeRoom(text.length * MOST_BYTES_OF_A_UNIT);
    const end = start + this.#texts.write(text, start);
    this.#nextEnd = end;
    if (!mayHoldRuns(text)) return this.#texts.subarray(start, end);
    const utf8 = Buffer.from(this.#texts.subarray(start, end));
    this.#makeRoom(mostBytesIndexed(utf8.length));
    this.#nextEnd = writeIndexed(utf8, this.#texts, start);
    return utf8;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#textEnd + bytes;
    if (needed <= this.#texts.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * needed);
    larger.set(this.#texts.subarray(0, this.#textEnd));
    this.#texts = larger;
  }

  /** Adds a row with the text that was encoded last. */
  add({ key, content, time, dated, role, model, hidden, place }: MessageRow): void {
    const at = this.#rows * COLUMNS;
    if (at === this.#numbers.length) {
      const larger = new Float64Array(2 * this.#numbers.length);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    const numbers = this.#numbers;
    numbers[at + KEY] = key;
    numbers[at + CONTENT] = content;
    numbers[at + TIME] = time;
    numbers[at + DATED] = Number(dated);
    numbers[at + ROLE] = role;
    numbers[at + MODEL] = model === undefined ? NONE : this.#modelNumber(model);
    numbers[at + HIDDEN] = Number(hidden);
    numbers[at + PLACE] = place ?? NONE;
    numbers[at + TEXT_END] = this.#nextEnd;
    this.#textEnd = this.#nextEnd;
    this.#rows += 1;
  }

  #modelNumber(name: string): number {
    const number = this.#models.get(name) ?? this.#models.size;
    this.#models.set(name, number);
    return number;
  }

  /** What was collected. The next row begins another table. */
  take(): MessageTableData {
    const numbers = this.#numbers.subarray(0, this.#rows * COLUMNS);
    const texts = this.#texts.subarray(0, this.#textEnd);
    const models = [...this.#models.keys()];
    this.#models.clear();
    [this.#rows, this.#textEnd, this.#nextEnd] = [0, 0, 0];
    // Little in much memory is copied: a table may have to wait.
    if (texts.length < LITTLE_TEXT_BYTES) return { numbers: numbers.slice(), texts: Uint8Array.from(texts), models };
    [this.#numbers, this.#texts] = this.#nextBuffers();
    return { numbers, texts, models };
  }
}

/** A table, read by the number of a row. */
export class MessageTable {
  readonly #numbers: Float64Array;
  readonly #texts: Uint8Array;
  readonly #models: readonly string[];

  constructor({ numbers, texts, models }: MessageTableData) {
    this.#numbers = numbers;
    this.#texts = texts;
    this.#models = models;
  }

  row(number: number): MessageRow {
    return {
      key: this.#at(number, KEY),
      content: this.#at(number, CONTENT),
      time: this.#at(number, TIME),
      dated: this.#at(number, DATED) === 1,
      role: this.#at(number, ROLE),
      model: this.#models[this.#at(number, MODEL)],
      hidden: this.#at(number, HIDDEN) === 1,
      place: optional(this.#at(number, PLACE)),
    };
  }

  /** In UTF-8. */
  text(number: number): Uint8Array {
    return this.#texts.subarray(number === 0 ? 0 : this.#at(number - 1, TEXT_END), this.#at(number, TEXT_END));
  }

  #at(row: number, column: number): number {
    return this.#numbers[row * COLUMNS + column] ?? NONE;
  }
}

function optional(number: number): number | undefined {
  return number === NONE ? undefined : number;
}
